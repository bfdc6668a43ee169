"""The same rows through REST and through Bulk give the same table."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa

from accord.records import INSTANT
from accord.systems.salesforce.columns import from_csv, from_records

COLUMNS = {
    "Id": pa.string(),
    "Name": pa.string(),
    "IsDeleted": pa.bool_(),
    "SystemModstamp": pa.timestamp("us", tz="UTC"),
    "Balance__c": pa.decimal128(18, 2),
    "Level__c": pa.int64(),
}
AT = datetime(2026, 11, 20, 10, 0, 0, 500_000, tzinfo=UTC)
ROWS = [
    {"Id": "001", "Name": '007, "x"\nthe =SUM(A1) 𝄞', "IsDeleted": False, "SystemModstamp": AT, "Balance__c": Decimal("12.50"),
     "Level__c": 3},
    {"Id": "NA", "Name": None, "IsDeleted": True, "SystemModstamp": AT, "Balance__c": None, "Level__c": None},
    {"Id": "003", "Name": "null", "IsDeleted": False, "SystemModstamp": AT, "Balance__c": Decimal("9007199254740993.01"),
     "Level__c": 0},
]  # fmt: skip

JSON = """[
 {"attributes": {"type": "X"}, "Id": "001", "Name": "007, \\"x\\"\\nthe =SUM(A1) \\ud834\\udd1e", "IsDeleted": false,
  "SystemModstamp": "2026-11-20T10:00:00.500+0000", "Balance__c": 12.5, "Level__c": 3.0},
 {"Id": "NA", "Name": "", "IsDeleted": true, "SystemModstamp": "2026-11-20T10:00:00.500+0000", "Balance__c": null,
  "Level__c": null},
 {"Id": "003", "Name": "null", "IsDeleted": false, "SystemModstamp": "2026-11-20T10:00:00.500+0000",
  "Balance__c": 9007199254740993.01, "Level__c": 0}]"""
CSV = """"Id","Name","IsDeleted","Unasked","SystemModstamp","Balance__c","Level__c"
"001","007, ""x""\nthe =SUM(A1) 𝄞","false","","2026-11-20T10:00:00.500Z","12.5","3.0"
"NA","","true","","2026-11-20T10:00:00.500Z","",""
"003","null","false","","2026-11-20T10:00:00.500Z","9007199254740993.01","0"
"""


def test_rest_and_bulk_agree():
    expected = pa.Table.from_pylist(ROWS, schema=pa.schema(list(COLUMNS.items())))
    assert from_records(json.loads(JSON, parse_float=Decimal), COLUMNS).equals(expected)
    assert from_csv(CSV.encode(), COLUMNS).equals(expected)


def test_no_rows_still_have_the_schema():
    for table in (
        from_csv(b"", COLUMNS),
        from_csv(CSV.splitlines()[0].encode() + b"\n", COLUMNS),
        from_records([], COLUMNS),
    ):
        assert table.schema.equals(pa.schema(list(COLUMNS.items())))
        assert table.num_rows == 0


def test_fields_of_records_referred_to_come_by_their_path():
    records = [{"Product2": {"attributes": {}, "Key__c": "tryton:1"}}, {"Product2": None}, {}]
    table = from_records(records, {"Product2.Key__c": pa.string()})
    assert table["Product2.Key__c"].to_pylist() == ["tryton:1", None, None]


def test_numbers_and_instants_come_as_their_types():
    columns = {"Quantity__c": pa.decimal128(18, 4), "At__c": INSTANT}
    (row,) = from_csv(b'"Quantity__c","At__c"\n"12.5","2026-03-01T12:30:15.000Z"\n', columns).to_pylist()
    assert row == {"Quantity__c": Decimal("12.5000"), "At__c": datetime(2026, 3, 1, 12, 30, 15, tzinfo=UTC)}
    record = {"Quantity__c": Decimal("0.0001"), "At__c": "2026-03-01T12:30:15.000+0000"}
    (row,) = from_records([record], columns).to_pylist()
    assert row == {"Quantity__c": Decimal("0.0001"), "At__c": datetime(2026, 3, 1, 12, 30, 15, tzinfo=UTC)}
