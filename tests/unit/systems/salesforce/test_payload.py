"""What is sent: exact numbers, null told from empty, boxes never null."""

import csv
import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa

from accord.objects import CUSTOMER_ACCOUNT, CUSTOMER_STATUS
from accord.objects.definition import Day, Field, Instant, Money, Number, Owner
from accord.records import INSTANT
from accord.systems.salesforce.collapsing import collapsed
from accord.systems.salesforce.mappings import writing_of
from accord.systems.salesforce.payload import Group, as_csv, as_json, columns_of, constants, unspeakable
from tests.tables import canonical, changes

WRITING = writing_of(CUSTOMER_ACCOUNT)
ROWS = [
    {"key": "tryton:NL01/1", "customer": "salesforce:001A", "customer__native": "001A", "legal_name": 'Ab "c"\n𝄞, d',
     "balance": Decimal("9007199254740993.01"), "overdue": Decimal("0.00"), "risk": "Low", "risk_level": 0,
     "credit_hold": True},
    {"key": "tryton:NL01/2", "customer": "salesforce:001B", "customer__native": None, "balance": None, "active": None},
]  # fmt: skip


def group(rows=ROWS):
    names = CUSTOMER_ACCOUNT.sent_by(Owner.ERP, creating=True) & WRITING.fields.keys()
    fields = [(CUSTOMER_ACCOUNT.field(name), WRITING.fields[name]) for name in names]
    columns, kept = columns_of(fields, changes(CUSTOMER_ACCOUNT, rows))
    keys = [row["key"] for row in rows]
    return Group(sobject="ERP_Account__c", by="Key__c", keys=keys, ids=pa.array(keys), columns=columns, kept=kept)


def field(name, kind):
    return Field(name=name, type=kind, owner=Owner.ERP, meaning="x")


def test_json_is_exact_and_says_null():
    body = as_json(group())
    assert b'"Balance__c":9007199254740993.01' in body
    first, second = json.loads(body, parse_float=Decimal)["records"]
    assert first["attributes"] == {"type": "ERP_Account__c"}
    assert first["Key__c"] == "tryton:NL01/1"
    assert first["Account__c"] == "001A"
    assert first["Legal_Name__c"] == 'Ab "c"\n𝄞, d'
    assert first["Overdue__c"] == Decimal("0.00")
    assert (first["Credit_Hold__c"], second["Active__c"]) == (True, False)
    # optional and null: cleared; required and null: left alone
    assert second["Payment_Terms__c"] is None
    assert "Account__c" not in second
    assert "Balance__c" not in second


def test_csv_tells_null_from_unchanged():
    ((part, body),) = as_csv(group(), 10_000)
    assert part.keys == [row["key"] for row in ROWS]
    first, second = csv.DictReader(io.StringIO(body.decode(), newline=""))
    assert first["Balance__c"] == "9007199254740993.01"
    assert first["Legal_Name__c"] == 'Ab "c"\n𝄞, d'
    assert (first["Credit_Hold__c"], second["Active__c"]) == ("true", "false")
    assert (second["Payment_Terms__c"], second["Account__c"], second["Balance__c"]) == ("#N/A", "", "")


def test_numbers_instants_and_days_are_written_exactly():
    fields = [
        (field("at", Instant()), "At__c"),
        (field("day", Day()), "Day__c"),
        (field("price", Money(scale=4)), "Price__c"),
        (field("quantity", Number()), "Quantity__c"),
    ]
    rows = pa.table(
        {
            "at": pa.array([datetime(2026, 3, 1, 12, 30, 15, 999_999, tzinfo=UTC), None], INSTANT),
            "day": pa.array([date(2026, 2, 28), None]),
            "price": pa.array([Decimal("0.0001"), None], pa.decimal128(18, 4)),
            "quantity": pa.array([Decimal("12345678901234.5678"), None], pa.decimal128(18, 4)),
        }
    )
    columns, kept = columns_of(fields, rows)
    sent = Group(sobject="X", by="Id", keys=["a", "b"], ids=pa.array(["1", "2"]), columns=columns, kept=kept)
    body = as_json(sent)
    assert b'"Quantity__c":12345678901234.5678' in body
    first, second = json.loads(body, parse_float=str)["records"]
    assert first | {"attributes": None} == {
        "attributes": None, "id": "1", "At__c": "2026-03-01T12:30:15Z", "Day__c": "2026-02-28", "Price__c": "0.0001",
        "Quantity__c": "12345678901234.5678",
    }  # fmt: skip
    assert {second[c] for c in ("At__c", "Day__c", "Price__c", "Quantity__c")} == {None}
    ((_, text),) = as_csv(sent, 10_000)
    first, second = csv.DictReader(io.StringIO(text.decode(), newline=""))
    assert first == {"Id": "1", "At__c": "2026-03-01T12:30:15Z", "Day__c": "2026-02-28", "Price__c": "0.0001",
                     "Quantity__c": "12345678901234.5678"}  # fmt: skip
    assert {second[c] for c in ("At__c", "Day__c", "Price__c", "Quantity__c")} == {"#N/A"}


def test_a_text_a_csv_file_takes_for_null_is_told_apart():
    rows = [{"key": str(n), "legal_name": name} for n, name in enumerate(("x", "#N/A", None, "#N/A."))]
    odd = unspeakable(group(rows))
    assert odd.to_pylist() == [False, True, False, False]
    assert group(rows).where(odd).keys == ["1"]


def test_csv_is_cut_to_fit():
    rows = [{"key": f"tryton:NL01/{n}", "customer__native": "001A", "legal_name": "x" * 100} for n in range(50)]
    files = list(as_csv(group(rows), 3_000))
    assert len(files) > 1
    assert all(len(body) <= 3_000 for _, body in files)
    assert [key for part, _ in files for key in part.keys] == [row["key"] for row in rows]
    assert sum(len(list(csv.reader(io.StringIO(body.decode())))) - 1 for _, body in files) == 50


def test_a_record_that_is_gone_counts_for_no_roll_up():
    (row,) = constants(WRITING.gone, 1).to_pylist()
    assert row == {"Active__c": False, "Credit_Hold__c": False, "Risk__c": None, "Risk_Level__c": None}


def test_collapsing():
    table = canonical(
        CUSTOMER_STATUS, [{"key": "a", "error": e} for e in ("  x \n", "", "   ", "#N/A", None, "in  side")]
    )
    assert collapsed(CUSTOMER_STATUS, writing_of(CUSTOMER_STATUS), table)["error"].to_pylist() == [
        "x",
        None,
        None,
        "#N/A",
        None,
        "in  side",
    ]
    table = canonical(CUSTOMER_ACCOUNT, [{"key": "a", "credit_hold": None, "balance": Decimal("1.10")}])
    (row,) = collapsed(CUSTOMER_ACCOUNT, WRITING, table).to_pylist()
    assert (row["credit_hold"], row["balance"]) == (False, Decimal("1.10"))
