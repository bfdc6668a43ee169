"""Salesforce's rows as canonical customers."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest

from accord.objects import CUSTOMER
from accord.objects.definition import BusinessObject, Field, Instant, Money, Number, Owner
from accord.records import content_hash, schema_of
from accord.systems.salesforce.canonical import to_canonical
from accord.systems.salesforce.columns import from_records
from accord.systems.salesforce.mapping import Reading, parts_of
from accord.systems.salesforce.mappings import readings_of

READING = readings_of(CUSTOMER)[0]
AT = datetime(2026, 11, 20, 10, tzinfo=UTC)
READ = AT + timedelta(hours=1)


def staged(accounts, contacts=()):
    """A staged chunk: what a row leaves out is null, not deleted, modified at AT."""
    defaults = {"IsDeleted": False, "SystemModstamp": AT}
    parts = parts_of(READING, CUSTOMER)
    return {
        part: pa.Table.from_pylist([defaults | row for row in rows], schema=pa.schema(list(parts[part].items())))
        for part, rows in (("Account", accounts), ("Contact", contacts))
    }


def canonical(accounts, contacts=()):
    table = to_canonical("salesforce", CUSTOMER, READING, staged(accounts, contacts), READ)
    assert table.drop_columns(["problems"]).schema.equals(schema_of(CUSTOMER))
    return table.to_pylist()


def test_a_whole_customer():
    (row,) = canonical(
        [
            {"Id": "001A", "Name": "  Acme  B.V. ", "Legal_Name__c": "", "ParentId": "001P", "CurrencyIsoCode": "EUR",
             "Legal_Entities__c": "US01;NL01", "Phone": "0031", "BillingStreet": "Kade 1\n2e etage", "BillingCountryCode": "NL",
             "BillingState": "Zuid-Holland", "ShippingCity": "Gent", "ShippingCountryCode": "BE"},
        ],
        [{"Id": "003A", "AccountId": "001A", "LastName": "Jansen", "Email": "j@example.com"}],
    )  # fmt: skip
    assert row["key"] == "salesforce:001A"
    assert (row["version"], row["read_at"], row["gone"], row["merged_into"]) == (AT, READ, False, None)
    assert (row["name"], row["legal_name"], row["parent"]) == ("Acme  B.V.", None, "salesforce:001P")
    assert (row["country"], row["currency"], row["legal_entities"]) == ("NL", "EUR", ["NL01", "US01"])
    assert row["phone"] == "0031"
    bill_to, ship_to = row["addresses"]
    assert bill_to == {"role": "bill_to", "street": "Kade 1\n2e etage", "city": None, "region": "Zuid-Holland",
                       "postal_code": None, "country": "NL"}  # fmt: skip
    assert (ship_to["role"], ship_to["city"], ship_to["country"]) == ("ship_to", "Gent", "BE")
    (contact,) = row["contacts"]
    assert (contact["id"], contact["last_name"], contact["email"]) == ("salesforce:003A", "Jansen", "j@example.com")
    assert row["problems"] == []


def test_an_address_exists_when_any_part_is_set():
    rows = canonical([{"Id": "1"}, {"Id": "2", "ShippingPostalCode": "0001"}, {"Id": "3", "BillingCity": "  "}, {"Id": "4",
                     "BillingCity": "x", "ShippingCity": "y"}])  # fmt: skip
    assert [[a["role"] for a in row["addresses"]] for row in rows] == [[], ["ship_to"], [], ["bill_to", "ship_to"]]
    assert [[a["city"] for a in row["addresses"]] for row in rows] == [[], [None], [], ["x", "y"]]


def test_only_live_contacts_of_the_root_in_the_order_of_their_ids():
    later = AT + timedelta(minutes=5)
    contacts = [
        {"Id": "003C", "AccountId": "001B", "LastName": "c"},
        {"Id": "003B", "AccountId": "001A", "LastName": "b"},
        {"Id": "003A", "AccountId": "001A", "LastName": "old"},
        {"Id": "003A", "AccountId": "001A", "LastName": "new", "SystemModstamp": later},
        {"Id": "003D", "AccountId": "001B", "LastName": "gone", "IsDeleted": True, "SystemModstamp": later},
        {"Id": "003E", "AccountId": "001Z", "LastName": "of nobody here"},
    ]
    rows = canonical([{"Id": "001B"}, {"Id": "001A"}, {"Id": "001C"}, {"Id": "001B"}], contacts)
    assert [[c["last_name"] for c in row["contacts"]] for row in rows] == [["c"], ["new", "b"], [], ["c"]]
    # a contact that was changed or deleted makes a newer version of its root
    assert [row["version"] for row in rows] == [later, later, AT, later]


def test_a_contact_deleted_in_its_newest_version_is_not_live():
    contacts = [
        {"Id": "003A", "AccountId": "001A", "LastName": "a"},
        {"Id": "003A", "AccountId": "001A", "LastName": "a", "IsDeleted": True, "SystemModstamp": AT + timedelta(1)},
    ]
    assert canonical([{"Id": "001A"}], contacts)[0]["contacts"] == []


def test_deleted_and_merged():
    rows = canonical(
        [{"Id": "1", "IsDeleted": True}, {"Id": "2", "IsDeleted": True, "MasterRecordId": "3"}, {"Id": "3"}]
    )
    assert [(r["gone"], r["merged_into"]) for r in rows] == [(True, None), (True, "salesforce:3"), (False, None)]


def test_what_cant_be_converted_becomes_null_with_a_reason_and_without_the_value():
    rows = canonical(
        [
            {
                "Id": "1",
                "Name": "a",
                "BillingCountryCode": "Zz",
                "CurrencyIsoCode": "XXX",
                "Legal_Entities__c": "NL01;Mars",
            },
            {"Id": "2", "Name": "b", "BillingCountryCode": "NL", "Legal_Entities__c": "Venus"},
            {"Id": "3", "Name": "c"},
        ]
    )
    assert rows[0]["problems"] == [
        "country: not a known code",
        "currency: not a known code",
        "legal_entities: not a known code",
        "addresses.country: not a known code",
    ]
    assert (rows[0]["country"], rows[0]["currency"], rows[0]["legal_entities"]) == (None, None, ["NL01"])
    assert (rows[1]["problems"], rows[1]["legal_entities"]) == (["legal_entities: not a known code"], None)
    assert rows[2]["problems"] == []


def test_a_chunk_without_contacts_and_one_without_roots():
    chunk = staged([{"Id": "1", "Name": "a"}])
    del chunk["Contact"]
    assert to_canonical("salesforce", CUSTOMER, READING, chunk, READ).to_pylist()[0]["contacts"] == []
    assert canonical([]) == []


@pytest.mark.parametrize("name", ["007", "=SUM(A1)", "'; DROP", "𝄞 شركة", "#N/A", "NULL", "a\r\nb", "x" * 255])
def test_text_comes_through_as_it_is(name):
    assert canonical([{"Id": "1", "Name": name}])[0]["name"] == name


def test_the_order_of_contacts_read_does_not_change_the_content():
    contacts = [{"Id": f"003{n:03}", "AccountId": "1", "LastName": f"n{n}"} for n in range(20)]
    names = [f.name for f in CUSTOMER.fields] + [c.name for c in CUSTOMER.constituents]
    one, other = (
        content_hash(CUSTOMER, to_canonical("salesforce", CUSTOMER, READING, staged([{"Id": "1"}], order), READ), names)
        for order in (contacts, contacts[::-1])
    )
    assert one.equals(other)


def test_numbers_and_instants_keep_their_exactness():
    kinds = {"price": Money(scale=4), "quantity": Number(), "at": Instant()}
    fields = tuple(Field(name=n, type=kind, owner=Owner.SALESFORCE, meaning=n) for n, kind in kinds.items())
    definition = BusinessObject(name="thing", version=1, meaning="A thing.", fields=fields)
    reading = Reading(object="thing", sobject="Thing", fields={"price": "P__c", "quantity": "Q__c", "at": "At__c"})
    columns = parts_of(reading, definition)["Thing"]
    record = {"Id": "a01", "IsDeleted": False, "SystemModstamp": "2026-11-20T10:00:00.000+0000", "P__c": Decimal("0.0001"),
              "Q__c": Decimal("12345678901234.5"), "At__c": "2026-03-01T12:30:15.000+0000"}  # fmt: skip
    (row,) = to_canonical(
        "salesforce", definition, reading, {"Thing": from_records([record], columns)}, READ
    ).to_pylist()
    assert (row["price"], row["quantity"]) == (Decimal("0.0001"), Decimal("12345678901234.5000"))
    assert row["at"] == datetime(2026, 3, 1, 12, 30, 15, tzinfo=UTC)
