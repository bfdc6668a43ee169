"""What is really written into an ERP: triggers in its database note every row, whoever writes it and whatever is removed later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import psycopg
from psycopg import sql

# table → the column that says whose row it is
TRYTON: Mapping[str, str] = {
    "party_party": "code",
    "party_address": "party",
    "party_contact_mechanism": "party",
    "party_identifier": "party",
    "party_relation": "from_",
    "sale_sale": "reference",
    "sale_amendment": "sale",
}
LEGACY: Mapping[str, str] = {
    "inbound.customer": "external_ref",  # what the ERP was asked: the sender removes its requests, the note stays
    "erp.customer": "external_ref",
    "erp.customer_address": "customer_number",
    "erp.customer_contact": "external_ref",
    "erp.account": "customer_number",
}

_NOTES = """
CREATE SCHEMA watch;
CREATE TABLE watch.note (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, relation text, operation text, key text);
CREATE FUNCTION watch.take_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO watch.note (relation, operation, key) VALUES (
        TG_ARGV[0], TG_OP, coalesce(to_jsonb(NEW) ->> TG_ARGV[1], to_jsonb(OLD) ->> TG_ARGV[1]));
    RETURN NULL;
END $$;
"""


def watch(dsn: str, tables: Mapping[str, str]) -> None:
    """Have every row written to `tables` noted from now on."""
    with psycopg.connect(dsn) as connection:
        connection.execute(_NOTES)
        for table, key in tables.items():
            connection.execute(
                sql.SQL(
                    "CREATE TRIGGER watch AFTER INSERT OR UPDATE OR DELETE ON {} FOR EACH ROW EXECUTE FUNCTION watch.take_note({}, {})"
                ).format(sql.Identifier(*table.split(".")), sql.Literal(table), sql.Literal(key))
            )


def now(dsn: str) -> int:
    """The number of the last note."""
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT coalesce(max(id), 0) FROM watch.note").fetchone()
    return int(row[0]) if row else 0


def noted(dsn: str, since: int = 0) -> Counter[tuple[str, str, str]]:
    """(table, INSERT | UPDATE | DELETE, whose) → how often, after note `since`. Clearing answered requests is no write."""
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "SELECT relation, operation, coalesce(key, '') FROM watch.note WHERE id > %s"
            " AND NOT (relation = 'inbound.customer' AND operation <> 'INSERT')",
            [since],
        ).fetchall()
    return Counter((str(relation), str(operation), str(key)) for relation, operation, key in rows)
