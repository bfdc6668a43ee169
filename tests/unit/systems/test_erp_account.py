"""Customer accounts out of any ERP: conversions, the credit hold and the account risk indicator."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from accord.systems.erp_account import ACCOUNT, STAGED, required_columns, split_native, to_canonical

READ_AT = datetime(2026, 5, 1, tzinfo=UTC)


def account(**values: Any) -> dict[str, Any]:
    row = {
        "account": "NL01/42", "customer": "42", "company": "NL01", "customer_number": "0042", "legal_name": "Sample N.V.",
        "tax_classification": "Domestic", "payment_terms": "NET30", "currency": "EUR", "credit_limit": "100.00",
        "flagged": "false", "balance": "80.00", "overdue": "0.00", "active": "true",
        "modified": "2026-04-30T23:59:59.999999+00:00",
    }  # fmt: skip
    (canonical,) = to_canonical("tryton", {ACCOUNT: pa.Table.from_pylist([row | values], STAGED)}, READ_AT).to_pylist()
    return canonical


def test_a_staged_row_becomes_a_canonical_one() -> None:
    row = account()
    assert row["key"] == "tryton:NL01/42"
    assert split_native(row["key"].partition(":")[2]) == ("NL01", "42")
    assert (row["customer"], row["legal_entity"], row["system"]) == ("tryton:42", "NL01", "tryton")
    assert row["version"] == datetime(2026, 4, 30, 23, 59, 59, 999999, tzinfo=UTC)
    assert row["balance"] == Decimal("80.00")
    assert row["problems"] == []


@pytest.mark.parametrize(
    ("limit", "balance", "overdue", "flagged", "risk", "level"),
    [
        ("100", "80", "0", "f", "Low", 0),
        ("100", "80", "-5", "f", "Low", 0),  # a credit note past its day
        ("100", "80", "0.01", "f", "Medium", 1),
        ("100", "80", "50", "f", "Medium", 1),  # half of the limit is not more than half
        ("100", "80", "50.01", "f", "High", 2),
        (None, "80", "0", "f", "Low", 0),
        (None, "80", "0.01", "f", "High", 2),
        ("0", "0", "0", "f", "Low", 0),
        ("100", "100", "0", "f", "Low", 0),  # up to the limit
        ("100", "100.01", "0", "f", "Blocked", 3),
        ("100", "0", "0", "t", "Blocked", 3),
        (None, "0", "0", "true", "Blocked", 3),
        ("9999999999999999.99", "1", "9999999999999999.99", "f", "High", 2),
    ],
)
def test_risk(limit: str | None, balance: str, overdue: str, flagged: str, risk: str, level: int) -> None:
    row = account(credit_limit=limit, balance=balance, overdue=overdue, flagged=flagged)
    assert (row["risk"], row["risk_level"], row["credit_hold"]) == (risk, level, level == 3)


def test_what_does_not_convert_is_named_and_not_shown() -> None:
    row = account(
        balance="twelve", overdue="1.234", currency="euro", company="DE01", active="maybe", modified="yesterday"
    )
    assert [row[n] for n in ("balance", "overdue", "currency", "legal_entity", "active", "version", "risk")] == [
        None
    ] * 7
    assert sorted(row["problems"]) == [
        "active: neither true nor false",
        "balance: not an amount",
        "currency: not a known code",
        "legal_entity: not a known code",
        "overdue: not an amount",
        "version: not an instant",
    ]


def test_a_null_is_no_problem() -> None:
    row = account(credit_limit=None, legal_name=None, tax_classification=None)
    assert (row["credit_limit"], row["problems"]) == (None, [])


def test_the_structure_gate_asks_for_every_column() -> None:
    assert dict(required_columns()[ACCOUNT]) == {name: pa.string() for name in STAGED.names}
