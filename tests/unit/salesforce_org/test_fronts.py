"""Collections, composite requests, addresses, faults: what surrounds single records."""

from typing import Any

import pytest

from sandbox.salesforce.faults import Kind
from sandbox.salesforce.fronts.messages import Call
from sandbox.salesforce.org import Org


def records(*names: str | None) -> list[dict[str, Any]]:
    return [{"attributes": {"type": "Account"}, **({} if name is None else {"Name": name})} for name in names]


def codes(answer: Any) -> list[str]:
    assert answer.status == 200, answer.data
    return ["" if r["success"] else r["errors"][0]["statusCode"] for r in answer.data]


def test_collection_keeps_the_good_ones(admin: Any) -> None:
    answer = admin.send("POST", "/composite/sobjects", {"records": records("a", None, "c")})
    assert codes(answer) == ["", "REQUIRED_FIELD_MISSING", ""]
    assert admin.column("SELECT Name FROM Account ORDER BY Name") == ["a", "c"]


def test_collection_all_or_none(admin: Any) -> None:
    body = {"records": records("a", None, "c"), "allOrNone": True}
    answer = admin.send("POST", "/composite/sobjects", body)
    rolled = "ALL_OR_NONE_OPERATION_ROLLED_BACK"
    assert codes(answer) == [rolled, "REQUIRED_FIELD_MISSING", rolled]
    assert admin.column("SELECT Name FROM Account") == []


def test_collection_of_several_types(admin: Any, api: Any) -> None:
    body = {"records": [*records("a"), {"attributes": {"type": "Contact"}, "LastName": "Doe"}, *records("b")]}
    assert codes(admin.send("POST", "/composite/sobjects", body)) == ["", "", ""]
    assert admin.run("SELECT COUNT() FROM Account")["totalSize"] == 2


def test_collection_upsert_update_delete_retrieve(api: Any, admin: Any) -> None:
    account = admin.create("Account", Name="A")
    rows = [{"attributes": {"type": "ERP_Account__c"}, "Key__c": key, "Account__c": account} for key in ("1", "2", "2")]
    path = "/composite/sobjects/ERP_Account__c/Key__c"
    answer = api.send("PATCH", path, {"records": rows})
    assert codes(answer) == ["", "", "DUPLICATE_VALUE"]
    assert [r.get("created") for r in answer.data] == [True, True, None]
    answer = api.send("PATCH", path, {"records": rows[:1]})
    assert answer.data[0]["created"] is False
    one, two = api.column("SELECT Id FROM ERP_Account__c ORDER BY Key__c")
    body = {
        "records": [
            {"attributes": {"type": "ERP_Account__c"}, "Id": one, "Active__c": True},
            {"attributes": {"type": "ERP_Account__c"}},
        ]
    }
    assert codes(api.send("PATCH", "/composite/sobjects", body)) == ["", "MISSING_ARGUMENT"]
    wanted = {"ids": [two, "001gK00000009zz", one], "fields": ["Key__c", "Account__r.Name"]}
    assert api.refused("POST", "/composite/sobjects/ERP_Account__c", wanted) == (400, "MALFORMED_ID")
    gone = two[:-4] + "z"
    found = api.send(
        "GET", f"/composite/sobjects/ERP_Account__c?ids={two},{gone},{one}&fields=Key__c,Account__r.Name"
    ).data
    assert [r and r["Key__c"] for r in found] == ["2", None, "1"]
    assert found[0]["Account__r"]["Name"] == "A"
    answer = api.send("DELETE", f"/composite/sobjects?ids={one},{one}&allOrNone=true")
    assert codes(answer) == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "ENTITY_IS_DELETED"]
    assert codes(api.send("DELETE", f"/composite/sobjects?ids={one},{two}")) == ["", ""]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"records": records(*["a"] * 201)}, "EXCEEDED_ID_LIMIT"),
        ({"records": []}, "INVALID_INPUT"),
        ({"records": [{"Name": "a"}]}, "INVALID_INPUT"),
        ({"records": [{"attributes": {"type": "Nope"}}]}, "INVALID_TYPE"),
        ({"records": [{"attributes": {"type": "Account"}, "Nope": 1}]}, "INVALID_FIELD"),
        ([], "JSON_PARSER_ERROR"),
    ],
)
def test_refused_collections(admin: Any, body: Any, code: str) -> None:
    assert admin.refused("POST", "/composite/sobjects", body) == (400, code)


def part(name: str, method: str, url: str, body: Any = None) -> dict[str, Any]:
    return {"referenceId": name, "method": method, "url": f"/services/data/v62.0{url}", "body": body}


def test_composite_hands_answers_on(admin: Any) -> None:
    body = {
        "compositeRequest": [
            part("a", "POST", "/sobjects/Account", {"Name": "A"}),
            part("c", "POST", "/sobjects/Contact", {"LastName": "of @{a.id}", "AccountId": "@{a.id}"}),
            part("q", "GET", "/query?q=SELECT+Name+FROM+Account+WHERE+Id='@{a.id}'"),
            part("u", "PATCH", "/sobjects/Contact/@{c.id}", {"FirstName": "@{q.records[0].Name}"}),
            part("bad", "GET", "/sobjects/Account/@{nothing.id}"),
            part("gone", "GET", "/nothing"),
        ]
    }
    results = admin.send("POST", "/composite", body).data["compositeResponse"]
    assert [r["httpStatusCode"] for r in results] == [201, 201, 200, 204, 400, 404]
    assert results[4]["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert admin.column("SELECT FirstName FROM Contact") == ["A"]
    assert admin.org.usage.requests == 1


def test_composite_all_or_none(admin: Any) -> None:
    parts = [part("a", "POST", "/sobjects/Account", {"Name": "A"}), part("b", "POST", "/sobjects/Account", {})]
    parts.append(part("c", "POST", "/sobjects/Account", {"Name": "C"}))
    results = admin.send("POST", "/composite", {"allOrNone": True, "compositeRequest": parts}).data["compositeResponse"]
    assert [r["body"][0]["errorCode"] for r in results] == [
        "PROCESSING_HALTED",
        "REQUIRED_FIELD_MISSING",
        "PROCESSING_HALTED",
    ]
    assert admin.run("SELECT COUNT() FROM Account")["totalSize"] == 0


@pytest.mark.parametrize("count", [0, 26])
def test_composite_has_1_to_25_parts(admin: Any, count: int) -> None:
    parts = [part(f"r{n}", "GET", "/limits") for n in range(count)]
    assert admin.send("POST", "/composite", {"compositeRequest": parts}).status == 400


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/services/data/v62.0/nothing", (404, "NOT_FOUND")),
        ("GET", "/services/data/v99.0/limits", (404, "NOT_FOUND")),
        ("GET", "/services/data/v62.1/limits", (404, "NOT_FOUND")),
        ("GET", "/services/nothing", (404, "NOT_FOUND")),
        ("GET", "/services/async/62.0/job", (404, "NOT_FOUND")),
        ("PUT", "/services/data/v62.0/sobjects", (405, "METHOD_NOT_ALLOWED")),
        ("POST", "/services/data/v62.0/query", (405, "METHOD_NOT_ALLOWED")),
        ("GET", "/services/data/v62.0/query", (400, "MALFORMED_QUERY")),
        ("POST", "/sandbox/faults", (400, "JSON_PARSER_ERROR")),
    ],
)
def test_unknown_addresses(admin: Any, method: str, path: str, expected: tuple[int, str]) -> None:
    assert admin.refused(method, path) == expected


def test_old_versions_too(admin: Any) -> None:
    versions = [v["version"] for v in admin.send("GET", "/services/data").data]
    assert {"51.0", "62.0"} <= set(versions)
    organization = admin.column("SELECT Id FROM Organization")[0]
    answer = admin.send("GET", f"/services/data/v51.0/sobjects/Organization/{organization}")
    assert answer.data["attributes"]["url"].startswith("/services/data/v51.0/")
    assert admin.send("GET", "/limits/recordCount?sObjects=User,Nope").data == {
        "sObjects": [{"count": 2, "name": "User"}]
    }


def test_an_error_of_our_own_is_no_stack_trace(admin: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    monkeypatch.setattr(Org, "object", lambda *_: 1 / 0)
    answer = admin.send("GET", "/sobjects/Account/describe")
    assert (answer.status, answer.data[0]["errorCode"]) == (500, "UNKNOWN_EXCEPTION")
    assert "ZeroDivisionError" not in str(answer.data)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Kind.UNAVAILABLE, (503, "SERVER_UNAVAILABLE")),
        (Kind.TOO_MANY_REQUESTS, (429, "TOO_MANY_REQUESTS")),
        (Kind.SERVER_ERROR, (500, "UNKNOWN_EXCEPTION")),
        (Kind.SESSION_EXPIRED, (401, "INVALID_SESSION_ID")),
        (Kind.LIMIT_EXCEEDED, (403, "REQUEST_LIMIT_EXCEEDED")),
    ],
)
def test_faults_of_requests(admin: Any, kind: Kind, expected: tuple[int, str]) -> None:
    rule = {"kind": kind.value, "match": {"method": "GET", "path": ".*/limits$"}, "after": 1, "times": 1}
    assert admin.send("POST", "/sandbox/faults", rule).status == 201
    assert admin.send("GET", "/sobjects").status == 200
    assert admin.send("GET", "/limits").status == 200
    assert admin.refused("GET", "/limits") == expected
    assert admin.send("GET", "/limits").status == 200
    [shown] = admin.send("GET", "/sandbox/faults").data
    assert (shown["seen"], shown["applied"]) == (3, 1)
    assert admin.send("DELETE", f"/sandbox/faults/{shown['id']}").status == 204
    assert admin.send("GET", "/sandbox/faults").data == []


def test_a_bad_gateway_speaks_no_json(admin: Any) -> None:
    admin.org.faults.add({"kind": "bad_gateway", "path": ".*/limits", "times": 1})
    answer = admin.send("GET", "/limits")
    assert (answer.status, answer.type) == (502, "text/html")
    assert answer.content().startswith(b"<html>")


def test_a_seed_says_which_requests_fail(admin: Any) -> None:
    def failing(seed: int) -> list[bool]:
        admin.org.faults.remove()
        admin.org.faults.add({"kind": "unavailable", "path": ".*/limits", "share": 0.3, "seed": seed})
        return [admin.send("GET", "/limits").status == 503 for _ in range(200)]

    assert failing(1) == failing(1)
    assert failing(1) != failing(2)
    assert 30 < sum(failing(1)) < 90


def test_row_faults_spoil_single_records(admin: Any) -> None:
    admin.org.faults.add({"kind": "lock_rows", "path": ".*/composite/sobjects", "value": 2, "times": 1})
    answer = admin.send("POST", "/composite/sobjects", {"records": records("a", "b", "c", "d")})
    assert codes(answer) == ["", "UNABLE_TO_LOCK_ROW", "", "UNABLE_TO_LOCK_ROW"]
    admin.org.faults.add({"kind": "lock_rows", "path": ".*/sobjects/Account", "times": 1})
    assert admin.refused("POST", "/sobjects/Account", {"Name": "e"}) == (400, "UNABLE_TO_LOCK_ROW")
    assert admin.column("SELECT Name FROM Account ORDER BY Name") == ["a", "c"]


@pytest.mark.parametrize(
    "rule", [{"kind": "nonsense"}, {}, {"kind": "latency", "path": "("}, {"kind": "latency", "after": "x"}]
)
def test_senseless_rules_are_refused(admin: Any, rule: dict[str, Any]) -> None:
    assert admin.refused("POST", "/sandbox/faults", rule) == (400, "INVALID_FAULT")


def test_reset_empties_the_org(admin: Any) -> None:
    admin.create("Account", Name="A")
    admin.send("POST", "/sandbox/faults", {"kind": "unavailable", "path": ".*/nowhere"})
    admin.send("POST", "/sandbox/clock", {"offset_seconds": 86400})
    assert admin.send("POST", "/sandbox/reset").status == 204
    assert admin.run("SELECT COUNT() FROM Account")["totalSize"] == 0
    assert admin.run("SELECT COUNT() FROM User")["totalSize"] == 2
    assert admin.send("GET", "/sandbox/faults").data == []
    assert admin.send("GET", "/sandbox/clock").data["offset_seconds"] == 0


def test_the_clock_stands_until_told_otherwise(admin: Any) -> None:
    admin.send("POST", "/sandbox/clock", {"at": "2026-03-02T09:00:00+01:00"})
    admin.create("Account", Name="A")
    assert admin.column("SELECT SystemModstamp FROM Account") == ["2026-03-02T08:00:00.000+0000"]
    assert admin.send("GET", "/sandbox/clock").data["now"] == "2026-03-02T08:00:00.000Z"
    assert admin.send("POST", "/sandbox/reset").status == 204
    assert admin.send("GET", "/sandbox/clock").data["now"] != "2026-03-02T08:00:00.000Z"
    assert admin.refused("POST", "/sandbox/clock", {"at": "soon"}) == (400, "INVALID_CLOCK")


def test_the_page_shows_objects_and_nothing_unescaped(admin: Any) -> None:
    admin.org.usage.calls.append(
        {"at": "", "client": "<b>", "method": "GET", "path": "/<script>", "status": 500, "ms": 1.0}
    )
    page = admin.router(Call(method="GET", path="/"))[0].content().decode()  # it needs no sign-in
    assert "ERP_Account__c" in page
    assert "<script>" not in page
    admin.create("Account", Name="<i>A</i>")
    page = admin.router(Call(method="GET", path="/", query={"object": "account"}))[0].content().decode()
    assert "Account: the latest 1 records" in page
    assert "&lt;i&gt;A&lt;/i&gt;" in page
    assert "<i>" not in page
    assert "AnnualRevenue" not in page  # nothing in it
    assert "latest" not in admin.router(Call(method="GET", path="/", query={"object": "x"}))[0].content().decode()


def test_each_graph_is_all_or_nothing(admin: Any) -> None:
    good = [
        part("a", "POST", "/sobjects/Account", {"Name": "A"}),
        part("c", "POST", "/sobjects/Contact", {"LastName": "of A", "AccountId": "@{a.id}"}),
    ]
    bad = [part("a", "POST", "/sobjects/Account", {"Name": "B"}), part("b", "POST", "/sobjects/Account", {})]
    body = {"graphs": [{"graphId": "1", "compositeRequest": good}, {"graphId": "2", "compositeRequest": bad}]}
    answer = admin.send("POST", "/composite/graph", body)
    assert answer.status == 200
    first, second = answer.data["graphs"]
    assert (first["graphId"], first["isSuccessful"], second["isSuccessful"]) == ("1", True, False)
    assert [r["httpStatusCode"] for r in first["graphResponse"]["compositeResponse"]] == [201, 201]
    halted, refused = second["graphResponse"]["compositeResponse"]
    assert halted["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert refused["body"][0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    assert admin.column("SELECT Account.Name FROM Contact")[0]["Name"] == "A"
    assert admin.column("SELECT Name FROM Account") == ["A"]


def test_after_fifteen_failed_graphs_the_rest_is_left(admin: Any) -> None:
    def graph(name: str, **values: Any) -> dict[str, Any]:
        return {"graphId": name, "compositeRequest": [part("a", "POST", "/sobjects/Account", values)]}

    failing = [graph(f"f{n}") for n in range(15)]
    graphs = admin.send("POST", "/composite/graph", {"graphs": [*failing, graph("last", Name="A")]}).data["graphs"]
    assert graphs[-1]["graphResponse"]["compositeResponse"][0]["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert admin.run("SELECT COUNT() FROM Account")["totalSize"] == 0
    graphs = admin.send("POST", "/composite/graph", {"graphs": [*failing[1:], graph("last", Name="A")]}).data["graphs"]
    assert graphs[-1]["isSuccessful"]


# Each refers to the one before.
CHAIN = [part(f"a{n}", "GET", f"/sobjects/Account/@{{a{n - 1}.id}}") for n in range(16)]


@pytest.mark.parametrize(
    ("graphs", "code"),
    [
        ([], "INVALID_INPUT"),
        ([{"graphId": "1", "compositeRequest": []}], "INVALID_INPUT"),
        ([{"graphId": "", "compositeRequest": [part("a", "POST", "/sobjects/Account", {})]}], "INVALID_INPUT"),
        ([{"graphId": "1", "compositeRequest": [part("a", "GET", "/query?q=SELECT+Id+FROM+Account")]}], "INVALID_INPUT"),
        ([{"graphId": "1", "compositeRequest": [part("a", "GET", "/sobjects/Account/describe")]}], "INVALID_INPUT"),
        ([{"graphId": "1", "compositeRequest": [part(f"a{n}", "POST", "/sobjects/Account") for n in range(501)]}], "LIMIT_EXCEEDED"),
        ([{"graphId": str(n), "compositeRequest": [part("a", "POST", "/sobjects/Account")]} for n in range(76)], "LIMIT_EXCEEDED"),
        ([{"graphId": "1", "compositeRequest": [part(f"a{n}", "POST", f"/sobjects/O{n}") for n in range(16)]}], "LIMIT_EXCEEDED"),
        ([{"graphId": "1", "compositeRequest": CHAIN}], "LIMIT_EXCEEDED"),
    ],
)  # fmt: skip
def test_refused_graphs(admin: Any, graphs: Any, code: str) -> None:
    assert admin.refused("POST", "/composite/graph", {"graphs": graphs}) == (400, code)
