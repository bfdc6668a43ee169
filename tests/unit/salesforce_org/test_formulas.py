"""Formula fields and validation rules of the metadata."""

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sandbox.salesforce.org import Org, Settings
from sandbox.salesforce.schema.formula import field_sql
from sandbox.salesforce.schema.formula_functions import FormulaError
from sandbox.salesforce.schema.model import Field, FieldType
from tests.unit.salesforce_org.conftest import METADATA, Api

_XML = '<?xml version="1.0" encoding="UTF-8"?><{0} xmlns="http://soap.sforce.com/2006/04/metadata">{1}</{0}>'
TEXT, NUMBER, FLAG, DAY = FieldType.STRING, FieldType.DOUBLE, FieldType.BOOLEAN, FieldType.DATE


def _write(root: Path, obj: str, folder: str, kind: str, tag: str, **values: str) -> None:
    path = root / f"force-app/main/default/objects/{obj}/{folder}/{values['fullName']}.{kind}-meta.xml"
    path.parent.mkdir(parents=True, exist_ok=True)
    body = "".join(f"<{key}><![CDATA[{value}]]></{key}>" for key, value in values.items())
    path.write_text(_XML.format(tag, body), encoding="utf-8")


def formula_field(root: Path, obj: str, name: str, type: str, formula: str, **more: str) -> None:
    _write(root, obj, "fields", "field", "CustomField", fullName=name, type=type, formula=formula, **more)


def rule(root: Path, obj: str, name: str, condition: str, **more: str) -> None:
    values = {"active": "true", "errorConditionFormula": condition, "errorMessage": f"{name} holds", **more}
    _write(root, obj, "validationRules", "validationRule", "ValidationRule", fullName=name, **values)


@pytest.fixture(scope="module")
def metadata(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("project") / "metadata"
    shutil.copytree(METADATA, root)
    formula_field(root, "Opportunity", "Days_Left__c", "Number", "CloseDate - TODAY()", precision="18", scale="0")
    formula_field(root, "Opportunity", "Late__c", "Checkbox", "AND(Days_Left__c < 0, NOT(IsClosed))")
    formula_field(root, "Opportunity", "Customer__c", "Text", 'Account.Name & " (" & Account.BillingCountryCode & ")"')
    formula_field(root, "Opportunity", "Share__c", "Percent", "Probability / 2", precision="18", scale="1")
    rule(root, "Opportunity", "Big_Needs_Step", "Amount > 1000 && ISBLANK(NextStep)", errorDisplayField="NextStep")
    rule(root, "Opportunity", "No_Way_Back", "PRIORVALUE(IsWon) && NOT(ISNEW()) && ISCHANGED(StageName)")
    rule(root, "Opportunity", "Asleep", "true", active="false")
    rule(root, "Opportunity", "Abroad", 'Account.BillingCountryCode = "US"')
    return root


@pytest.fixture
def org(metadata: Path, tmp_path: Path) -> Iterator[Org]:
    made = Org(Settings(data=tmp_path / "org.sqlite", metadata=metadata))
    made.open()
    yield made
    made.close()


def opportunity(admin: Api, **values: Any) -> str:
    return admin.create("Opportunity", **{"Name": "O", "StageName": "Prospecting", "CloseDate": "2026-03-10", **values})


def test_formula_fields_are_computed_when_read(org: Org, admin: Api) -> None:
    admin.send("POST", "/sandbox/clock", {"at": "2026-03-01T12:00:00+00:00"})
    account = admin.create("Account", Name="Acme", BillingCountryCode="NL")
    record = opportunity(admin, AccountId=account, Probability=25)
    wanted = "Days_Left__c, Late__c, Customer__c, Share__c, SystemModstamp"
    query = f"SELECT {wanted} FROM Opportunity WHERE Days_Left__c < 20 ORDER BY Late__c, Customer__c"  # noqa: S608
    [found] = admin.run(query)["records"]
    assert [found[name] for name in wanted.split(", ")[:4]] == [9.0, False, "Acme (NL)", 12.5]
    admin.send("POST", "/sandbox/clock", {"at": "2026-03-12T12:00:00+00:00"})
    [later] = admin.run(query)["records"]
    assert (later["Days_Left__c"], later["Late__c"]) == (-2.0, True)
    assert later["SystemModstamp"] == found["SystemModstamp"]  # it changed without the record
    assert admin.run("SELECT Late__c, COUNT(Id) n FROM Opportunity GROUP BY Late__c")["records"][0]["n"] == 1
    assert admin.send("GET", f"/sobjects/Opportunity/{record}").data["Customer__c"] == "Acme (NL)"
    assert admin.refused("PATCH", f"/sobjects/Opportunity/{record}", {"Late__c": True}) == (
        400,
        "INVALID_FIELD_FOR_INSERT_UPDATE",
    )
    described = {f["name"]: f for f in admin.send("GET", "/sobjects/Opportunity/describe").data["fields"]}
    assert described["Late__c"]["calculated"]
    assert described["Days_Left__c"]["calculatedFormula"] == "CloseDate - TODAY()"
    assert not described["Late__c"]["updateable"]


def test_validation_rules_refuse_records(admin: Api) -> None:
    answer = admin.send(
        "POST",
        "/sobjects/Opportunity",
        {"Name": "O", "StageName": "Prospecting", "CloseDate": "2026-03-10", "Amount": 2000},
    )
    assert (answer.status, answer.data) == (
        400,
        [
            {
                "message": "Big_Needs_Step holds",
                "errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION",
                "fields": ["NextStep"],
            }
        ],
    )
    record = opportunity(admin, Amount=2000, NextStep="call")
    path, code = f"/sobjects/Opportunity/{record}", (400, "FIELD_CUSTOM_VALIDATION_EXCEPTION")
    assert admin.refused("PATCH", path, {"NextStep": None}) == code
    assert admin.send("PATCH", path, {"Amount": 500, "NextStep": None}).status == 204
    assert admin.send("PATCH", path, {"StageName": "Closed Won"}).status == 204
    assert admin.send("PATCH", path, {"Name": "P"}).status == 204
    assert admin.refused("PATCH", path, {"StageName": "Prospecting"}) == code
    abroad = admin.create("Account", Name="A", BillingCountryCode="US")
    assert admin.refused("PATCH", path, {"AccountId": abroad}) == code
    rows = [{"attributes": {"type": "Opportunity"}, "Id": record, "AccountId": abroad}]
    [result] = admin.send("PATCH", "/composite/sobjects", {"records": rows}).data
    assert result["errors"][0]["message"] == "Abroad holds"


@pytest.mark.parametrize(
    ("formula", "type", "expected"),
    [
        ("1 + 2 * 3 - 4 / 2", NUMBER, 5.0),
        ("(1 + 2) * 3 ^ 2", NUMBER, 27.0),
        ("-AnnualRevenue + 0.5", NUMBER, -12.0),
        ("NumberOfEmployees + 1", NUMBER, 1.0),  # a blank number is zero
        ("ROUND(2.345, 2) + ABS(-1) + FLOOR(1.9) + CEILING(1.1) + MOD(7, 4)", NUMBER, 9.35),
        ("MIN(3, 1, 2) + MAX(3, 1, 2)", NUMBER, 4.0),
        ("LEN(Name) + VALUE('3')", NUMBER, 7.0),
        ('Name & "-" & TEXT(AnnualRevenue) & TEXT(3)', TEXT, "Acme-12.53"),
        ('LEFT(Name, 2) + RIGHT(Name, 2) + MID(Name, 2, 2) & UPPER("x") & LOWER("Y")', TEXT, "AcmecmXy"),
        ('SUBSTITUTE(TRIM("  a\\"b "), "a", "c")', TEXT, 'c"b'),
        ('IF(ISBLANK(Phone), "none", Phone)', TEXT, "none"),
        ('BLANKVALUE(Phone, "n/a")', TEXT, "n/a"),
        ('CASE(BillingCountryCode, "NL", "Dutch", "DE", "German", "other")', TEXT, "Dutch"),
        ('ISPICKVAL(Industry, "Banking") || CONTAINS(Name, "cm")', FLAG, 1),
        ('Phone = "" && Phone <> "1" && NOT(BEGINS(Name, "acme"))', FLAG, 1),
        ('INCLUDES(Legal_Entities__c, "NL01") && !INCLUDES(Legal_Entities__c, "NL")', FLAG, 1),
        ("NULL = 1 /* a remark */ || FALSE", FLAG, 0),
        ("DATE(2026, 2, 28) + 1", DAY, "2026-03-01"),
        ("DATE(2026, 3, 1) - DATE(2026, 2, 27)", NUMBER, 2.0),
        ("ADDMONTHS(DATE(2026, 1, 31), 1)", DAY, "2026-02-28"),
        ("ADDMONTHS(DATE(2026, 2, 28), 1)", DAY, "2026-03-31"),
        ("ADDMONTHS(DATE(2026, 1, 15), -2)", DAY, "2025-11-15"),
        ("YEAR(TODAY()) * 10000 + MONTH(TODAY()) * 100 + DAY(TODAY())", NUMBER, 20260301.0),
        ("Owner.Username", TEXT, "admin@accord.example"),
        ("Parent.Name", TEXT, None),
        ("LEN(Id)", NUMBER, 15.0),
        ("DATEVALUE(CreatedDate) <= DATE(2999, 1, 1)", FLAG, 1),
    ],
)
def test_expressions(org: Org, admin: Api, formula: str, type: FieldType, expected: Any) -> None:
    admin.create("Account", Name="Acme", BillingCountryCode="NL", Legal_Entities__c="GB01;NL01")
    org.store.connection.execute('UPDATE "Account" SET AnnualRevenue = 12.5')
    account = org.schema.objects["account"]
    field = Field(name="F__c", label="F", type=type, formula=formula, scale=2)
    sql = field_sql(org.schema, account, field, "t", date(2026, 3, 1))
    assert org.store.connection.execute(f'SELECT {sql} FROM "Account" t').fetchone()[0] == expected  # noqa: S608


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("VLOOKUP(1)", "VLOOKUP is not covered"),
        ("Nope__c", "no field Nope__c"),
        ("Nope__r.Name", "no relationship Nope__r"),
        ("IF(1, 2, 3)", "a condition is expected"),
        ("1 +", "the end is not expected"),
        ("1 2", "2 is not expected"),
        ("ROUND(1)", "ROUND does not take 1"),
        ("Name * 2", "text \\* number is not covered"),
        ("ISCHANGED(Name)", "validation rules only"),
        ("F__c", "no field F__c"),
        ("#", "'#' is not understood"),
    ],
)
def test_formulas_the_org_cannot_do_are_refused_by_name(org: Org, formula: str, message: str) -> None:
    field = Field(name="F__c", label="F", type=NUMBER, formula=formula)
    with pytest.raises(FormulaError, match=message):
        field_sql(org.schema, org.schema.objects["account"], field, "t", date(2026, 3, 1))


def test_an_org_with_a_formula_it_cannot_do_does_not_start(metadata: Path, tmp_path: Path) -> None:
    root = shutil.copytree(metadata, tmp_path / "metadata")
    formula_field(root, "Account", "Round__c", "Number", "Round__c + 1")
    with pytest.raises(FormulaError, match=r"Account\.Round__c: Round__c is made of itself"):
        Org(Settings(data=tmp_path / "org.sqlite", metadata=root))
    formula_field(root, "Account", "Round__c", "Number", "1")
    rule(root, "Account", "Odd", "REGEX(Name, 'x')")
    with pytest.raises(FormulaError, match=r"validation rule Account\.Odd: the function REGEX"):
        Org(Settings(data=tmp_path / "org.sqlite", metadata=root))
