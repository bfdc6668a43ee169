"""Columns of the interface tables that vanish, or become something else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import psycopg
import pytest

from accord.errors import SchemaDrift
from accord.objects import OBJECTS
from accord.ports import Selection
from accord.settings import Connection
from accord.systems.interface_tables.adapter import InterfaceTables, open_interface_tables
from tests.contract.legacy import legacy as legacy
from tests.contract.legacy import legacy_dsn as legacy_dsn
from tests.fakes.base import CollectingSink

PAYMENT, CUSTOMER_ACCOUNT = OBJECTS["payment"], OBJECTS["customer_account"]


@pytest.fixture
def tables(legacy: Connection) -> InterfaceTables:
    return open_interface_tables("legacy", legacy)


@pytest.fixture
def alter(legacy_dsn: str) -> Callable[[str], None]:
    """The ERP's owners change something."""

    def do(statement: str) -> None:
        with psycopg.connect(legacy_dsn) as connection:
            connection.execute(statement.encode())

    return do


def read(tables: InterfaceTables, *without: str) -> CollectingSink:
    sink = CollectingSink()
    tables.extract(PAYMENT, Selection(since=datetime(2000, 1, 1, tzinfo=UTC), without=frozenset(without)), sink)
    return sink


def test_what_is_there_lacks_nothing(tables: InterfaceTables) -> None:
    read(tables)
    for name in tables.SOURCES:
        assert tables.unreadable(OBJECTS[name]) == {}, name


COPY_OF_ALL = """
ALTER SCHEMA outbound RENAME TO outbound_before; CREATE SCHEMA outbound;
DO $$ DECLARE v text; BEGIN
  FOR v IN SELECT table_name FROM information_schema.tables WHERE table_schema = 'outbound_before' LOOP
    EXECUTE format('CREATE TABLE outbound.%I AS SELECT * FROM outbound_before.%I', v, v);
  END LOOP; END $$
"""


def test_columns_that_vanish_or_change(tables: InterfaceTables, alter: Callable[[str], None]) -> None:
    alter(COPY_OF_ALL)
    try:
        alter("ALTER TABLE outbound.payment DROP COLUMN method")
        with pytest.raises(SchemaDrift):
            read(tables)
        assert tables.unreadable(PAYMENT) == {"method": "outbound.payment.method"}
        assert read(tables, "method").expected is not None

        alter("ALTER TABLE outbound.payment ALTER COLUMN payment_date TYPE text USING payment_date::text")
        with pytest.raises(
            SchemaDrift, match=r"legacy lacks outbound\.payment\.payment_date, or has it as another type"
        ):
            read(tables, "method")
        assert tables.unreadable(PAYMENT).keys() == {"method", "paid_on"}
        alter("ALTER TABLE outbound.payment ALTER COLUMN amount TYPE text")
        assert tables.unreadable(PAYMENT).keys() == {"method", "paid_on", "amount"}
        alter("DROP TABLE outbound.payment_application")
        assert tables.unreadable(PAYMENT).keys() == {"method", "paid_on", "amount", "applications"}
        alter("ALTER TABLE outbound.payment DROP COLUMN changed_at")
        assert tables.unreadable(PAYMENT) == {}, "without it nothing can be read"

        alter("ALTER TABLE outbound.customer_account DROP COLUMN payment_terms")
        assert tables.unreadable(CUSTOMER_ACCOUNT).keys() == {"payment_terms"}
        alter("ALTER TABLE outbound.customer_account DROP COLUMN overdue")
        assert tables.unreadable(CUSTOMER_ACCOUNT) == {}, "the risk is derived from it, and would be cleared"
    finally:
        alter("DROP SCHEMA outbound CASCADE; ALTER SCHEMA outbound_before RENAME TO outbound")
