"""What the console reads of a large hub it finds by indexes, a page at a time: no page walks through a large table.

tests/benchmarks/console.py measures the pages over a million records.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

import psycopg
import pytest

from accord.errors import Stop
from accord.hub import Hub, overview, queue, reconciliations, reviews
from accord.hub.connection import Session
from accord.hub.gate_reports import gate_report
from accord.hub.history import found, history
from accord.hub.queue import Filter
from accord.service_levels.measures import agreed
from accord.settings import dsn
from tests.benchmarks.console import FLOW, fill
from tests.hub import HubServer

LARGE = 1000  # rows


class Explaining(Hub):
    """A hub that notes the plan of every statement."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.plans: list[str] = []

    @contextmanager
    def session(self) -> Iterator[Session]:
        with super().session() as session:
            yield cast("Session", _Explained(session, self.plans))

    def walked(self, read: Callable[[], Any]) -> list[str]:
        """The large tables `read` walks through."""
        self.plans.clear()
        read()
        assert self.plans
        with super().session() as session:
            rows = session.execute(
                "SELECT relname FROM pg_class WHERE relkind = 'r' AND reltuples >= %s", (LARGE,)
            ).fetchall()
        large = {row["relname"] for row in rows}
        assert {"exception", "identity", "image", "difference", "audit", "delivery_rest"} < large
        return sorted(large & set(re.findall(r"Seq Scan on (\w+)", "\n".join(self.plans))))


class _Explained:
    def __init__(self, session: Session, plans: list[str]) -> None:
        self._session, self._plans = session, plans

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def execute(self, query: Any, arguments: Any = None) -> psycopg.Cursor[Any]:
        text = query.as_string(self._session) if hasattr(query, "as_string") else query
        text = text.decode() if isinstance(text, bytes) else text
        rows = self._session.execute(("EXPLAIN " + text).encode(), arguments).fetchall()
        self._plans.append("\n".join(row["QUERY PLAN"] for row in rows))
        return self._session.execute(query, arguments)


@pytest.fixture(scope="module")
def large(hub_server: HubServer) -> Explaining:
    address = dsn(hub_server.new())
    fill(address, records=4000, open_ones=2000, runs=20)
    return Explaining(address)


@pytest.mark.parametrize(
    "wanted",
    [
        Filter(),
        Filter(queue="finance"),
        Filter(category="value too long", flow=FLOW),
        Filter(assignee="ann"),
        Filter(older_than=timedelta(days=7), above=Decimal(80_000), currency="EUR"),
        Filter(key="salesforce:77"),
        Filter(within=(FLOW,)),
        Filter(queue="finance", overdue=agreed(datetime.now(UTC))),
        Filter(closed=True),
        Filter(closed=True, queue="finance"),
    ],
)
def test_a_page_of_the_queue(large: Explaining, wanted: Filter) -> None:
    first = queue.page(large, wanted, size=5)
    assert large.walked(lambda: queue.page(large, wanted, size=5, after=first.after)) == []
    if not wanted.closed:
        assert large.walked(lambda: queue.sums(large, wanted)) == []


def test_pages_follow_one_another_without_a_gap(large: Explaining) -> None:
    wanted, seen, after = Filter(queue="finance", category="credit limit exceeded"), list[int](), None
    while True:
        page = queue.page(large, wanted, size=7, after=after)
        seen += [row["id"] for row in page.rows]
        if (after := page.after) is None:
            break
    everything = queue.page(large, wanted, size=10_000).rows
    assert seen == [row["id"] for row in everything]
    assert len(set(seen)) == len(seen) > 14


def test_the_overview_and_a_flow(large: Explaining) -> None:
    assert large.walked(lambda: overview.overview(large)) == []
    assert large.walked(lambda: overview.overview(large, FLOW)) == []
    assert large.walked(lambda: overview.runs_of(large, FLOW, before=10)) == []
    assert large.walked(lambda: overview.raised_by(large, 7)) == []
    assert large.walked(lambda: overview.started_in(large, "replay/1")) == []
    assert large.walked(lambda: overview.replayed_in(large, "replay/1", most=50)) == []


def test_a_trace(large: Explaining) -> None:
    def read() -> None:
        with large.session() as session:
            keys = found(session, "SO-777", ("salesforce", "tryton"))
            assert keys == ["salesforce:777"]
            history(session, keys)

    assert large.walked(read) == []


def test_reconciliations(large: Explaining) -> None:
    newest = reconciliations.trend(large, last=1)[0]["reconciliation"]
    assert large.walked(lambda: reconciliations.one(large, newest)) == []
    rows, after = reconciliations.difference_page(large, newest, size=3, outcome="proposed")
    assert [row["at_risk"] for row in rows] == sorted((row["at_risk"] for row in rows), reverse=True)
    following, _ = reconciliations.difference_page(large, newest, size=3, outcome="proposed", after=after)
    assert not {row["key"] for row in rows} & {row["key"] for row in following}
    assert large.walked(lambda: reconciliations.difference_page(large, newest, size=3, after=after)) == []


def test_the_report_of_a_gate_that_holds_much(large: Explaining) -> None:
    def read() -> None:
        with large.session() as session:
            place = session.execute("SELECT run, gate FROM gate_verdict ORDER BY quarantined DESC LIMIT 1").fetchone()
            assert place
            report = gate_report(session, place["run"], "canonical", size=5)
            assert report.fates == {"still held": 2000}
            assert len(report.held) == 5

    assert "exception" not in large.walked(read)


def test_pages_of_reviews_follow_one_another_without_a_gap(large: Explaining) -> None:
    assert "exception" not in large.walked(lambda: reviews.reviews(large, most=5))
    everything = reviews.reviews(large, most=10_000)
    seen, after = list[int](), None
    while page := reviews.reviews(large, most=100, after=after):
        seen += [row["id"] for row in page]
        after = page[-1]["place"]
    assert seen == [row["id"] for row in everything]
    assert len(set(seen)) == len(seen) > 200
    assert everything[0]["held"] > 0, "what holds most comes first"
    assert reviews.reviews(large, reviews.Wanted(within=("none",))) == []
    with pytest.raises(Stop, match="no place in the list"):
        reviews.reviews(large, after="1.critical.x")
