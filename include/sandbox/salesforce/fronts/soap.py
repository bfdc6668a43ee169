"""SOAP login, for clients that sign in with username and password only; no other SOAP call is covered.

Source: SOAP API Developer Guide, "login()", "API Fault Element". Salesforce itself ends it with version 65.
"""

from xml.etree import ElementTree
from xml.sax.saxutils import escape

from sandbox.salesforce.fronts.messages import Answer, Call
from sandbox.salesforce.org import Org
from sandbox.salesforce.seeding import ORGANIZATION_ID

_ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_PARTNER, _FAULT = "urn:partner.soap.sforce.com", "urn:fault.partner.soap.sforce.com"
_WRONG = "Invalid username, password, security token; or user locked out."


def login(org: Org, call: Call, version: str) -> Answer:
    """Answer ``POST /services/Soap/u/<version>``: a session, or a fault."""
    try:
        if b"<!DOCTYPE" in call.body:
            raise ElementTree.ParseError
        tree = ElementTree.fromstring(call.body)  # noqa: S314 - expat itself refuses what grows; no document type is let in
        wanted = next(iter(tree.find(f"{{{_ENVELOPE}}}Body") or ()), None)
    except (ElementTree.ParseError, LookupError, ValueError):  # the latter two: an encoding nobody knows
        return _fault("INVALID_SOAP_HEADER", "The request is no SOAP envelope")
    if wanted is None or wanted.tag != f"{{{_PARTNER}}}login":
        return _fault("UNSUPPORTED_API_OPERATION", "Only login is covered by the local org's SOAP API")
    given = {child.tag.rpartition("}")[2]: (child.text or "").strip() for child in wanted}
    actor = org.by_password(given.get("username", ""), given.get("password", ""))
    if actor is None:
        return _fault("INVALID_LOGIN", _WRONG)
    origin = call.instance
    result = {
        "metadataServerUrl": f"{origin}/services/Soap/m/{version}/{ORGANIZATION_ID[:15]}",
        "passwordExpired": "false",
        "sandbox": "true",
        "serverUrl": f"{origin}/services/Soap/u/{version}/{ORGANIZATION_ID[:15]}",
        "sessionId": org.new_token(actor.client),
        "userId": actor.user_id,
    }
    info = {"organizationId": ORGANIZATION_ID, "userName": actor.username, "sessionSecondsValid": "7200"}
    return _envelope(
        200,
        f"<loginResponse><result>{_elements(result)}<userInfo>{_elements(info)}</userInfo></result></loginResponse>",
    )


def _elements(values: dict[str, str]) -> str:
    return "".join(f"<{name}>{escape(value)}</{name}>" for name, value in values.items())


def _fault(code: str, message: str) -> Answer:
    detail = _elements({"sf:exceptionCode": code, "sf:exceptionMessage": message})
    fault = _elements({"faultcode": f"sf:{code}", "faultstring": f"{code}: {message}"})
    body = f'{fault}<detail><sf:LoginFault xsi:type="sf:LoginFault">{detail}</sf:LoginFault></detail>'
    return _envelope(500, f"<soapenv:Fault>{body}</soapenv:Fault>")


def _envelope(status: int, body: str) -> Answer:
    spaces = f'xmlns:soapenv="{_ENVELOPE}" xmlns="{_PARTNER}" xmlns:sf="{_FAULT}"'
    schema = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    text = f"<soapenv:Envelope {spaces} {schema}><soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
    return Answer(status, raw=f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode(), type="text/xml; charset=utf-8")
