# ruff: noqa: S608 - the statements are SOQL made of the test's own words
"""What fields accept, what they store, and how they refuse."""

from typing import Any

import pytest

LONG = "x" * 256


@pytest.mark.parametrize(
    ("field", "given", "stored"),
    [
        ("Name", "  Acme\t\n", "Acme"),
        ("Name", "\u00a0Acme\u00a0", "\u00a0Acme\u00a0"),
        ("Name", "=1+1", "=1+1"),
        (
            "Name",
            'O\'Neill "Sons" \\ \u05e9\u05dc\u05d5\u05dd \U0001f600',
            'O\'Neill "Sons" \\ \u05e9\u05dc\u05d5\u05dd \U0001f600',
        ),
        ("AccountNumber", "007", "007"),
        ("Phone", "", None),
        ("Phone", "   ", None),
        ("Description", "one\r\ntwo", "one\r\ntwo"),
        ("AnnualRevenue", 12.5, 13.0),
        ("AnnualRevenue", "1e3", 1000.0),
        ("AnnualRevenue", "12.5", 13.0),
        ("AnnualRevenue", "0042", 42.0),
        ("AnnualRevenue", -0.2, 0.0),
        ("NumberOfEmployees", 7, 7),
        ("Legal_Entities__c", "US01;NL01;US01", "NL01;US01"),
        ("Legal_Entities__c", ";", None),
        ("Type", "Anything", "Anything"),
        ("CurrencyIsoCode", "USD", "USD"),
    ],
)
def test_stored_value(admin: Any, field: str, given: Any, stored: Any) -> None:
    record = admin.create("Account", **{"Name": "A", field: given})
    value = admin.send("GET", f"/sobjects/Account/{record}?fields={field}").data[field]
    assert value == stored
    assert type(value) is type(stored)
    # A negative zero would be another text in a result file.
    assert str(value) == str(stored)


@pytest.mark.parametrize(
    ("obj", "field", "given", "code"),
    [
        ("Account", "Name", LONG, "STRING_TOO_LONG"),
        ("Account", "Name", "\U0001f600" * 128, "STRING_TOO_LONG"),
        ("Account", "Name", 5, "JSON_PARSER_ERROR"),
        ("Account", "Name", None, "REQUIRED_FIELD_MISSING"),
        ("Account", "Name", "  ", "REQUIRED_FIELD_MISSING"),
        ("Account", "Legal_Entities__c", "NL01;XX", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ("Account", "ERP_Sync_Status__c", "synced", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ("Account", "CurrencyIsoCode", "XXX", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ("Account", "AnnualRevenue", 1e18, "NUMBER_OUTSIDE_VALID_RANGE"),
        ("Account", "AnnualRevenue", "1e999999999", "NUMBER_OUTSIDE_VALID_RANGE"),
        ("Account", "AnnualRevenue", "many", "JSON_PARSER_ERROR"),
        ("Account", "AnnualRevenue", True, "JSON_PARSER_ERROR"),
        ("Account", "NumberOfEmployees", 100_000_000, "NUMBER_OUTSIDE_VALID_RANGE"),
        ("Account", "NumberOfEmployees", "100000000", "NUMBER_OUTSIDE_VALID_RANGE"),
        ("Account", "ParentId", "nonsense", "MALFORMED_ID"),
        ("Account", "ParentId", "003gK0000000001QAA", "FIELD_INTEGRITY_EXCEPTION"),
        ("Account", "ParentId", "001gK0000000099QAB", "MALFORMED_ID"),
        ("Account", "ParentId", "001gK00000009zz", "INVALID_CROSS_REFERENCE_KEY"),
        ("Account", "SystemModstamp", "2020-01-01T00:00:00Z", "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ("Account", "ERP_Accounts__c", 1, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ("Account", "Nonsense__c", 1, "INVALID_FIELD"),
        ("Account", "BillingCountryCode", "XX", "FIELD_INTEGRITY_EXCEPTION"),
        ("Account", "BillingCountry", "Atlantis", "FIELD_INTEGRITY_EXCEPTION"),
        ("Account", "BillingState", "Texas", "FIELD_INTEGRITY_EXCEPTION"),
        ("Contact", "Email", "no mail", "INVALID_EMAIL_ADDRESS"),
        ("Contact", "Birthdate", "2026-02-30", "JSON_PARSER_ERROR"),
        ("Contact", "Birthdate", "1699-12-31", "NUMBER_OUTSIDE_VALID_RANGE"),
        ("Contact", "DoNotCall", None, "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ("Contact", "DoNotCall", "maybe", "JSON_PARSER_ERROR"),
    ],
)
def test_refused_value(admin: Any, obj: str, field: str, given: Any, code: str) -> None:
    assert admin.refused(
        "POST", f"/sobjects/{obj}", {"Name" if obj == "Account" else "LastName": "A", field: given}
    ) == (
        400,
        code,
    )
    assert admin.run(f"SELECT COUNT() FROM {obj}")["totalSize"] == 0


def test_country_and_name_keep_in_step(admin: Any) -> None:
    fields = "BillingCountry, BillingCountryCode, BillingState, BillingStateCode"
    record = admin.create("Account", Name="A", BillingCountryCode="us", BillingStateCode="TX")

    def address() -> list[Any]:
        [found] = admin.run(f"SELECT {fields} FROM Account WHERE Id = '{record}'")["records"]
        return [found[name] for name in fields.split(", ")]

    assert address() == ["United States", "US", "Texas", "TX"]
    admin.send("PATCH", f"/sobjects/Account/{record}", {"BillingState": "new york"})
    assert address() == ["United States", "US", "New York", "NY"]
    admin.send("PATCH", f"/sobjects/Account/{record}", {"BillingCountry": "Netherlands", "BillingStateCode": None})
    assert address() == ["Netherlands", "NL", None, None]
    admin.send("PATCH", f"/sobjects/Account/{record}", {"BillingCountryCode": None})
    assert address() == [None, None, None, None]


def test_person_name_is_made_of_its_parts(admin: Any) -> None:
    record = admin.create("Contact", FirstName="Jo", LastName="Doe")
    admin.send("PATCH", f"/sobjects/Contact/{record}", {"FirstName": None})
    assert admin.column("SELECT Name FROM Contact") == ["Doe"]


def test_dates_at_the_edges(admin: Any) -> None:
    for given in ("1700-01-01", "4000-12-31", "2024-02-29"):
        record = admin.create("Contact", LastName="A", Birthdate=given)
        assert admin.column(f"SELECT Birthdate FROM Contact WHERE Id = '{record}'") == [given]
