# ruff: noqa: S608 - the statements are SOQL made of the test's own words
"""SOQL: what queries find, and in which words they are refused."""

from datetime import date
from typing import Any

import pytest

from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.soql.parser import parse
from sandbox.salesforce.soql.periods import period


@pytest.fixture
def world(admin: Any) -> dict[str, str]:
    """Four accounts in a hierarchy, three contacts; returned by name."""
    made: dict[str, str] = {}
    for name, parent, country, revenue, entities, phone in (
        ("Alpha", None, "NL", 100, "NL01;US01", "1"),
        ("beta", "Alpha", "US", 50, "US01", None),
        ("Gamma_x", "beta", "US", 25, None, "3"),
        ("\u00c9mile 100%", None, None, None, "NL01", "4"),
    ):
        made[name] = admin.create(
            "Account",
            Name=name,
            ParentId=made.get(parent or ""),
            BillingCountryCode=country,
            AnnualRevenue=revenue,
            Legal_Entities__c=entities,
            Phone=phone,
        )
    for last, account in (("One", "Alpha"), ("Two", "Alpha"), ("Three", "beta")):
        made[last] = admin.create("Contact", LastName=last, AccountId=made[account])
    return made


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("Name = 'ALPHA'", "Alpha"),
        ("Name = '\u00e9MILE 100%'", "\u00c9mile 100%"),
        ("Name LIKE '\u00e9%'", "\u00c9mile 100%"),
        ("Name LIKE 'gamma\\_%'", "Gamma_x"),
        ("Name LIKE '%100\\%'", "\u00c9mile 100%"),
        ("Name LIKE '_eta'", "beta"),
        ("Name != 'Alpha' AND Phone != '3'", "beta \u00c9mile 100%"),
        ("Phone != '1'", "beta Gamma_x \u00c9mile 100%"),
        ("NOT Phone = '1'", "beta Gamma_x \u00c9mile 100%"),
        ("NOT (Phone = '1' OR Phone = null)", "Gamma_x \u00c9mile 100%"),
        ("Phone = ''", "beta"),
        ("Phone IN ('1', null)", "Alpha beta"),
        ("Phone NOT IN ('1', '3')", "beta \u00c9mile 100%"),
        ("Name IN ('\u00c9MILE 100%', 'BETA')", "beta \u00c9mile 100%"),
        ("AnnualRevenue > 25 AND AnnualRevenue <= 1e2", "Alpha beta"),
        ("AnnualRevenue = null OR AnnualRevenue < 26", "Gamma_x \u00c9mile 100%"),
        ("(AnnualRevenue = 25 OR AnnualRevenue = 50) AND BillingCountryCode = 'us'", "beta Gamma_x"),
        ("Parent.Parent.Name = 'alpha'", "Gamma_x"),
        ("Parent.Name = null", "Alpha \u00c9mile 100%"),
        ("Legal_Entities__c INCLUDES ('US01')", "Alpha beta"),
        ("Legal_Entities__c INCLUDES ('NL01;US01')", "Alpha"),
        ("Legal_Entities__c INCLUDES ('NL01;US01', 'US01')", "Alpha beta"),
        ("Legal_Entities__c EXCLUDES ('US01')", "Gamma_x \u00c9mile 100%"),
        ("Id IN (SELECT AccountId FROM Contact WHERE LastName LIKE 't%')", "Alpha beta"),
        ("Id NOT IN (SELECT ParentId FROM Account)", "Gamma_x \u00c9mile 100%"),
        ("ParentId IN (SELECT AccountId FROM Contact)", "beta Gamma_x"),
        ("ParentId NOT IN (SELECT AccountId FROM Contact WHERE LastName = 'One')", "Alpha Gamma_x \u00c9mile 100%"),
        ("CreatedDate = TODAY AND LastModifiedDate >= LAST_N_DAYS:1", "Alpha beta Gamma_x \u00c9mile 100%"),
        ("CreatedDate < YESTERDAY OR SystemModstamp > NEXT_WEEK", ""),
        ("SystemModstamp > 2020-01-01T00:00:00Z AND SystemModstamp < 2999-01-01T00:00:00.000+01:00", "Alpha beta Gamma_x \u00c9mile 100%"),
        ("CALENDAR_YEAR(CreatedDate) > 2020 AND DAY_ONLY(CreatedDate) = TODAY", "Alpha beta Gamma_x \u00c9mile 100%"),
        ("IsDeleted = false AND Owner.Username LIKE 'admin@%'", "Alpha beta Gamma_x \u00c9mile 100%"),
        ("Name = 'O\\'Neill' OR Name = '\\u0041lpha'", "Alpha"),
    ],
)  # fmt: skip
def test_where(admin: Any, world: dict[str, str], where: str, found: str) -> None:
    names = admin.column(f"SELECT Name FROM Account WHERE {where} ORDER BY CreatedDate, Id")
    assert " ".join(names) == found


def test_ids_in_any_form(admin: Any, world: dict[str, str]) -> None:
    record = world["Alpha"]
    for form in (record, record[:15], record.lower()):
        assert admin.column(f"SELECT Name FROM Account WHERE Id = '{form}'") == ["Alpha"]


def test_literals_are_compared_to_the_millisecond(admin: Any, world: dict[str, str]) -> None:
    [stamp] = set(admin.column("SELECT SystemModstamp FROM Contact LIMIT 1"))
    second = stamp[:19]
    for literal, operator, count in ((".000Z", "=", 1), (".001Z", ">=", 0), (".001Z", "<", 1), ("Z", ">=", 1)):
        text = f"SELECT COUNT() FROM Contact WHERE LastName = 'One' AND SystemModstamp {operator} {second}{literal}"
        assert admin.run(text)["totalSize"] == count


def test_paths_both_ways(admin: Any, world: dict[str, str]) -> None:
    text = (
        "SELECT Name, Parent.Name, Parent.Owner.Username, "
        "(SELECT LastName, Account.Name FROM Contacts ORDER BY LastName DESC LIMIT 1), (SELECT Id FROM ChildAccounts) "
        "FROM Account WHERE Name IN ('Alpha', 'beta') ORDER BY Name"
    )
    alpha, beta = admin.run(text)["records"]
    assert alpha["Parent"] is None
    assert alpha["Contacts"]["totalSize"] == 1
    assert alpha["Contacts"]["records"][0]["LastName"] == "Two"
    assert alpha["Contacts"]["records"][0]["Account"]["Name"] == "Alpha"
    assert beta["Parent"]["Name"] == "Alpha"
    assert beta["Parent"]["Owner"]["Username"] == "admin@accord.example"
    assert beta["Parent"]["attributes"]["url"].endswith(world["Alpha"])
    assert (
        admin.run("SELECT (SELECT Id FROM Contacts) FROM Account WHERE Name LIKE 'gamma%'")["records"][0]["Contacts"]
        is None
    )


def test_order(admin: Any, world: dict[str, str]) -> None:
    def ordered(by: str) -> list[Any]:
        return admin.column(f"SELECT AnnualRevenue FROM Account ORDER BY {by}")  # type: ignore[no-any-return]

    assert ordered("AnnualRevenue") == [None, 25.0, 50.0, 100.0]
    assert ordered("AnnualRevenue DESC NULLS LAST") == [100.0, 50.0, 25.0, None]
    assert ordered("AnnualRevenue DESC") == [None, 100.0, 50.0, 25.0]
    assert ordered("Name LIMIT 2 OFFSET 1") == [50.0, 25.0]


def test_aggregates(admin: Any, world: dict[str, str]) -> None:
    rows = admin.run(
        "SELECT BillingCountryCode c, COUNT(Id), SUM(AnnualRevenue) total, AVG(AnnualRevenue), MIN(Name), MAX(CreatedDate) "
        "FROM Account GROUP BY BillingCountryCode HAVING COUNT(Id) >= 1 ORDER BY SUM(AnnualRevenue) DESC NULLS LAST"
    )["records"]
    assert [(r["c"], r["expr0"], r["total"], r["expr1"], r["expr2"]) for r in rows] == [
        ("NL", 1, 100.0, 100.0, "Alpha"),
        ("US", 2, 75.0, 37.5, "beta"),
        (None, 1, None, None, "\u00c9mile 100%"),
    ]
    assert rows[0]["attributes"] == {"type": "AggregateResult"}
    assert rows[0]["expr3"].endswith("+0000")
    assert admin.run("SELECT COUNT() FROM Account WHERE Phone != null") == {"totalSize": 3, "done": True, "records": []}
    assert admin.run("SELECT COUNT_DISTINCT(BillingCountryCode) n FROM Account")["records"][0]["n"] == 2
    assert admin.run("SELECT COUNT(Id) n FROM Account WHERE Name = 'none'")["records"][0]["n"] == 0
    assert (
        admin.run("SELECT CALENDAR_YEAR(CreatedDate), COUNT(Id) FROM Account GROUP BY CALENDAR_YEAR(CreatedDate)")[
            "totalSize"
        ]
        == 1
    )


def test_fields_function_and_compounds(admin: Any, world: dict[str, str]) -> None:
    [record] = admin.run("SELECT FIELDS(ALL) FROM Account WHERE Name = 'Alpha' LIMIT 1")["records"]
    assert record["BillingAddress"]["countryCode"] == "NL"
    assert "Legal_Entities__c" in record
    [custom] = admin.run("SELECT FIELDS(CUSTOM) FROM Account WHERE Name = 'Alpha' LIMIT 1")["records"]
    assert all(name.endswith("__c") for name in custom if name != "attributes")
    with pytest.raises(ApiError, match="LIMIT"):
        admin.run("SELECT FIELDS(ALL) FROM Account")


def test_pages(admin: Any, org: Any) -> None:
    records = [{"attributes": {"type": "Account"}, "Name": f"{n:04}"} for n in range(450)]
    for start in range(0, 450, 150):
        admin.send("POST", "/composite/sobjects", {"records": records[start : start + 150]})
    page = admin.send(
        "GET",
        "/query?q=SELECT+Name,(SELECT+Id+FROM+Contacts)+FROM+Account+ORDER+BY+Name",
        sforce_query_options="batchSize=200",
    ).data
    assert (page["totalSize"], page["done"], len(page["records"])) == (450, False, 200)
    names = [record["Name"] for record in page["records"]]
    # What changes after the first page is fetched changes neither number nor order of what follows.
    admin.create("Account", Name="0000a")
    second = admin.send("GET", page["nextRecordsUrl"], sforce_query_options="batchSize=200").data
    assert [record["Name"] for record in second["records"]] == [f"{n:04}" for n in range(200, 400)]
    while not page["done"]:
        org.queries._cached.clear()  # as after a restart
        page = admin.send("GET", page["nextRecordsUrl"], sforce_query_options="batchSize=200").data
        names += [record["Name"] for record in page["records"]]
    assert names == [f"{n:04}" for n in range(450)]
    assert admin.refused("GET", "/query/01gnothing-2000") == (400, "INVALID_QUERY_LOCATOR")
    assert admin.refused("GET", "/query/..-1") == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("SELECT Nope FROM Account", "INVALID_FIELD", "\nSELECT Nope FROM Account\n       ^\nERROR at Row:1:Column:8\nNo such column"),
        ("SELECT Id FROM Nope", "INVALID_TYPE", "sObject type 'Nope' is not supported."),
        ("SELECT Id FROM ScratchOrgInfo", "INVALID_TYPE", "sObject type 'ScratchOrgInfo' is not supported."),
        ("SELECT Nope.Name FROM Account", "INVALID_FIELD", "Didn't understand relationship 'Nope' in field path."),
        ("SELECT (SELECT Id FROM Nopes) FROM Account", "INVALID_TYPE", "Didn't understand relationship 'Nopes'"),
        ("SELECT Id\nFROM Account\nWHERE Nope = 1", "INVALID_FIELD", "ERROR at Row:3:Column:7"),
        ("SELECT Id FROM Account WHERE", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT Id FROM Account WHERE Name", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT FROM Account", "MALFORMED_QUERY", "unexpected token: 'FROM'"),
        ("SELECT Id FROM Account WHERE Name = 'x", "MALFORMED_QUERY", "mismatched character"),
        ("SELECT Id FROM Account WHERE Name = 'a' AND Name = 'b' OR Name = 'c'", "MALFORMED_QUERY", "unexpected token: 'OR'"),
        ("SELECT Id FROM Account WHERE Name = '\\q'", "MALFORMED_QUERY", "Illegal string literal escape"),
        ("SELECT Id FROM Account WHERE Name = 5", "INVALID_FIELD", "must be of type string and should be enclosed in quotes"),
        ("SELECT Id FROM Account WHERE AnnualRevenue = '5'", "INVALID_FIELD", "of type double and should not be enclosed"),
        ("SELECT Id FROM Account WHERE IsDeleted = 'true'", "INVALID_FIELD", "must be of type boolean"),
        ("SELECT Id FROM Account WHERE CreatedDate = '2020-01-01'", "INVALID_FIELD", "must be of type dateTime"),
        ("SELECT Id FROM Account WHERE CreatedDate > NEVER", "MALFORMED_QUERY", "unexpected token"),
        ("SELECT Id FROM Account WHERE CreatedDate > LAST_N_YEARS:99999", "MALFORMED_QUERY", "unexpected token"),
        ("SELECT Id FROM Account WHERE Id = 'nonsense'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: nonsense"),
        ("SELECT Id FROM Account WHERE Name INCLUDES ('a')", "INVALID_QUERY_FILTER_OPERATOR", "multipicklist"),
        ("SELECT Id FROM Account WHERE Description = 'x'", "INVALID_FIELD", "can not be filtered"),
        ("SELECT Id FROM Account ORDER BY Description", "INVALID_FIELD", "can not be sorted"),
        ("SELECT Id, Id FROM Account", "INVALID_FIELD", "duplicate field selected: Id"),
        ("SELECT Name, COUNT(Id) FROM Account", "MALFORMED_QUERY", "Field must be grouped or aggregated: Name"),
        ("SELECT SUM(Name) FROM Account", "MALFORMED_QUERY", "does not support aggregate operator SUM"),
        ("SELECT Id FROM Account OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "2000"),
        ("SELECT TYPEOF Owner WHEN User THEN Id END FROM Account", "INVALID_FIELD", "Owner is not a polymorphic"),
        ("SELECT TYPEOF What THEN Id END FROM Task", "MALFORMED_QUERY", "unexpected token: 'THEN'"),
        ("SELECT TYPEOF What WHEN Account THEN Id FROM Task", "MALFORMED_QUERY", "unexpected token: 'FROM'"),
        ("SELECT TYPEOF What WHEN Contact THEN Id END FROM Task", "INVALID_TYPE", "Contact is no object What may refer to"),
        ("SELECT TYPEOF What WHEN Account THEN Id WHEN Account THEN Id END FROM Task", "INVALID_TYPE", "or was named before"),
        ("SELECT TYPEOF What WHEN Account THEN Nope END FROM Task", "INVALID_FIELD", "No such column 'Nope' on entity 'Account'"),
        ("SELECT What.Name, TYPEOF What WHEN Account THEN Id END FROM Task", "MALFORMED_QUERY", "can't be in the field list too"),
        ("SELECT COUNT(Id), TYPEOF What WHEN Account THEN Id END FROM Task", "MALFORMED_QUERY", "not allowed in an aggregate"),
        ("SELECT Id FROM Task WHERE Id IN (SELECT TYPEOF What WHEN Account THEN Id END FROM Task)", "MALFORMED_QUERY", "exactly one field"),
        ("SELECT Id FROM Account GROUP BY ROLLUP(Name)", "MALFORMED_QUERY", "not covered"),
        ("SELECT DISTANCE(Name) FROM Account", "MALFORMED_QUERY", "function distance is not covered"),
        ("DELETE FROM Account", "MALFORMED_QUERY", "unexpected token: 'DELETE'"),
        ("", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT Id FROM Account; DROP TABLE Account", "MALFORMED_QUERY", "unexpected token: ';'"),
    ],
)  # fmt: skip
def test_refused(admin: Any, text: str, code: str, words: str) -> None:
    with pytest.raises(ApiError) as caught:
        admin.run(text)
    assert (caught.value.status, caught.value.code) == (400, code)
    assert words in caught.value.message


def test_nesting_has_an_end() -> None:
    for text in (
        "SELECT Id FROM A WHERE " + "(" * 5000,
        "SELECT " + "F(" * 5000,
        "SELECT Id FROM A WHERE " + "NOT " * 5000,
    ):
        with pytest.raises(ApiError, match="nested too deeply"):
            parse(text)


@pytest.mark.parametrize(
    ("literal", "first", "after"),
    [
        ("TODAY", "2024-03-15", "2024-03-16"),
        ("YESTERDAY", "2024-03-14", "2024-03-15"),
        ("TOMORROW", "2024-03-16", "2024-03-17"),
        ("THIS_WEEK", "2024-03-10", "2024-03-17"),
        ("LAST_WEEK", "2024-03-03", "2024-03-10"),
        ("NEXT_MONTH", "2024-04-01", "2024-05-01"),
        ("LAST_QUARTER", "2023-10-01", "2024-01-01"),
        ("THIS_YEAR", "2024-01-01", "2025-01-01"),
        ("LAST_90_DAYS", "2023-12-16", "2024-03-16"),
        ("LAST_N_DAYS:3", "2024-03-12", "2024-03-16"),
        ("NEXT_N_DAYS:3", "2024-03-16", "2024-03-19"),
        ("N_DAYS_AGO:3", "2024-03-12", "2024-03-13"),
        ("LAST_N_MONTHS:2", "2024-01-01", "2024-03-01"),
        ("NEXT_N_YEARS:1", "2025-01-01", "2026-01-01"),
        ("N_WEEKS_AGO:1", "2024-03-03", "2024-03-10"),
        ("LAST_FISCAL_YEAR", "2023-01-01", "2024-01-01"),
    ],
)
def test_date_literals(literal: str, first: str, after: str) -> None:
    friday = date(2024, 3, 15)
    assert period(literal, friday) == (date.fromisoformat(first), date.fromisoformat(after))


@pytest.fixture
def tasks(admin: Any, world: dict[str, str]) -> dict[str, str]:
    """Four tasks: of an account, of a product, of a contact, of nothing."""
    product = admin.create("Product2", Name="Pump", ProductCode="P-1")
    admin.create("Task", Subject="1", WhatId=world["beta"])
    admin.create("Task", Subject="2", WhatId=product)
    admin.create("Task", Subject="3", WhoId=world["One"])
    admin.create("Task", Subject="4")
    return {**world, "Pump": product}


def test_typeof_selects_by_what_a_reference_points_to(admin: Any, tasks: dict[str, str]) -> None:
    text = (
        "SELECT Subject, TYPEOF What WHEN Account THEN Name, Parent.Name WHEN Opportunity THEN Amount ELSE Name, Type END, "
        "TYPEOF t.Who WHEN contact THEN LastName END FROM Task t ORDER BY Subject"
    )
    one, two, three, four = admin.run(text)["records"]
    where = "/services/data/v62.0/sobjects"
    assert one["What"] == {
        "attributes": {"type": "Account", "url": f"{where}/Account/{tasks['beta']}"},
        "Name": "beta",
        "Parent": {"attributes": {"type": "Account", "url": f"{where}/Account/{tasks['Alpha']}"}, "Name": "Alpha"},
    }
    assert two["What"] == {
        "attributes": {"type": "Name", "url": f"{where}/Product2/{tasks['Pump']}"},
        "Name": "Pump",
        "Type": "Product2",
    }
    assert three["Who"] == {
        "attributes": {"type": "Contact", "url": f"{where}/Contact/{tasks['One']}"},
        "LastName": "One",
    }
    assert (one["Who"], three["What"], four["What"], four["Who"]) == (None, None, None, None)


def test_typeof_without_else_leaves_others_empty(admin: Any, tasks: dict[str, str]) -> None:
    text = "SELECT TYPEOF What WHEN Opportunity THEN Amount WHEN Account THEN Phone END FROM Task ORDER BY Subject"
    assert [record["What"] and record["What"].get("Phone", "") for record in admin.run(text)["records"]] == [None] * 4
    assert admin.run(text)["records"][0]["What"] is not None
    assert admin.run(text)["records"][1]["What"] is None
    text = "SELECT Name, (SELECT TYPEOF What WHEN Account THEN Name END FROM Tasks) FROM Account WHERE Name = 'beta'"
    assert admin.run(text)["records"][0]["Tasks"]["records"][0]["What"]["Name"] == "beta"
    columns = admin.send("GET", "/query?columns=true&q=SELECT+TYPEOF+What+WHEN+Account+THEN+Name+END+FROM+Task").data
    assert [column["columnName"] for column in columns["columnMetadata"]] == ["What.Name"]
    body = {"operation": "query", "query": "SELECT TYPEOF What WHEN Account THEN Name END FROM Task"}
    assert admin.refused("POST", "/jobs/query", body) == (400, "API_ERROR")
