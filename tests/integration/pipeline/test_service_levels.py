"""Whether service levels are kept, as the hub tells it: each measure missed, kept again, excused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from accord.flows import flow
from accord.hub import Hub
from accord.hub.queue import Filter, page
from accord.service_levels.breach import Breach
from accord.service_levels.evaluation import evaluate
from accord.service_levels.measures import agreed
from accord.service_levels.targets import STALLED_RUNS, Measure, levels, of_flow
from accord.settings import Connection, dsn
from tests.alerting import CUSTOMERS, MINUTE, ORDERS, Levels
from tests.integration.pipeline.test_console_reads import Explaining

HOUR = 60 * MINUTE


@pytest.fixture
def world(hub: Connection, tmp_path: Path) -> Iterator[Levels]:
    world = Levels(hub, tmp_path)
    yield world
    world.close()


def missed(world: Levels, measure: Measure) -> list[Breach]:
    return [one for one in world.check().breached if one.measure == measure]


def test_a_flow_that_never_ran_is_unknown_not_late(world: Levels) -> None:
    found = world.check()
    assert found.breached == []
    assert len([key for key in found.unmeasured if ORDERS in key]) == 3
    world.ran(kind="manual", ago=9 * HOUR)
    assert len([key for key in world.check().unmeasured if ORDERS in key]) == 3, "it is not in service yet"
    world.ran()
    found = world.check()
    assert [key for key in found.unmeasured if ORDERS in key] == []
    assert len([key for key in found.met if ORDERS in key]) == 3


def test_data_is_late_whatever_the_runs_say(world: Levels) -> None:
    world.ran(ago=14 * MINUTE)
    assert missed(world, Measure.FRESHNESS) == []
    world.do("UPDATE flow SET watermark = watermark - interval '26 minutes'")
    world.ran(kind="manual")
    world.waits("salesforce:O1", currency="EUR", at_risk="1500.50")
    world.waits("salesforce:O2", category="customer on credit hold", currency="GBP", at_risk="10")
    world.waits("salesforce:O3")
    (late,) = missed(world, Measure.FRESHNESS)
    assert late.summary == f"{ORDERS}: the data is 40 min old"
    assert (late.allowed, late.actual, late.tier, late.severity) == ("15 min", "40 min", "critical", "critical")
    assert late.late_s == pytest.approx(25 * 60, abs=5)
    assert (late.records, late.amounts) == (3, {"EUR": "1500.500000", "GBP": "10.000000"})
    assert late.watermark
    assert late.places == {"Exceptions": f"/exceptions/?flow={ORDERS}"}
    world.do("UPDATE exception SET state = 'closed' WHERE key <> 'salesforce:O2'")
    (late,) = missed(world, Measure.FRESHNESS)
    assert late.places == {"Exception 2": "/exceptions/2/"}
    world.do("UPDATE exception SET state = 'closed'")
    (late,) = missed(world, Measure.FRESHNESS)
    assert late.places == {}
    assert "not in the ERP" in late.consequence
    assert len(late.actions) == 3


def test_a_watermark_that_runs_do_not_move(world: Levels) -> None:
    world.ran(CUSTOMERS)
    for _ in range(STALLED_RUNS - 1):
        world.ran(CUSTOMERS, error="failed before: extract")
    world.ran(CUSTOMERS, kind="manual")
    assert missed(world, Measure.WATERMARK) == []
    world.ran(CUSTOMERS, error="failed before: extract")
    (stalled,) = missed(world, Measure.WATERMARK)
    assert stalled.actual == f"{STALLED_RUNS} runs"
    world.ran(CUSTOMERS)
    assert missed(world, Measure.WATERMARK) == []


def test_a_run_that_failed_is_told_until_one_succeeds(world: Levels) -> None:
    world.ran(ago=5 * MINUTE)
    world.ran(ago=MINUTE, error="failed before: load_tryton, load_legacy")
    (failed,) = missed(world, Measure.RUN)
    assert failed.summary == f"{ORDERS}: the run failed at load_tryton"
    assert (failed.step, failed.category, failed.run) == ("load_tryton", "run failed", f"{ORDERS}/run 1")
    world.ran(kind="backfill")
    assert missed(world, Measure.RUN), "a backfill that succeeds says nothing of the schedule"
    world.ran()
    assert missed(world, Measure.RUN) == []


def test_a_run_that_is_due_and_does_not_come(world: Levels) -> None:
    world.ran()
    (level,) = [one for one in of_flow(flow(ORDERS)) if one.measure is Measure.RUN]
    soon, late = datetime.now(UTC) + 9 * MINUTE, datetime.now(UTC) + 16 * MINUTE
    assert evaluate(world.accord(), [level], now=soon).breached == []
    (found,) = evaluate(world.accord(), [level], now=late).breached
    assert found.actual == "has not run"
    assert "has not succeeded" in found.summary
    world.do("INSERT INTO run (flow, engine_run, kind) VALUES (%s, 'it hangs', 'scheduled')", ORDERS)
    (found,) = evaluate(world.accord(), [level], now=late).breached
    assert (found.actual, found.run) == ("still running", "it hangs")


def test_of_one_flow_the_gravest_is_told_and_covers_its_symptoms(world: Levels) -> None:
    world.ran(ago=2 * HOUR)
    for _ in range(STALLED_RUNS):
        world.ran(error="failed before: extract")
    found = world.check().breached
    assert {(one.measure, one.covered) for one in found} == {
        (Measure.FRESHNESS, False),
        (Measure.WATERMARK, True),
        (Measure.RUN, True),
    }


def test_orders_that_wait_for_nobody_are_to_be_accepted_in_time(world: Levels) -> None:
    world.order("salesforce:young", ago=29 * MINUTE)
    world.order("salesforce:accepted", ago=3 * HOUR, step="created")
    world.order("salesforce:held", ago=3 * HOUR, status="held")
    world.order("salesforce:given up", ago=3 * HOUR, status="abandoned")
    assert missed(world, Measure.ACCEPTANCE) == []
    world.order("salesforce:old", ago=31 * MINUTE)
    world.order("salesforce:oldest", ago=50 * MINUTE, step="committed")
    (late,) = missed(world, Measure.ACCEPTANCE)
    assert (late.records, late.correlation, late.actual) == (2, "salesforce:oldest", "50 min")
    assert late.places == {"Trace of the oldest": "/trace/?of=salesforce%3Aoldest"}
    assert late.owner == "sales operations"


def test_exceptions_are_to_be_worked_in_the_time_their_severity_gives(world: Levels) -> None:
    world.waits("young", severity=3, ago=timedelta(hours=20))
    world.waits("slight", severity=1, ago=timedelta(days=4))
    world.waits("closed", severity=3, ago=timedelta(days=9), state="closed")
    assert missed(world, Measure.AGEING) == []
    world.waits("old", severity=3, ago=timedelta(days=5), currency="EUR", at_risk="7")
    world.waits("grave", severity=4, ago=timedelta(hours=5), currency="EUR", at_risk="3", category="closed period")
    world.waits("old too", severity=2, ago=timedelta(days=8))
    world.waits("elsewhere", severity=4, ago=timedelta(days=8), queue="integration")
    found = {one.subject: one for one in missed(world, Measure.AGEING)}
    assert found.keys() == {"finance", "integration"}
    late = found["finance"]
    assert (late.records, late.amounts, late.category) == (3, {"EUR": "10.000000"}, "credit limit exceeded")
    assert late.where == 'accord exceptions list --queue "finance" --overdue'
    assert late.places == {"Exceptions": "/exceptions/?queue=finance&overdue=1"}
    listed = page(world.accord().hub, Filter(queue="finance", overdue=agreed(datetime.now(UTC)))).rows
    assert [row["key"] for row in listed] == ["grave", "old", "old too"], "what the link shows is what was counted"
    (number,) = world.rows("SELECT id FROM exception WHERE key = 'elsewhere'")
    assert found["integration"].places == {f"Exception {number['id']}": f"/exceptions/{number['id']}/"}


def test_every_pair_is_to_be_reconciled_in_a_night_and_corrections_are_to_hold(world: Levels) -> None:
    assert [key for key in world.check().unmeasured if "reconciliation" in key]
    stream = Hub(dsn(world.hub)).stream("tryton", "order")
    ended = "INSERT INTO reconciliation (flow, stream, keys, mode, who, started, ended) VALUES (%s, %s, %s, 'auto', 'x', now() - %s, {})"
    world.do(ended.format("now() - interval '1 hour'"), ORDERS, stream, None, timedelta(hours=2))
    world.do(ended.format("NULL"), ORDERS, stream, 1, timedelta(days=9))
    assert missed(world, Measure.RECONCILIATION) == []
    assert [key for key in world.check().met if "reconciliation" in key]
    world.do(
        """INSERT INTO difference (reconciliation, key, class, category, rule, cause, fields, natives, version, correction, outcome)
           SELECT id, 'k', 'field differs', 'x', 'x', 'x', '{}', '{}', now(), 'x', 'stands' FROM reconciliation WHERE keys IS NULL"""
    )
    (stands,) = missed(world, Measure.RECONCILIATION)
    assert stands.summary == "reconciliation: 1 difference(s) stand though corrected"
    assert stands.places == {"Reconciliation 1": "/reconciliation/1/?outcome=stands"}
    world.do(ended.format("NULL"), CUSTOMERS, stream, None, timedelta(hours=27))
    (late,) = missed(world, Measure.RECONCILIATION)
    assert late.summary == "reconciliation: 1 of 2 were not reconciled in 1 d 2 h"
    assert late.correlation == CUSTOMERS
    assert list(late.places) == ["Reconciliation", "Reconciliation 1"]


def test_a_system_somebody_holds_excuses_its_flows(world: Levels) -> None:
    world.ran(ORDERS, ago=2 * HOUR)
    world.do("INSERT INTO system (name, held_until) VALUES ('tryton', now() + interval '1 hour')")
    assert world.check().breached == []
    world.do("UPDATE system SET held_until = now()")
    assert {one.subject for one in world.check().breached} == {ORDERS}


def test_a_system_in_maintenance_excuses_its_flows_and_no_others(world: Levels) -> None:
    world.ran(ORDERS, ago=2 * HOUR)
    world.ran("payment__tryton_to_salesforce", ago=2 * HOUR)
    now = datetime.now(UTC)
    window = {"from": (now - HOUR).isoformat(), "to": (now + HOUR).isoformat()}
    world.systems["legacy"] = Connection(id="accord_legacy", extra={"maintenance": [window]})
    found = world.check()
    assert {one.subject for one in found.breached} == {"payment__tryton_to_salesforce"}
    assert len([key for key in found.excused if ORDERS in key]) == 2
    world.systems["legacy"] = Connection(id="accord_legacy", extra={"maintenance": "nonsense"})
    assert ORDERS in {one.subject for one in world.check().breached}, "what can't be read excuses nothing"


def test_some_levels_alone_and_what_tasks_hand_on(world: Levels) -> None:
    world.ran(ago=2 * HOUR)
    found = evaluate(world.accord(), levels([ORDERS]))
    assert {one.subject for one in found.breached} == {ORDERS}
    assert type(found).from_dict(found.as_dict()) == found


def test_evaluation_is_quick_with_many_open_exceptions(world: Levels) -> None:
    """5,000 open exceptions: the hub is asked for all of them at once, not for each."""
    world.ran(ago=2 * HOUR)
    world.do(
        """INSERT INTO exception (kind, flow, object, target, key, category, queue, severity, message, currency, at_risk, opened)
           SELECT 'rejected', %s, 'order', 'tryton', n::text, 'credit limit exceeded', 'finance', 1 + n %% 4, '…', 'EUR', 1,
             now() - n * interval '1 minute' FROM generate_series(1, 5000) n""",
        ORDERS,
    )
    accord = world.accord()
    accord.kept = explaining = Explaining(dsn(world.hub))
    found = evaluate(accord)
    explaining.close()
    assert {one.records for one in found.breached if one.subject == ORDERS} == {5000}
    assert 0 < len(explaining.plans) < 20
