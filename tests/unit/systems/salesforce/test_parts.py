"""Parts and references as Salesforce keeps them: what is equal, and where a reference's key is found."""

from decimal import Decimal

import pytest

from accord.objects.definition import Reference
from accord.systems.salesforce import mappings
from accord.systems.salesforce.collapsing import collapsed
from accord.systems.salesforce.references import key_path, missing
from tests.contract.salesforce_documents import DOCUMENT, NOTES, WRITINGS
from tests.tables import canonical, changes

LINE = {"number": "1", "item": "tryton:1", "text": "  ", "quantity": Decimal("1.0000"), "weight": Decimal("3.0000")}


def one(definition, **values):
    (row,) = collapsed(
        definition, WRITINGS[definition.name], canonical(definition, [{"key": "a"} | values])
    ).to_pylist()
    return row


def test_what_salesforce_has_no_place_for_in_a_part_does_not_count():
    (line,) = one(DOCUMENT, lines=[LINE])["lines"]
    assert (line["text"], line["done"], line["weight"]) == (None, False, None)
    assert (line["number"], line["quantity"]) == ("1", Decimal("1.0000"))
    assert one(DOCUMENT, lines=[])["lines"] is None


def test_what_the_pipeline_adds_to_parts_survives():
    rows = [{"key": "a", "lines": [LINE | {"item__native": "a01"}, LINE | {"number": "2"}]}, {"key": "b"}]
    table = collapsed(DOCUMENT, WRITINGS["test_document"], changes(DOCUMENT, rows))
    first, second = table["lines"].to_pylist()
    assert [line["item__native"] for line in first] == ["a01", None]
    assert second is None


def test_a_part_of_its_own_that_says_nothing_is_none():
    people = [
        {"id": "salesforce:1", "title": " ", "silent": False},
        {"id": "salesforce:2", "title": None, "silent": True},
    ]
    assert [part["id"] for part in one(NOTES, people=people)["people"]] == ["salesforce:2"]


def test_decimals_are_as_exact_as_the_field_they_go_to():
    row = one(DOCUMENT, share=Decimal("12.3450"), rate=Decimal("12.3450"))
    assert (row["share"], row["rate"]) == (Decimal("12.3500"), Decimal("12.3450"))


@pytest.mark.parametrize(
    ("object_name", "column", "path"),
    [
        ("test_item", "Item__c", "Item__r.Key__c"),
        ("test_item", "Item2Id", "Item2.Key__c"),
        ("customer", "AccountId", None),
        ("test_account_notes", "Account__c", None),
    ],
)
def test_where_the_key_of_a_reference_is(monkeypatch, object_name, column, path):
    for name, writing in WRITINGS.items():
        monkeypatch.setitem(mappings.WRITINGS, name, writing)
    assert key_path(Reference(object=object_name), column) == path


def test_what_waits_for_a_reference():
    rows = [
        {"key": "a", "customer": "salesforce:1", "customer__native": "1"},
        {"key": "b", "customer": "salesforce:2", "customer__native": None},
        {"key": "c", "customer": None, "item": "tryton:3"},
    ]
    held = missing(DOCUMENT.fields, changes(DOCUMENT, rows))
    assert {at: outcome.awaits for at, outcome in held.items()} == {1: "salesforce:2", 2: "tryton:3"}
