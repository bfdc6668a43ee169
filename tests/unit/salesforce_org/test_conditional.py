"""Conditional requests for single records, and what older versions of the API answer."""

from typing import Any

import pytest

from sandbox.salesforce.org import Org

PAST, FUTURE = "Tue, 01 Jan 2019 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"


@pytest.fixture
def account(admin: Any) -> str:
    return f"/sobjects/Account/{admin.create('Account', Name='A')}"


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("GET", {"if_modified_since": PAST}, 200),
        ("GET", {"if_modified_since": FUTURE}, 304),
        ("GET", {"if_modified_since": "yesterday"}, 200),
        ("GET", {"if_unmodified_since": PAST}, 412),
        ("PATCH", {"if_unmodified_since": PAST}, 412),
        ("PATCH", {"if_unmodified_since": FUTURE}, 204),
        ("PATCH", {"if_unmodified_since": "yesterday"}, 400),
        ("PATCH", {"if_match": '"other"'}, 412),
        ("PATCH", {"if_match": "other"}, 400),
        ("GET", {"if_none_match": '"other"'}, 200),
    ],
)
def test_conditions(admin: Any, account: str, method: str, headers: dict[str, str], status: int) -> None:
    answer = admin.send(method, account, {"Name": "B"} if method == "PATCH" else None, **headers)
    assert answer.status == status
    if status == 412:
        assert answer.data[0]["errorCode"] == "PRECONDITION_FAILED"
    if status == 304:
        assert answer.content() == b""
    changed = admin.column("SELECT Name FROM Account") == ["B"]
    assert changed == (status == 204)


def test_an_entity_tag_follows_the_record(admin: Any, org: Org, account: str) -> None:
    tag = admin.send("GET", account).headers["ETag"]
    assert admin.send("GET", account, if_none_match=f'"x", {tag}').status == 304
    assert admin.send("PATCH", account, {"Name": "B"}, if_none_match=tag).status == 412
    org.clock.standing = org.clock.now().replace(year=2099)
    assert admin.send("PATCH", account, {"Name": "B"}, if_match=tag).status == 204
    assert admin.send("PATCH", account, {"Name": "C"}, if_match=tag).status == 412
    contact = admin.create("Contact", LastName="C")
    assert "ETag" not in admin.send("GET", f"/sobjects/Contact/{contact}").headers


def test_upsert_tells_what_it_updated_from_v46_on(admin: Any) -> None:
    path, body = "sobjects/Product2/Key__c/P", {"Name": "Bolt"}
    assert admin.send("PATCH", f"/services/data/v45.0/{path}", body).status == 201
    answer = admin.send("PATCH", f"/services/data/v45.0/{path}", body)
    assert (answer.status, answer.content()) == (204, b"")
    answer = admin.send("PATCH", f"/services/data/v46.0/{path}", body)
    assert (answer.status, answer.data["created"]) == (200, False)
