# ruff: noqa: S608 - the statements are SOQL made of the test's own words
"""Who gets in and what they may see: OAuth, permissions, describe, limits."""

import base64
import hashlib
import json
import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.salesforce.fronts.messages import Answer, Call
from sandbox.salesforce.fronts.routes import Router
from sandbox.salesforce.org import Org

APP = {"client_id": "accord-integration", "client_secret": "local-only-secret"}
BACK = "http://localhost/callback"
JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def token(org: Org, headers: Any = None, **form: str) -> Answer:
    call = Call(
        method="POST",
        path="/services/oauth2/token",
        headers=headers or {},
        body=urlencode(form).encode(),
        origin="https://org.example:8443",
    )
    return Router(org)(call)[0]


def test_client_credentials_in_the_body_or_as_basic(org: Org) -> None:
    pair = {"client_id": "accord-integration", "client_secret": "local-only-secret"}
    basic = base64.b64encode(":".join(pair.values()).encode()).decode()
    for answer in (
        token(org, grant_type="client_credentials", **pair),
        token(org, {"authorization": f"Basic {basic}"}, grant_type="client_credentials"),
    ):
        assert answer.status == 200
        assert answer.data["instance_url"] == "https://org.example:8443"
        assert answer.data["token_type"] == "Bearer"
        assert org.session(answer.data["access_token"]) is org.actors["accord-integration"]


@pytest.mark.parametrize(
    ("form", "error"),
    [
        (
            {"grant_type": "client_credentials", "client_id": "accord-integration", "client_secret": "wrong"},
            "invalid_client",
        ),
        ({"grant_type": "client_credentials", "client_id": "nobody", "client_secret": "x"}, "invalid_client_id"),
        ({"grant_type": "client_credentials"}, "invalid_client_id"),
        ({"grant_type": "password", "username": "a", "password": "b"}, "invalid_client_id"),
        ({"grant_type": "password", "username": "a", "password": "b", **APP}, "invalid_grant"),
        ({"grant_type": "password", "username": "admin@accord.example", **APP}, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "x", **APP}, "invalid_grant"),
        ({"grant_type": "authorization_code", "code": "x", **APP}, "invalid_grant"),
        ({"grant_type": "device"}, "unsupported_grant_type"),
        ({}, "unsupported_grant_type"),
        ({"grant_type": JWT, "assertion": "nonsense"}, "invalid_grant"),
        ({"grant_type": JWT, "assertion": "a.b.c"}, "invalid_grant"),
    ],
)
def test_refused_sign_in(org: Org, form: dict[str, str], error: str) -> None:
    answer = token(org, **form)
    assert answer.status == 400
    assert set(answer.data) == {"error", "error_description"}
    assert answer.data["error"] == error


def test_username_and_password(org: Org) -> None:
    signed_in = {"username": "Integration@accord.example", "password": "local-only-passwordTOKEN", **APP}
    answer = token(org, grant_type="password", **signed_in)
    assert org.session(answer.data["access_token"]) is org.actors["accord-integration"]
    wrong = token(org, grant_type="password", **{**signed_in, "password": "local-only-passwor"})
    assert wrong.data == {"error": "invalid_grant", "error_description": "authentication failure"}


def soap(org: Org, body: str) -> Answer:
    call = Call(method="POST", path="/services/Soap/u/62.0", body=body.encode(), origin="https://org.example")
    return Router(org)(call)[0]


def login(password: str) -> str:
    who = f"<username>admin@accord.example</username><password>{password}</password>"
    spaces = 'xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns="urn:partner.soap.sforce.com"'
    return f"<e:Envelope {spaces}><e:Body><login>{who}</login></e:Body></e:Envelope>"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (login("wrong"), "INVALID_LOGIN"),
        (login("x").replace("login>", "query>"), "UNSUPPORTED_API_OPERATION"),
        ("<e", "INVALID_SOAP_HEADER"),
        ("", "INVALID_SOAP_HEADER"),
        ("<!DOCTYPE x><x/>", "INVALID_SOAP_HEADER"),
        ('<?xml version="1.0" encoding="nope"?><x/>', "INVALID_SOAP_HEADER"),
        ("<x/>", "UNSUPPORTED_API_OPERATION"),
    ],
)
def test_soap_faults(org: Org, body: str, code: str) -> None:
    answer = soap(org, body)
    assert (answer.status, answer.type) == (500, "text/xml; charset=utf-8")
    assert f"<sf:exceptionCode>{code}</sf:exceptionCode>" in answer.content().decode()


def test_soap_login(org: Org) -> None:
    answer = soap(org, login("local-only-password"))
    [session] = re.findall("<sessionId>(.*)</sessionId>", answer.content().decode())
    assert answer.status == 200
    assert org.session(session) is org.admin


def code(org: Org, **changes: str) -> str:
    form = {"response_type": "code", "client_id": APP["client_id"], "redirect_uri": BACK, "scope": "api refresh_token"}
    call = Call(method="GET", path="/services/oauth2/authorize", query={**form, "state": "s", **changes})
    answer = Router(org)(call)[0]
    assert answer.status == 302
    back = urlsplit(answer.headers["Location"])
    given = dict(parse_qsl(back.query))
    assert (back.path, given.pop("state")) == ("/callback", "s")
    return given["code"]


def test_the_web_server_flow_gives_a_refresh_token(org: Org) -> None:
    once = code(org)
    form = {"grant_type": "authorization_code", "code": once, "redirect_uri": BACK, **APP}
    signed_in = token(org, **form).data
    assert signed_in["scope"] == "api refresh_token"
    assert token(org, **form).data["error"] == "invalid_grant"
    again = {"grant_type": "refresh_token", "refresh_token": signed_in["refresh_token"], **APP}
    refreshed = token(org, **again).data
    assert "refresh_token" not in refreshed
    assert refreshed["access_token"] != signed_in["access_token"]
    assert org.session(refreshed["access_token"]) is org.actors["accord-integration"]
    stranger = {"client_id": "accord-admin", "client_secret": "local-only-admin-secret"}
    assert token(org, **{**again, **stranger}).data["error"] == "invalid_grant"
    Router(org)(Call(method="POST", path="/services/oauth2/revoke", query={"token": signed_in["refresh_token"]}))
    assert token(org, **again).data["error"] == "invalid_grant"


def test_a_code_needs_its_redirect_and_verifier(org: Org) -> None:
    form = {"grant_type": "authorization_code", "redirect_uri": "http://localhost/other", **APP}
    assert token(org, **form, code=code(org)).data["error"] == "redirect_uri_mismatch"
    stranger = {"client_id": "accord-admin", "client_secret": "local-only-admin-secret"}
    answer = token(org, **{**form, **stranger, "redirect_uri": BACK}, code=code(org))
    assert answer.data == {"error": "invalid_grant", "error_description": "invalid authorization code"}
    verifier = "v" * 50
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    public = {"grant_type": "authorization_code", "redirect_uri": BACK, "client_id": APP["client_id"]}
    assert token(org, **public, code=code(org, code_challenge=challenge)).data["error"] == "invalid_grant"
    answer = token(org, **public, code=code(org, code_challenge=challenge, scope="api"), code_verifier=verifier)
    assert answer.status == 200
    assert "refresh_token" not in answer.data
    assert token(org, **public, code=code(org)).data["error"] == "invalid_client"


def test_the_login_hosts_send_clients_to_the_orgs_own_address(org: Org) -> None:
    form = {"grant_type": "client_credentials", **APP}
    call = Call(
        method="POST",
        path="/services/oauth2/token",
        body=urlencode(form).encode(),
        origin="https://login.salesforce.com",
    )
    assert Router(org)(call)[0].data["instance_url"] == "https://local.my.salesforce.com"


@pytest.fixture
def sign(org: Org, tmp_path: Path) -> Callable[..., str]:
    """Give the org a public key; return a function that signs assertions with the private one."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = tmp_path / "public.pem"
    public.write_bytes(
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    org.settings = replace(org.settings, jwt_key=public)

    def signed(**changes: Any) -> str:
        other = changes.pop("other_key", None)
        claims = {
            "iss": "accord-integration",
            "sub": "integration@accord.example",
            "aud": "https://login.salesforce.com",
            "exp": str(int(time.time()) + 170),
            **changes,
        }
        return jwt.encode(claims, other or key, algorithm="RS256")

    return signed


def test_jwt_bearer(org: Org, sign: Callable[..., str]) -> None:
    answer = token(org, grant_type=JWT, assertion=sign())
    assert answer.status == 200
    assert org.session(answer.data["access_token"]) is org.actors["accord-integration"]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"exp": 1}, "invalid_grant"),
        ({"exp": int(time.time()) + 4000}, "invalid_grant"),
        ({"exp": "soon"}, "invalid_grant"),
        ({"aud": "https://elsewhere.example"}, "invalid_grant"),
        ({"sub": "somebody@else.example"}, "invalid_grant"),
        ({"iss": "nobody"}, "invalid_client_id"),
        ({"other_key": rsa.generate_private_key(public_exponent=65537, key_size=2048)}, "invalid_grant"),
    ],
)
def test_refused_assertions(org: Org, sign: Callable[..., str], changes: dict[str, Any], error: str) -> None:
    answer = token(org, grant_type=JWT, assertion=sign(**changes))
    assert (answer.status, answer.data["error"]) == (400, error)


def test_an_unsigned_assertion_is_refused(org: Org, sign: Callable[..., str]) -> None:
    _, claims, _ = sign().split(".")
    header = base64.urlsafe_b64encode(json.dumps({"alg": "none"}).encode()).decode().rstrip("=")
    assert token(org, grant_type=JWT, assertion=f"{header}.{claims}.").status == 400


def test_sessions_end(org: Org, api: Any) -> None:
    assert api.send("GET", "/services/oauth2/userinfo").data["preferred_username"] == "integration@accord.example"
    org.revoke()
    assert api.refused("GET", "/limits") == (401, "INVALID_SESSION_ID")
    api.headers.clear()
    assert api.refused("GET", "/limits") == (401, "INVALID_SESSION_ID")


def test_limits_are_counted_and_enforced(org: Org, api: Any) -> None:
    first = api.send("GET", "/limits")
    assert first.headers["Sforce-Limit-Info"] == "api-usage=1/100000"
    second = api.send("GET", "/limits")
    assert second.data["DailyApiRequests"] == {"Max": 100000, "Remaining": 99998}
    assert {"DailyBulkApiBatches", "DailyBulkV2QueryJobs"} <= set(second.data)
    org.settings = replace(org.settings, api_limit=2)
    assert api.refused("GET", "/limits") == (403, "REQUEST_LIMIT_EXCEEDED")


def test_describe_is_consistent(api: Any, admin: Any) -> None:
    for who in (api, admin):
        listed = {o["name"]: o for o in who.send("GET", "/sobjects").data["sobjects"]}
        for name, summary in listed.items():
            full = who.send("GET", f"/sobjects/{name}/describe").data
            assert {key: full[key] for key in summary if key != "urls"} == {
                k: v for k, v in summary.items() if k != "urls"
            }
            fields = [f["name"] for f in full["fields"]]
            # What describe lists can be read, object by object.
            assert who.run(f"SELECT {', '.join(fields)} FROM {name} LIMIT 1")["done"]
            assert all(child["childSObject"] in listed for child in full["childRelationships"])
    assert "Opportunity" in listed
    api.send("POST", "/sandbox/permissions", {"object": "Opportunity", "actions": []})
    assert api.refused("GET", "/sobjects/Opportunity/describe") == (404, "NOT_FOUND")


def test_describe_of_fields(api: Any) -> None:
    fields = {f["name"]: f for f in api.send("GET", "/sobjects/ERP_Account__c/describe").data["fields"]}
    key = fields["Key__c"]
    assert (key["externalId"], key["unique"], key["caseSensitive"], key["idLookup"], key["length"]) == (
        True,
        True,
        True,
        True,
        80,
    )
    assert (fields["Name"]["autoNumber"], fields["Name"]["createable"], fields["Name"]["nameField"]) == (
        True,
        False,
        True,
    )
    assert (
        fields["Credit_Limit__c"]["type"],
        fields["Credit_Limit__c"]["precision"],
        fields["Credit_Limit__c"]["scale"],
    ) == ("currency", 18, 2)
    assert [v["value"] for v in fields["Risk__c"]["picklistValues"]] == ["Low", "Medium", "High", "Blocked"]
    assert fields["Account__c"]["cascadeDelete"] is True
    assert fields["Account__c"]["referenceTo"] == ["Account"]
    assert fields["CurrencyIsoCode"]["defaultedOnCreate"] is True
    account = api.send("GET", "/sobjects/Account/describe").data
    assert {"ERP_Accounts__r", "Contacts", "ChildAccounts"} <= {
        c["relationshipName"] for c in account["childRelationships"]
    }
    own = {f["name"]: f for f in account["fields"]}
    assert (own["ERP_Sync_Status__c"]["updateable"], own["Name"]["nillable"], own["ERP_Accounts__c"]["calculated"]) == (
        True,
        False,
        True,
    )
    assert (own["Phone"]["updateable"], own["BillingCountryCode"]["compoundFieldName"]) == (False, "BillingAddress")
    labels = {v["value"]: v["label"] for v in own["BillingCountryCode"]["picklistValues"]}
    assert labels["NL"] == "Netherlands"


def test_system_fields_need_no_permission(api: Any) -> None:
    api.run("SELECT Id, IsDeleted, MasterRecordId, CreatedDate, SystemModstamp, OwnerId, CurrencyIsoCode FROM Account")
    api.run("SELECT Name, FirstName, LastName, Salutation, MasterRecordId FROM Contact")


def test_what_no_permission_set_names_is_hidden(api: Any, admin: Any) -> None:
    for who, expected in ((api, False), (admin, True)):
        fields = {f["name"] for f in who.send("GET", "/sobjects/Account/describe").data["fields"]}
        assert ("Rating" in fields) is expected
    assert api.refused("GET", "/query?q=SELECT+Rating+FROM+Account") == (400, "INVALID_FIELD")


def test_a_missing_permission_hides(api: Any, admin: Any) -> None:
    record = admin.create("Account", Name="A", Phone="1", BillingCity="Delft")
    admin.send("POST", "/sandbox/permissions", {"object": "Account", "field": "Phone", "read": False})
    admin.send("POST", "/sandbox/permissions", {"object": "Account", "field": "BillingCity", "read": False})
    assert "Phone" not in {f["name"] for f in api.send("GET", "/sobjects/Account/describe").data["fields"]}
    assert "Phone" not in api.send("GET", f"/sobjects/Account/{record}").data
    for field in ("Phone", "BillingCity", "BillingAddress"):
        assert api.refused("GET", f"/query?q=SELECT+{field}+FROM+Account") == (400, "INVALID_FIELD")
    assert api.refused("GET", "/query?q=SELECT+Id+FROM+Contact+WHERE+Account.Phone='1'") == (400, "INVALID_FIELD")
    assert admin.column("SELECT Phone FROM Account") == ["1"]
    admin.send("POST", "/sandbox/permissions", {"object": "Account", "actions": []})
    assert api.refused("GET", "/query?q=SELECT+Id+FROM+Account") == (400, "INVALID_TYPE")
    assert api.refused("GET", "/query?q=SELECT+Account.Name+FROM+Contact") == (400, "INVALID_FIELD")
    assert api.refused("GET", f"/sobjects/Account/{record}") == (404, "NOT_FOUND")
    admin.send("DELETE", "/sandbox/permissions")
    assert api.column("SELECT Phone FROM Account") == ["1"]


def test_a_missing_permission_to_write(api: Any, admin: Any) -> None:
    record = admin.create("Account", Name="A")
    path = f"/sobjects/Account/{record}"
    assert api.refused("PATCH", path, {"Phone": "1"}) == (400, "INVALID_FIELD_FOR_INSERT_UPDATE")
    assert api.send("PATCH", path, {"ERP_Sync_Status__c": "Synced"}).status == 204
    assert api.refused("POST", "/sobjects/Account", {"Name": "B"}) == (403, "INSUFFICIENT_ACCESS_OR_READONLY")
    assert api.refused("DELETE", path) == (403, "INSUFFICIENT_ACCESS_OR_READONLY")
    admin.send("POST", "/sandbox/permissions", {"object": "Account", "actions": ["read"]})
    assert api.refused("PATCH", path, {"ERP_Sync_Status__c": "Held"}) == (403, "INSUFFICIENT_ACCESS_OR_READONLY")


def test_the_permission_set_is_assigned(api: Any) -> None:
    text = "SELECT Assignee.Username FROM PermissionSetAssignment WHERE PermissionSet.Name = 'Accord_Integration'"
    [found] = api.run(text)["records"]
    assert found["Assignee"]["Username"] == "integration@accord.example"
