"""Customer accounts out of any ERP: conversions, the credit hold and the account risk indicator."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from accord.objects import CUSTOMER_ACCOUNT
from accord.systems import erp_rows
from accord.systems.erp_account import NOT_READ, account_native, derive

READ_AT = datetime(2026, 5, 1, tzinfo=UTC)


def account(**values: Any) -> dict[str, Any]:
    row = {
        "native": account_native("NL01", "42"), "customer": "42", "legal_entity": "NL01", "customer_number": "0042",
        "legal_name": "Sample N.V.", "tax_classification": "Domestic", "payment_terms": "NET30", "currency": "EUR",
        "credit_limit": "100.00", "credit_hold": "false", "balance": "80.00", "overdue": "0.00", "active": "true",
        "gone": "false", "modified": "2026-04-30T23:59:59.999999+00:00",
    }  # fmt: skip
    columns = erp_rows.columns(CUSTOMER_ACCOUNT, NOT_READ)["customer_account"]
    assert set(columns) == set(row)
    staged = {"customer_account": pa.Table.from_pylist([row | values], pa.schema(list(columns.items())))}
    table = derive("tryton", erp_rows.canonical("tryton", CUSTOMER_ACCOUNT, NOT_READ, staged, READ_AT))
    (canonical,) = table.to_pylist()
    return canonical


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
    row = account(credit_limit=limit, balance=balance, overdue=overdue, credit_hold=flagged)
    assert (row["risk"], row["risk_level"], row["credit_hold"]) == (risk, level, level == 3)


def test_what_does_not_convert_is_named_and_not_shown() -> None:
    row = account(
        balance="twelve", overdue="1.234", currency="euro", legal_entity="DE01", active="maybe", modified="yesterday"
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
