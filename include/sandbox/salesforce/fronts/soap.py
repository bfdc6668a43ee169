"""The SOAP calls that REST has no match for (merge, undelete, emptyRecycleBin) and login, for clients that sign in so only.

Source: SOAP API Developer Guide, "login()", "merge()", "undelete()", "emptyRecycleBin()", "API Fault Element"; the elements of
the results stand in the partner WSDL's order. Salesforce itself ends login with version 65.
"""

import hashlib
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.fronts.messages import Answer, Call
from sandbox.salesforce.org import Org
from sandbox.salesforce.records.deleting import Deleting
from sandbox.salesforce.schema.permissions import Actor
from sandbox.salesforce.seeding import ORGANIZATION_ID

MOST_IDS = 200
MOST_MERGES = 10
_ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_PARTNER, _FAULT = "urn:partner.soap.sforce.com", "urn:fault.partner.soap.sforce.com"
_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
_WRONG = "Invalid username, password, security token; or user locked out."
# As users of a Kafka connector quote the fault; Salesforce's own client (wsc) recognizes an ended session by its beginning.
_SESSION = (
    "Invalid Session ID found in SessionHeader: Illegal Session. Session not found, missing session hash: {}\n"
    "This error usually occurs after a session expires or a user logs out."
)
_COVERED = "Only login, merge, undelete and emptyRecycleBin are covered by the local org's SOAP API"

Element = ElementTree.Element


def answer(org: Org, call: Call, version: str) -> Answer:
    """Answer ``POST /services/Soap/u/<version>``: the call's response, or a fault."""
    try:
        if b"<!DOCTYPE" in call.body:
            raise ElementTree.ParseError
        tree = ElementTree.fromstring(call.body)  # noqa: S314 - expat itself refuses what grows; no document type is let in
        wanted = next(iter(tree.find(f"{{{_ENVELOPE}}}Body") or ()), None)
    except (ElementTree.ParseError, LookupError, ValueError):  # the latter two: an encoding nobody knows
        return _fault("INVALID_SOAP_HEADER", "The request is no SOAP envelope")
    space, _, name = (wanted.tag if wanted is not None else "").removeprefix("{").partition("}")
    if wanted is None or space != _PARTNER or name not in ("login", *_CALLS):
        return _fault("UNSUPPORTED_API_OPERATION", _COVERED)
    if name == "login":
        return _login(org, call, version, wanted)
    session = tree.findtext(f"{{{_ENVELOPE}}}Header/{{{_PARTNER}}}SessionHeader/{{{_PARTNER}}}sessionId", "")
    actor = org.session(session.strip())
    if actor is None:
        return _fault("INVALID_SESSION_ID", _SESSION.format(hashlib.sha256(session.encode()).hexdigest()))
    if org.usage.requests >= org.settings.api_limit:
        return _fault("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
    org.usage.requests += 1
    try:
        results = "".join(f"<result>{result}</result>" for result in _CALLS[name](org, call, actor, wanted))
    except ApiError as error:
        return _fault(error.code, error.message)
    return _envelope(200, f"<{name}Response>{results}</{name}Response>")


def _login(org: Org, call: Call, version: str, wanted: Element) -> Answer:
    given = {_local(child): (child.text or "").strip() for child in wanted}
    actor = org.by_password(given.get("username", ""), given.get("password", ""))
    if actor is None:
        return _fault("INVALID_LOGIN", _WRONG, "LoginFault")
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


def _merge(org: Org, call: Call, actor: Actor, wanted: Element) -> Iterable[str]:
    requests = [child for child in wanted if _local(child) == "request"]
    if len(requests) > MOST_MERGES:
        raise ApiError(400, "LIMIT_EXCEEDED", f"a call may merge {MOST_MERGES} times")
    for request in requests:
        try:
            record = next((child for child in request if _local(child) == "masterRecord"), None)
            values: dict[str, Any] = {}
            for child in record if record is not None else ():
                if _local(child) == "fieldsToNull":
                    values[(child.text or "").strip()] = None
                else:
                    values[_local(child)] = None if child.get(f"{{{_INSTANCE}}}nil") == "true" else child.text or ""
            values.pop("type", None)
            obj, master = org.addressed(values.pop("Id", None))
            losers = [org.addressed(text)[1] for text in _texts(request, "recordToMergeIds")]
            result = org.merge(actor, obj, master, losers, values, call.place)
        except ApiError as error:
            yield _refused(error, "")
            continue
        merged, moved = (
            "".join(f"<{name}>{one}</{name}>" for one in result[name])
            for name in ("mergedRecordIds", "updatedRelatedIds")
        )
        yield f"<id>{master}</id>{merged}<success>true</success>{moved}"


def _in_bin(org: Org, call: Call, actor: Actor, wanted: Element, work: Callable[..., None]) -> Iterable[str]:
    texts = _texts(wanted, "ids")
    if len(texts) > MOST_IDS:
        raise ApiError(
            400, "EXCEEDED_ID_LIMIT", f"record limit reached. cannot submit more than {MOST_IDS} records in this call"
        )
    for text in texts:
        try:
            obj, record = org.addressed(text)
            if not actor.permissions.allows(obj, "delete"):
                raise ApiError(403, "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")
            org.deleting(actor, partial(work, record=record))
        except ApiError as error:
            yield _refused(error, text)
        else:
            yield f"<id>{record}</id><success>true</success>"


_CALLS: dict[str, Callable[[Org, Call, Actor, Element], Iterable[str]]] = {
    "merge": _merge,
    "undelete": partial(_in_bin, work=Deleting.undelete),
    "emptyRecycleBin": partial(_in_bin, work=Deleting.empty),
}


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _texts(element: Element, name: str) -> list[str]:
    return [(child.text or "").strip() for child in element if _local(child) == name]


def _refused(error: ApiError, record: str) -> str:
    fields = "".join(f"<fields>{escape(field)}</fields>" for field in error.fields or ())
    why = f"{fields}{_elements({'message': error.message, 'statusCode': error.code})}"
    shown = f"<id>{escape(record)}</id>" if record else '<id xsi:nil="true"/>'
    return f"<errors>{why}</errors>{shown}<success>false</success>"


def _elements(values: dict[str, str]) -> str:
    return "".join(f"<{name}>{escape(value)}</{name}>" for name, value in values.items())


def _fault(code: str, message: str, kind: str = "UnexpectedErrorFault") -> Answer:
    detail = _elements({"sf:exceptionCode": code, "sf:exceptionMessage": message})
    fault = _elements({"faultcode": f"sf:{code}", "faultstring": f"{code}: {message}"})
    body = f'{fault}<detail><sf:{kind} xsi:type="sf:{kind}">{detail}</sf:{kind}></detail>'
    return _envelope(500, f"<soapenv:Fault>{body}</soapenv:Fault>")


def _envelope(status: int, body: str) -> Answer:
    spaces = f'xmlns:soapenv="{_ENVELOPE}" xmlns="{_PARTNER}" xmlns:sf="{_FAULT}" xmlns:xsi="{_INSTANCE}"'
    text = f"<soapenv:Envelope {spaces}><soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
    return Answer(status, raw=f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode(), type="text/xml; charset=utf-8")
