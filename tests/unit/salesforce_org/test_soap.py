"""The SOAP calls REST has no match for: merge, undelete, emptyRecycleBin."""

import re
from typing import Any

from sandbox.salesforce.fronts.messages import Call

_SPACES = (
    'xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns="urn:partner.soap.sforce.com" '
    'xmlns:s="urn:sobject.partner.soap.sforce.com" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
)


def soap(api: Any, body: str, session: str | None = None) -> str:
    token = api.headers["authorization"].removeprefix("Bearer ") if session is None else session
    head = f"<e:Header><SessionHeader><sessionId>{token}</sessionId></SessionHeader></e:Header>"
    text = f"<e:Envelope {_SPACES}>{head}<e:Body>{body}</e:Body></e:Envelope>"
    call = Call(method="POST", path="/services/Soap/u/62.0/00D000000000001", body=text.encode(), origin="https://x")
    return str(api.router(call)[0].content().decode())


def found(text: str, name: str) -> list[str]:
    return re.findall(f"<{name}>(.*?)</{name}>", text)


def merging(master: str, *losers: str, more: str = "") -> str:
    record = f'<masterRecord xsi:type="s:sObject"><s:type>Account</s:type><s:Id>{master}</s:Id>{more}</masterRecord>'
    merged = "".join(f"<recordToMergeIds>{loser}</recordToMergeIds>" for loser in losers)
    return f"<merge><request>{record}{merged}</request></merge>"


def test_merge(admin: Any) -> None:
    master = admin.create("Account", Name="A", Phone="1", Fax="2")
    losers = [admin.create("Account", Name=name) for name in "BC"]
    contact = admin.create("Contact", LastName="Doe", AccountId=losers[1])
    more = "<s:AnnualRevenue>5</s:AnnualRevenue><s:fieldsToNull>Phone</s:fieldsToNull><s:Fax xsi:nil='true'/>"
    text = soap(admin, merging(master, *losers, more=more))
    assert (found(text, "id"), found(text, "success")) == ([master], ["true"])
    assert (found(text, "mergedRecordIds"), found(text, "updatedRelatedIds")) == (losers, [contact])
    [kept] = admin.run("SELECT AnnualRevenue, Phone, Fax FROM Account")["records"]
    assert (kept["AnnualRevenue"], kept["Phone"], kept["Fax"]) == (5.0, None, None)
    assert admin.column("SELECT MasterRecordId FROM Account WHERE IsDeleted = true", deleted=True) == [master] * 2


def test_a_refused_merge_changes_nothing(admin: Any, api: Any) -> None:
    master, loser = (admin.create("Account", Name=name) for name in "AB")
    for text in (
        soap(admin, merging(master, loser, more="<s:Nope>1</s:Nope>")),
        soap(admin, merging(master, loser, more="<s:Name></s:Name>")),
        soap(admin, merging(master, master)),
        soap(admin, merging("x", loser)),
    ):
        assert found(text, "success") == ["false"]
        assert '<id xsi:nil="true"/>' in text
    api.send("POST", "/sandbox/permissions", {"object": "Account", "actions": ["read", "edit"]})
    assert found(soap(api, merging(master, loser)), "statusCode") == ["INSUFFICIENT_ACCESS_OR_READONLY"]
    assert admin.run("SELECT COUNT() FROM Account")["totalSize"] == 2


def test_the_recycle_bin(admin: Any) -> None:
    first, second, live = (admin.create("Account", Name=name) for name in "ABC")
    for record in (first, second):
        admin.send("DELETE", f"/sobjects/Account/{record}")
    text = soap(admin, f"<undelete><ids>{first[:15]}</ids><ids>{live}</ids><ids>x</ids></undelete>")
    assert found(text, "success") == ["true", "false", "false"]
    assert found(text, "statusCode") == ["UNDELETE_FAILED", "MALFORMED_ID"]
    assert sorted(admin.column("SELECT Id FROM Account")) == sorted([first, live])
    text = soap(admin, f"<emptyRecycleBin><ids>{second}</ids><ids>{live}</ids></emptyRecycleBin>")
    assert found(text, "success") == ["true", "false"]
    assert sorted(admin.column("SELECT Id FROM Account", deleted=True)) == sorted([first, live])


def test_faults(admin: Any) -> None:
    used = admin.org.usage.requests
    assert found(soap(admin, "<undelete/>", session="none"), "sf:exceptionCode") == ["INVALID_SESSION_ID"]
    many = "<ids>x</ids>" * 201
    assert found(soap(admin, f"<undelete>{many}</undelete>"), "sf:exceptionCode") == ["EXCEEDED_ID_LIMIT"]
    assert found(soap(admin, "<describeGlobal/>"), "sf:exceptionCode") == ["UNSUPPORTED_API_OPERATION"]
    assert admin.org.usage.requests == used + 1
