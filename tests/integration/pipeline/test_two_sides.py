"""The same order asked for from two sides (an opportunity and the order sales made of it) is one, whoever comes first."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest

from accord.hub import Hub
from accord.objects.order import ORDER
from accord.pipeline.identify import identify
from accord.records import CARRIED_ON, CARRIED_PARTS, CARRIES_ON, schema_of
from tests.world import World

NOW = datetime(2026, 3, 2, tzinfo=UTC)
COLUMNS = schema_of(ORDER).append(CARRIES_ON).append(CARRIED_ON).append(CARRIED_PARTS)
DEAL, ANOTHER = "salesforce:006A", "salesforce:006B"
FIRST, SECOND = "salesforce:801A", "salesforce:801B"


def asked(key: str, **values: Any) -> dict[str, Any]:
    lines = [{"id": f"{key}/1", "cancelled": False}]
    return {"key": key, "version": NOW, "read_at": NOW, "gone": False, "status": "Activated", "lines": lines} | values


def deal(key: str = DEAL, *, carried_on: bool = False, **values: Any) -> dict[str, Any]:
    return asked(key, carried_on=carried_on, order_date=date(2026, 3, 1), **values)


def order(key: str = FIRST, *, of: str | None = DEAL, **values: Any) -> dict[str, Any]:
    parts = [{"part": f"{key}/1", "as": f"{of}/1"}] if of else []
    return asked(key, carries_on=of, carried_parts=parts, order_date=date(2026, 3, 9), **values)


def goes_as(hub: Hub, *rows: dict[str, Any], dry: bool = False) -> dict[str, dict[str, Any]]:
    """Canonical id → row of what is left of a batch."""
    table = identify(hub, ORDER, "salesforce", pa.Table.from_pylist(list(rows), schema=COLUMNS), dry=dry)
    assert table.schema.names == schema_of(ORDER).names
    found = {row["key"]: row for row in table.to_pylist()}
    assert len(found) == table.num_rows
    return found


@pytest.fixture
def names(world: World) -> Hub:
    """Where identities are kept."""
    return world.accord().hub


def sent(world: World, key: str) -> None:
    """The ERP has an order of this key."""
    world.rows("INSERT INTO link (stream, key, hash) VALUES (%s, %s, 'x') RETURNING key",
               world.accord().hub.stream("tryton", "order"), key)  # fmt: skip


def test_the_opportunity_came_first(names: Hub) -> None:
    assert set(goes_as(names, deal())) == {DEAL}
    found = goes_as(names, deal(carried_on=True), order())
    assert set(found) == {DEAL}
    assert [line["id"] for line in found[DEAL]["lines"]] == [f"{DEAL}/1"], "an accepted order takes no new lines"
    assert found[DEAL]["order_date"] == date(2026, 3, 1), "nor another date"
    assert set(goes_as(names, order(), deal(carried_on=True))) == {DEAL}, "again, in another order"
    assert set(goes_as(names, order())) == {DEAL}, "alone"
    assert goes_as(names, deal(carried_on=True)) == {}, "the order speaks for it"
    assert set(goes_as(names, order(SECOND))) == {SECOND}, "a second order of the deal is an order of its own"


def test_the_order_came_first(names: Hub) -> None:
    assert set(goes_as(names, order(), deal(carried_on=True))) == {FIRST}
    assert goes_as(names, deal()) == {}, "read before the order was there, judged after"
    assert set(goes_as(names, order(SECOND), deal(ANOTHER))) == {SECOND, ANOTHER}


def test_a_draft_holds_the_opportunity_back(names: Hub) -> None:
    found = goes_as(names, order(status="Draft"), deal(carried_on=True))
    assert set(found) == {FIRST}
    assert set(goes_as(names, order(status="Draft", gone=True), deal())) == {FIRST, DEAL}, "thrown away it asks again"
    assert set(goes_as(names, deal(carried_on=True), order(SECOND))) == {DEAL}


def test_the_order_is_taken_away_again(names: Hub) -> None:
    goes_as(names, deal())
    goes_as(names, deal(carried_on=True), order())
    found = goes_as(names, deal(), order(gone=True))
    assert set(found) == {DEAL}
    assert not found[DEAL]["gone"]
    found = goes_as(names, deal(carried_on=True), order(SECOND))
    assert [line["id"] for line in found[DEAL]["lines"]] == [f"{DEAL}/1"], "the next one takes it over whole"


def test_both_were_sent_before_somebody_joined_them(world: World, names: Hub) -> None:
    goes_as(names, deal())
    sent(world, DEAL)
    assert set(goes_as(names, order(of=None))) == {FIRST}
    sent(world, FIRST)
    found = goes_as(names, deal(carried_on=True), order())
    assert {key: row["gone"] for key, row in found.items()} == {DEAL: True, FIRST: False}, "one of the two is withdrawn"


def test_what_does_not_ask_claims_nothing(names: Hub) -> None:
    goes_as(names, deal(status="Draft"), deal(ANOTHER, gone=True))
    assert set(goes_as(names, order())) == {FIRST}


def test_a_dry_run_remembers_nothing(world: World, names: Hub) -> None:
    assert set(goes_as(names, deal(), dry=True)) == {DEAL}
    assert world.rows("SELECT * FROM identity") == []
    assert set(goes_as(names, order())) == {FIRST}


def test_two_runs_at_the_same_time_name_it_once(world: World) -> None:
    """One has read the opportunity before there was an order, the other the order: one key is left, whoever is faster."""
    found: list[set[str]] = []
    both = threading.Barrier(2)

    def run(row: dict[str, Any]) -> None:
        own = world.accord().hub
        both.wait()
        found.append(set(goes_as(own, row)))

    for at in range(5):
        threads = [
            threading.Thread(target=run, args=(row,))
            for row in (deal(f"{DEAL}{at}"), order(f"{FIRST}{at}", of=f"{DEAL}{at}"))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    keys = [key for one in found for key in one]
    assert len(found) == 10
    assert len(set(keys)) == 5
