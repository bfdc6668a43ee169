"""The session's Tryton as Accord and as its own people reach it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from accord.settings import Connection
from accord.systems import open_system
from sandbox.erp.rpc import Client
from sandbox.erp.server import Erp


@pytest.fixture(scope="session")
def finance(tryton: Erp) -> Client:
    """A user of the ERP."""
    return tryton.client("finance")


@pytest.fixture(scope="session")
def connection(tryton: Erp) -> Connection:
    """The connection as Accord has it."""
    return Connection(
        id="accord_tryton",
        kind="http",
        schema="http",
        host="127.0.0.1",
        port=tryton.port,
        login="accord",
        password=tryton.password("accord"),
        extra={"database": tryton.database},
    )


@pytest.fixture(scope="module")
def one(connection: Connection) -> Iterator[Any]:
    """One adapter for every test that does not need its own: a login costs more than most tests."""
    adapter = open_system("tryton", connection)
    yield adapter
    adapter.close()


def open_item(finance: Client, party: int, amount: Decimal, *, due_in: int) -> None:
    """A posted move: the customer owes `amount`, due in so many days."""
    today = dt.datetime.now(dt.UTC).date()
    find = "model.account.{}.search"
    (receivable,) = finance.call(find.format("account"), [["type.receivable", "=", True]], 0, 1, None)
    (equity,) = finance.call(find.format("account"), [["code", "=", "3.1.1"]], 0, 1, None)
    (journal,) = finance.call(find.format("journal"), [["type", "=", "general"]], 0, 1, None)
    period = [["start_date", "<=", today], ["end_date", ">=", today], ["type", "=", "standard"]]
    (period_id,) = finance.call(find.format("period"), period, 0, 1, None)
    due = today + dt.timedelta(days=due_in)
    lines = [
        {"account": receivable, "party": party, "maturity_date": due, "debit": amount, "credit": Decimal(0)},
        {"account": equity, "debit": Decimal(0), "credit": amount},
    ]
    head = {"period": period_id, "journal": journal, "date": today, "company": finance.context["company"]}
    made = finance.call("model.account.move.create", [head | {"lines": [["create", lines]]}])
    finance.call("model.account.move.post", made)
