"""The session's Tryton as Accord and as its own people reach it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
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


class OnTryton:
    """For a suite's class: the adapter it is about, shared, anew, without a server and with a wrong password."""

    @pytest.fixture
    def open_source(self, connection: Connection) -> Callable[[], Any]:
        return lambda: open_system("tryton", connection)

    @pytest.fixture
    def open_target(self, open_source: Callable[[], Any]) -> Callable[[], Any]:
        return open_source

    @pytest.fixture
    def source(self, one: Any) -> Any:
        return one

    @pytest.fixture
    def target(self, one: Any) -> Any:
        return one

    @pytest.fixture
    def unreachable(self, connection: Connection) -> Any:
        return open_system("tryton", replace(connection, port=1))

    @pytest.fixture
    def wrong_login(self, connection: Connection) -> Any:
        # a wrong password of a real login would lock it for everybody, and so does the same unknown one over and over
        return open_system("tryton", replace(connection, login=f"nobody-{uuid.uuid4().hex}", password="wrong"))


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
