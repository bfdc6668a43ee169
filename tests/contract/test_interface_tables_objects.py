"""Any object out of interface tables: its relations are declared, the reading is the same for all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, ClassVar

import psycopg
import pytest

from accord.errors import SchemaDrift
from accord.objects.definition import BusinessObject
from accord.ports import Selection, Sink
from accord.settings import Connection
from accord.systems.erp import SourceHandler
from accord.systems.interface_tables.adapter import InterfaceTables
from accord.systems.interface_tables.context import Context
from accord.systems.interface_tables.contract import Outbox, Part
from accord.systems.interface_tables.extracting import Extraction
from accord.systems.interface_tables.session import Session
from tests.contract.legacy import legacy as legacy
from tests.contract.legacy import legacy_dsn as legacy_dsn
from tests.fakes import CollectingSink
from tests.tables import by_key
from tests.things import NOT_READ, THING

OUTBOX = Outbox(
    relation="outbound.thing",
    key=("company", "number"),
    changes="outbound.thing_change",
    fields={f.name: f"its_{f.name}" for f in THING.fields if f.name not in NOT_READ},
    parts={
        "lines": Part(
            relation="outbound.thing_line", fields={"id": "line", "quantity": "qty", "product": "item", "due": "due"}
        )
    },
    gone="deleted",
)
TABLES = """
CREATE TABLE outbound.thing (company text, number text, its_title text, its_kind text, its_tags text[], its_live boolean,
    its_price numeric, its_count integer, its_share numeric, its_day date, its_at timestamptz, its_owner text, its_currency char(3),
    deleted boolean DEFAULT false, changed_at timestamptz, PRIMARY KEY (company, number));
CREATE TABLE outbound.thing_line (company text, number text, line text, qty numeric, item text, due date, changed_at timestamptz);
CREATE VIEW outbound.thing_change AS SELECT company, number, changed_at FROM outbound.thing
    UNION ALL SELECT company, number, changed_at FROM outbound.thing_line;
INSERT INTO outbound.thing VALUES
    ('US01', 'A/1', 'One, "quoted"', 'a', '{z,x}', true, 12.5, 3, 0.5, '2026-02-28', '2026-01-01 01:30+01', 'L-1', 'EUR', false,
     '2026-03-02Z'),
    ('US01', 'A2', NULL, 'c', '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, true, '2026-03-01Z'),
    ('OTHER', 'A3', 'Not ours', 'a', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, '2026-03-01Z');
INSERT INTO outbound.thing_line VALUES ('US01', 'A/1', '1', -1.50, 'salesforce:01t', '2026-03-05', '2026-03-02Z'),
    ('US01', 'A/1', '2', 2, 'P-2', NULL, '2026-02-01Z'), ('OTHER', 'A3', '1', 1, 'P-2', NULL, '2026-02-01Z');
"""


class Things(SourceHandler[Context]):
    """Nothing but declarations."""

    not_read = NOT_READ
    needs = OUTBOX.needs
    places = OUTBOX.places

    def extract(self, definition: BusinessObject, selection: Selection, sink: Sink) -> dt.datetime:
        context = self._context
        return Extraction(context.session, context.name, OUTBOX, definition, self.not_read).run(selection, sink)


class Tables(InterfaceTables):
    """The legacy ERP, had it things."""

    SOURCES: ClassVar = {"thing": Things}


@pytest.fixture(scope="module")
def source(legacy: Connection, legacy_dsn: str) -> Iterator[Tables]:
    with psycopg.connect(legacy_dsn) as owner:
        owner.execute(TABLES)
    source = Tables("legacy", Session(legacy))
    yield source
    source.close()


def read(source: Tables, **selection: Any) -> tuple[CollectingSink, dict[str, dict[str, Any]]]:
    sink = CollectingSink()
    read_at = source.extract(THING, Selection(**selection), sink)
    if not sink.written:
        return sink, {}
    return sink, by_key(source.to_canonical(THING, sink.chunk(), read_at))


def test_every_kind_of_column_arrives(source: Tables) -> None:
    sink, rows = read(source)
    assert sink.expected == 2
    assert set(rows) == {"legacy:US01/A/1", "legacy:US01/A2"}  # of the companies the routing knows
    one = rows["legacy:US01/A/1"]
    at = dt.datetime(2026, 1, 1, 0, 30, tzinfo=dt.UTC)
    assert (one["title"], one["kind"], one["tags"], one["live"]) == ('One, "quoted"', "a", ["x", "z"], True)
    assert (one["price"], one["count"], one["share"]) == (Decimal("12.5"), 3, Decimal("0.5"))
    assert (one["day"], one["at"], one["owner"], one["currency"]) == (dt.date(2026, 2, 28), at, "legacy:L-1", "EUR")
    assert sorted(one["lines"], key=lambda line: line["id"]) == [
        {"id": "1", "quantity": Decimal("-1.50"), "product": "salesforce:01t", "due": dt.date(2026, 3, 5)},
        {"id": "2", "quantity": Decimal("2.00"), "product": "legacy:P-2", "due": None},
    ]
    assert (one["problems"], one["gone"], one["version"]) == ([], False, dt.datetime(2026, 3, 2, tzinfo=dt.UTC))


def test_one_that_was_deleted_and_one_that_does_not_convert(source: Tables) -> None:
    row = read(source)[1]["legacy:US01/A2"]
    assert (row["gone"], row["lines"], row["tags"], row["problems"]) == (True, [], None, ["kind: not a known code"])


def test_natives_with_their_parts(source: Tables) -> None:
    sink, rows = read(source, natives=("US01/A/1", "US01/none", "nonsense", "NL01/A2"))
    assert sink.expected == 4
    assert {key: len(row["lines"]) for key, row in rows.items()} == {"legacy:US01/A/1": 2}


@pytest.mark.parametrize(
    ("since", "until", "keys"),
    [
        (2, None, {"legacy:US01/A/1"}),
        (None, 2, {"legacy:US01/A2"}),
        (1, 3, {"legacy:US01/A/1", "legacy:US01/A2"}),
        (3, None, set()),
    ],
)
def test_a_window(source: Tables, since: int | None, until: int | None, keys: set[str]) -> None:
    def day(number: int | None) -> dt.datetime | None:
        return number and dt.datetime(2026, 3, number, tzinfo=dt.UTC)

    sink, rows = read(source, since=day(since), until=day(until))
    assert set(rows) == keys
    assert set(sink.roots.get("lines", ())) <= set(sink.roots.get("thing", ()))


def test_what_it_needs_is_looked_for(source: Tables, legacy_dsn: str) -> None:
    assert [c.found for c in source.check({}) if c.subject == "legacy: outbound.thing_line"] == ["6 columns"]
    with psycopg.connect(legacy_dsn, autocommit=True) as owner:
        owner.execute("ALTER TABLE outbound.thing_line RENAME COLUMN qty TO quantity")
        try:
            assert [c.found for c in source.check({}) if not c.ok] == ["lacks qty"]
            with pytest.raises(SchemaDrift):
                read(source)
        finally:
            owner.execute("ALTER TABLE outbound.thing_line RENAME COLUMN quantity TO qty")
