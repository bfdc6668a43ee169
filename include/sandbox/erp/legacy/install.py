"""Putting the legacy ERP into a database, and finance's part of its story."""

from __future__ import annotations

from pathlib import Path

import psycopg

FOLDER = Path(__file__).parent
CATALOGUE = FOLDER.parent / "catalogue.json"
PARTS = (
    "erp.sql", "trade.sql", "agreements.sql", "inbound.sql", "orders_inbound.sql", "agreements_inbound.sql", "posting.sql",
    "order_posting.sql", "agreement_posting.sql", "outbound.sql", "outbound_catalogue.sql", "outbound_trade.sql",
    "outbound_agreements.sql", "business.sql",
)  # fmt: skip
_TURNS = 7_236_101  # the advisory lock under which installers take turns


def install(dsn: str) -> None:
    """Create or bring up to date the legacy ERP's schemas; what is there stays. Raises psycopg.Error."""
    with psycopg.connect(dsn) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [_TURNS])
        connection.execute("SET LOCAL client_min_messages = warning")
        for part in PARTS:
            connection.execute((FOLDER / part).read_bytes())
        given = {"catalogue": CATALOGUE.read_text(encoding="utf-8")}
        connection.execute((FOLDER / "catalogue.sql").read_bytes(), given)


def finance(dsn: str) -> int:
    """Give every customer finance has not looked at its terms, limit, hold and open items; the number of customers touched.

    Deterministic by the customer's external reference; a second run touches nobody.
    """
    with psycopg.connect(dsn) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [_TURNS])
        waiting = connection.execute(
            "SELECT count(*) FROM erp.account a JOIN erp.customer c USING (customer_number) "
            "WHERE a.payment_terms IS NULL AND c.active"
        ).fetchone()
        connection.execute((FOLDER / "finance.sql").read_bytes())
    return int(waiting[0]) if waiting else 0
