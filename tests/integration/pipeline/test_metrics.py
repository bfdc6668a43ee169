"""The figures are what their definitions say, computed from what the hub holds and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from accord.cli import main
from accord.flows import FLOWS
from accord.hub.connection import only
from accord.metrics.definitions import KPIS, METRICS, STAGES
from accord.metrics.facts import keep_facts
from accord.metrics.values import FRESH, latest, measure, technical, trends
from accord.objects.order import ORDER
from accord.recurring import RENEWAL_NOTICE
from accord.service_levels.measures import business_days_before
from accord.service_levels.targets import FRESHNESS
from tests.world import World

pytestmark = pytest.mark.usefixtures("open_gates")

NOW = datetime.now(UTC)
TODAY = NOW.date()
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def do(world: World, statement: str, *arguments: Any) -> None:
    with world.kept[0].session() as session:
        session.execute(statement.encode(), arguments)


def told(
    world: World,
    object_name: str,
    key: str,
    *,
    to: str = "salesforce",
    at: datetime = NOW,
    version: datetime = NOW,
    refs: Sequence[str] = (),
    **plain: Any,
) -> None:
    """A target took the record: what settling a dispatch writes of it."""
    stream = world.kept[0].stream(to, object_name)
    do(world, "INSERT INTO flow (name, declaration) VALUES ('f', '{}') ON CONFLICT DO NOTHING")
    do(world, "INSERT INTO run (flow, engine_run, kind) VALUES ('f', 'r', 'scheduled') ON CONFLICT DO NOTHING")
    run = world.rows("SELECT id FROM run WHERE engine_run = 'r'")[0]["id"]
    sent = world.rows(
        """INSERT INTO dispatch (run, attempt, stream, chunk, part, file, send_before, closed, counts)
           VALUES (%s, 1, %s, (SELECT count(*) FROM dispatch), 0, '{}', now(), %s, '{"applied": 1}') RETURNING id""",
        run,
        stream,
        at,
    )[0]["id"]
    do(
        world,
        "INSERT INTO delivery (at, dispatch, stream, key, version, outcome) VALUES (%s, %s, %s, %s, %s, 'applied')",
        at,
        sent,
        stream,
        key,
        version,
    )
    do(
        world,
        """INSERT INTO image (stream, key, dispatch, refs, plain, personal) VALUES (%s, %s, %s, %s, %s, '{}')
           ON CONFLICT (stream, key) DO UPDATE SET plain = excluded.plain, refs = excluded.refs""",
        stream,
        key,
        sent,
        list(refs) or None,
        Jsonb({name: str(value) if isinstance(value, date) else value for name, value in plain.items()}),
    )


def order(
    world: World, key: str, *, committed: datetime, accepted: datetime | None, entity: str = "NL01", **plain: Any
) -> None:
    """An order Accord saw when it was committed."""
    opened = plain.pop("opened", committed + MINUTE)
    step, status = ("created", "open") if accepted else ("validated", "open")
    if plain.pop("paid", False):
        step, status = "paid", "done"
    do(
        world,
        "INSERT INTO process (name, key, step, status, opened) VALUES ('quote_to_cash', %s, %s, %s, %s)",
        key,
        step,
        status,
        opened,
    )
    if accepted:
        lines = {
            "1": {"quantity": "2", "unit_price": "50.00"},
            "2": {"quantity": "1", "unit_price": "9", "cancelled": True},
        }
        usual = {"legal_entity": entity, "currency": "EUR", "order_date": committed.date(), "lines": lines}
        told(world, "order", key, to="tryton", at=accepted, version=committed, **usual | plain)


def exception(world: World, key: str, *, object_name: str = "order", opened: datetime = NOW, **values: Any) -> int:
    usual = {
        "kind": "quarantined", "flow": "f", "object": object_name, "key": key, "category": "missing value",
        "queue": "sales operations", "severity": 2, "message": "m", "opened": opened,
    } | values  # fmt: skip
    query = sql.SQL("INSERT INTO exception ({}) VALUES ({}) RETURNING id").format(
        sql.SQL(", ").join(map(sql.Identifier, usual)), sql.SQL(", ").join(sql.Placeholder() * len(usual))
    )
    with world.kept[0].session() as session:
        return int(only(session.execute(query, list(usual.values())))["id"])


def values(world: World, name: str) -> dict[tuple[str, ...], tuple[float, int]]:
    """Label values in the declared order → (value, sample), taken now."""
    measure(world.kept[0])
    return {
        tuple(one.labels[label] for label in METRICS[name].labels): (float(one.value), one.sample)
        for one in latest(world.kept[0]).values
        if one.name == name
    }


def test_every_figure_of_an_empty_hub_is_absent_or_nothing(world: World) -> None:
    assert measure(world.kept[0]) == 2
    taken = latest(world.kept[0])
    assert {(one.name, one.value) for one in taken.values} == {("orders_pending", 0)}
    assert taken.at
    assert {one.name for one in technical(world.kept[0])} >= {"alerts_open", "notices_waiting"}


def test_labels_are_those_declared(world: World) -> None:
    for name in ("A", "B", "C"):
        order(world, name, committed=NOW - 3 * HOUR, accepted=NOW - HOUR, entity=name)
    exception(world, "A", at_risk=Decimal(5), currency="EUR")
    do(world, "INSERT INTO process (name, key, step) VALUES ('lead_to_customer', 'c', 'created')")
    measure(world.kept[0])
    found = latest(world.kept[0]).values + technical(world.kept[0])
    assert len({one.name for one in found}) > 10
    for one in found:
        assert set(one.labels) == set(METRICS[one.name].labels), one.name


def test_acceptance_runs_from_salesforce_to_the_erp_and_pending_orders_are_told_apart(world: World) -> None:
    for number, took in enumerate((10, 20, 30)):
        order(world, f"O{number}", committed=NOW - 2 * DAY, accepted=NOW - 2 * DAY + took * MINUTE)
    order(world, "old", committed=NOW - 30 * DAY, accepted=NOW)
    order(world, "history", committed=NOW - 90 * DAY, accepted=NOW, opened=NOW - HOUR)  # loaded today, of last quarter
    order(world, "waits", committed=NOW - 2 * HOUR, accepted=None)
    told(world, "order", "O0", to="tryton", at=NOW, version=NOW, legal_entity="NL01")  # an amendment is no acceptance
    assert values(world, "order_acceptance_seconds") == {
        ("NL01", "median"): (20 * 60, 3),
        ("NL01", "p95"): (29 * 60, 3),
    }
    assert values(world, "orders_pending") == {("open",): (1, 1), ("held",): (0, 0)}
    age, sample = values(world, "order_pending_age_seconds")["open", "max"]
    assert sample == 1
    assert age == pytest.approx((2 * HOUR - MINUTE).total_seconds(), abs=600)


def test_fallout_and_straight_through(world: World) -> None:
    for name in ("clean", "parked", "quarantined", "assigned", "approved", "looked at"):
        order(world, name, committed=NOW - DAY, accepted=NOW - HOUR)
    exception(world, "clean", kind="difference", state="closed")  # found by a reconciliation
    exception(world, "parked", kind="parked", state="closed")
    exception(world, "quarantined", state="closed")
    assigned = exception(world, "assigned", kind="parked", state="closed")
    do(
        world,
        "INSERT INTO audit (who, what, subject) VALUES ('ann', 'exception assigned', %s)",
        f"exception:{assigned}",
    )
    do(world, "INSERT INTO audit (who, what, subject) VALUES ('ann', 'values looked at', 'order looked at')")
    do(
        world,
        "INSERT INTO approval (object, key, rule, version, approved, who) VALUES ('order', 'approved', 'r', now(), true, 'bob')",
    )
    assert values(world, "order_fallout_ratio") == {(): (0.5, 6)}
    assert values(world, "straight_through_ratio") == {("NL01",): (0.5, 6)}


def documents(world: World) -> None:
    """An order shipped, billed and paid, in parts; what it is worth is 100, 21 tax."""
    order(world, "O", committed=NOW - 20 * DAY, accepted=NOW - 20 * DAY + HOUR, paid=True)
    told(world, "order_status", "O", status="Paid", total="121.00", tax="21.00", booked_date=TODAY)
    usual = {"legal_entity": "NL01", "currency": "EUR", "order": "O", "refs": ["O"]}
    ship = {"status": "Shipped", "kind": "Shipment"} | usual
    told(world, "shipment", "S1", shipped_date=TODAY - 15 * DAY, **ship)
    told(world, "shipment", "S2", shipped_date=TODAY - 5 * DAY, **ship)
    told(world, "shipment", "R", shipped_date=TODAY - 12 * DAY, **ship | {"kind": "Return"})
    bill = {"status": "Paid", "net": "50.00", "total": "60.50"} | usual
    told(world, "invoice", "I1", invoice_date=TODAY - 11 * DAY, open_balance="0", **bill)
    told(world, "invoice", "I2", invoice_date=TODAY - 3 * DAY, open_balance="10.50", **bill | {"status": "Partly Paid"})
    money = {"legal_entity": "NL01", "currency": "EUR", "status": "Applied", "unapplied": "0"}
    told(world, "payment", "P1", paid_on=TODAY - 9 * DAY, amount="60.50", refs=["c", "I1"], **money)
    told(world, "payment", "P2", paid_on=TODAY - 1 * DAY, amount="50.00", refs=["c", "I2"], **money)
    told(world, "payment", "P3", paid_on=TODAY, amount="9.00", refs=["c", "I2"], **money | {"status": "Reversed"})
    credit = {"invoice_date": TODAY, "net": "5.00", "open_balance": "0", "status": "Posted", "currency": "EUR"}
    told(world, "credit_memo", "C", legal_entity="NL01", refs=["c", "O", "I2"], order="O", **credit)


def test_cycle_and_latency_are_counted_in_business_dates(world: World) -> None:
    documents(world)
    assert values(world, "order_cycle_days") == {("NL01", "median"): (19, 1), ("NL01", "p95"): (19, 1)}
    latency = values(world, "invoice_latency_days")  # 4 days after S1, 2 after S2
    assert latency["NL01", "median"] == (3, 2)
    assert values(world, "credited_ratio") == {("NL01",): (0.5, 2)}


def test_pipeline_to_cash_per_legal_entity(world: World) -> None:
    documents(world)
    exception(world, "held", at_risk=Decimal("70.00"), currency="USD")
    exception(world, "held", at_risk=Decimal("70.00"), currency="USD", category="dates out of order")
    assert {labels: value for labels, (value, _) in values(world, "pipeline_to_cash").items()} == {
        ("ordered", "NL01", "EUR"): 100,
        ("booked", "NL01", "EUR"): 100,
        ("invoiced", "NL01", "EUR"): 100,
        ("credited", "NL01", "EUR"): 5,
        ("received", "NL01", "EUR"): 110.5,
        ("outstanding", "NL01", "EUR"): 10.5,
        ("held", "unknown", "USD"): 70,
    }
    assert {stage for stage, *_ in values(world, "pipeline_to_cash")} == set(STAGES)


def test_how_soon_sales_sees_invoices_and_money(world: World) -> None:
    for number, took in enumerate((10, 30, 90)):
        usual = {"version": NOW - DAY, "at": NOW - DAY + took * MINUTE, "legal_entity": "DE01"}
        told(world, "invoice", f"I{number}", **usual)
        told(world, "payment", f"P{number}", **usual)
    told(world, "invoice", "history", version=NOW - 90 * DAY, at=NOW, legal_entity="DE01")
    exception(world, "held", object_name="payment", opened=NOW - 2 * HOUR)
    exception(world, "P0", object_name="payment", opened=NOW - 2 * HOUR)  # it was seen, and changed since
    exception(world, "just now", object_name="payment", opened=NOW - MINUTE)
    assert values(world, "invoice_visibility_seconds")["DE01", "median"] == (1800, 3)
    assert values(world, "cash_visibility_ratio") == {("DE01",): (0.666667, 3), ("unknown",): (0, 1)}
    assert FRESHNESS["payment"][1] == HOUR, "what the view calls visible in time"


def renewing(world: World, key: str, *, amount: str, ends: date, **renewal: Any) -> None:
    told(world, "contract", key, to="tryton", legal_entity="US01", currency="USD", end_date=ends)
    told(world, "contract_status", key, status="Active", renewal_value=amount, renewal_date=ends + DAY)
    if renewal:
        told(world, "contract_renewal", key, renewal=f"R{key}", refs=[f"R{key}"])
        told(
            world,
            "renewal",
            f"R{key}",
            legal_entity="US01",
            **{"currency": "USD", "amount": amount, "close_date": ends} | renewal,
        )


def test_a_renewal_is_accurate_while_it_says_what_the_contract_says(world: World) -> None:
    soon = TODAY + 30 * DAY
    renewing(world, "right", amount="1200.00", ends=soon, stage="Qualification")
    renewing(world, "amended since", amount="1200.00", ends=soon, amount_="", stage="Qualification")
    told(world, "contract_status", "amended since", status="Active", renewal_value="1500.00", renewal_date=soon + DAY)
    renewing(world, "other day", amount="1200.00", ends=soon, close_date=soon - DAY)
    renewing(world, "none", amount="1200.00", ends=soon)
    renewing(world, "far", amount="1200.00", ends=TODAY + 200 * DAY)
    assert values(world, "renewal_accuracy_ratio") == {("US01",): (0.25, 4)}
    assert RENEWAL_NOTICE == 90 * DAY, "how far the view looks"


def test_exceptions_age_in_business_days(world: World) -> None:
    for days in (0, 1, 3, 5):
        exception(world, f"just {days}", opened=business_days_before(NOW, days) + HOUR if days else NOW)
        exception(world, f"over {days}", opened=business_days_before(NOW, days) - 2 * HOUR if days else NOW)
    found = {labels[1]: n for labels, (n, _) in values(world, "exceptions_open").items()}
    assert found == {"0-1": 3, "1-3": 2, "3-5": 2, "over 5": 1}


def test_business_days_are_counted_as_the_service_levels_do(world: World) -> None:
    for hours in range(0, 24 * 9, 7):
        at = datetime(2026, 3, 2, 5, tzinfo=UTC) + timedelta(hours=hours)
        for days in (0, 1, 3, 5):
            found = world.rows("SELECT business_days_before(%s, %s) AS at", at, days)[0]["at"]
            assert found == business_days_before(at, days), (at, days)


def test_exception_rate_and_money_at_risk(world: World) -> None:
    for number in range(3):
        told(world, "order", f"O{number}", to="tryton")
    exception(world, "x", at_risk=Decimal("12.50"), currency="EUR")
    exception(world, "y", opened=NOW - 30 * DAY, at_risk=Decimal("0.50"), currency="EUR")
    assert values(world, "exception_ratio") == {("order",): (0.25, 4)}
    assert values(world, "exceptions_at_risk") == {("sales operations", "EUR"): (13, 2)}


def test_clusters_count_their_surplus(world: World) -> None:
    for number in range(10):
        do(world, "INSERT INTO process (name, key, step) VALUES ('lead_to_customer', %s, 'created')", f"c{number}")
    # a triangle of three, seen from every side, and a pair: 2 + 1 too many
    for key, other in (("c1", "c2"), ("c2", "c3"), ("c3", "c1"), ("c2", "c1"), ("c8", "c9")):
        exception(world, key, object_name="customer", kind="duplicate", category=f"{key} {other}", other=other)
    assert values(world, "duplicate_ratio") == {(): (0.3, 10)}


def test_accuracy_is_the_last_whole_reconciliation_s(world: World) -> None:
    stream = world.kept[0].stream("tryton", "customer")

    def reconciled(counts: Mapping[str, int], keys: int | None = None) -> None:
        do(
            world,
            "INSERT INTO reconciliation (flow, stream, keys, mode, who, counts, ended) VALUES ('f', %s, %s, 'auto', 's', %s, now())",
            stream,
            keys,
            Jsonb(dict(counts)),
        )

    reconciled({"agreed": 1, "missing": 99})
    reconciled({"agreed": 90, "excluded": 50, "in flight": 3, "missing": 4, "field differs": 5, "waiting": 1})
    reconciled({"agreed": 1}, keys=1)
    assert values(world, "customer_master_accuracy_ratio") == {("f", "tryton"): (0.9, 100)}


def test_retries_are_the_attempts_after_the_first_that_nobody_asked_for(world: World) -> None:
    key = world.customer("1")
    world.tryton.locks.add(key)
    world.run()
    world.run()
    world.tryton.locks.clear()
    world.run()
    customer = {labels: n for labels, (n, _) in values(world, "retries").items()}
    assert customer == {("customer", "tryton"): 2}
    do(world, "UPDATE run SET kind = 'replay' WHERE id = (SELECT max(id) FROM run)")
    assert {labels: n for labels, (n, _) in values(world, "retries").items()} == {("customer", "tryton"): 1}


def test_facts_come_from_what_was_sent_and_only_once(world: World) -> None:
    world.clock, world.tryton.lacks = NOW - HOUR, frozenset()
    customer = world.customer("1")
    world.run()
    lines = [{"id": "L1", "product": "tryton:P", "quantity": "3", "unit_price": "20.00", "cancelled": False}]
    usual = {
        "number": "1",
        "customer": customer,
        "legal_entity": "NL01",
        "currency": "EUR",
        "status": "Activated",
        "total": "60.00",
    }
    put = {"order_date": TODAY, "lines": lines} | usual
    key = world.source.put(ORDER, "O1", at=world.tick(), **put)
    stream = world.kept[0].stream("tryton", "product")
    do(world, "INSERT INTO link (stream, key, native, hash) VALUES (%s, 'tryton:P', 'P', '')", stream)
    world.tryton.locks.add(key)
    world.run(FLOWS["order__salesforce_to_erp"])
    world.tryton.locks.clear()
    world.run(FLOWS["order__salesforce_to_erp"])
    assert keep_facts(world.kept[0]) == 1
    assert keep_facts(world.kept[0]) == 0, "nothing new"
    fact = world.rows("SELECT * FROM kpi_record")[0]
    assert (fact["object"], fact["legal_entity"], fact["currency"], fact["day"]) == ("order", "NL01", "EUR", TODAY)
    assert fact["amount"] == 60
    first = fact["first_at"]
    sent = world.rows("SELECT outcome, at FROM delivery WHERE key = %s AND stream = %s", key, fact["stream"])
    outcomes = {row["outcome"]: row["at"] for row in sent}
    assert set(outcomes) == {"parked", "applied"}
    assert first == outcomes["applied"], "what was not taken is not there"
    lines[0]["quantity"] = "4"
    world.source.put(ORDER, "O1", at=world.tick(), **put)
    world.run(FLOWS["order__salesforce_to_erp"])
    keep_facts(world.kept[0])
    fact = world.rows("SELECT * FROM kpi_record")[0]
    assert (fact["amount"], fact["first_at"]) == (80, first)


def test_a_day_keeps_its_last_values_and_the_trend_has_them(world: World) -> None:
    hub = world.kept[0]
    exception(world, "a")
    measure(hub)
    do(world, "UPDATE kpi_value SET day = day - 1")
    exception(world, "b")
    assert measure(hub, fresh=FRESH) > 0, "nothing was taken today"
    assert measure(hub, fresh=FRESH) == 0, "taken just now"
    exception(world, "c")
    measure(hub)
    (series,) = trends(hub)["exceptions_open"]
    assert [int(value) for _, value in series.points] == [1, 3]
    assert series.points[1][0] - series.points[0][0] == DAY


def test_the_command_says_them(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hub = world.hub_connection
    body = {"conn_type": "postgres", "host": hub.host, "port": hub.port, "login": hub.login, "password": hub.password}
    monkeypatch.setenv("AIRFLOW_CONN_ACCORD_HUB", json.dumps(body | {"schema": hub.schema}))
    documents(world)
    assert main(["metrics"]) == 0
    text = capsys.readouterr().out
    assert "100.00 EUR  booked, NL01, EUR" in text
    assert "19.0 d  NL01, median (of 1)" in text
    assert main(["metrics", "--json"]) == 0
    found = {(one["name"], *one["labels"].values()): one for one in json.loads(capsys.readouterr().out)}
    assert found["alerts_open", "critical"]["value"] == 0
    assert main(["metrics", "--definitions"]) == 0
    assert "| **Order cycle time**" in capsys.readouterr().out


def test_every_view_is_declared_and_every_declaration_has_its_view(world: World) -> None:
    views = {
        row["viewname"] for row in world.rows("SELECT viewname FROM pg_views WHERE viewname LIKE 'kpi!_%%' ESCAPE '!'")
    }
    assert views == {metric.view for metric in KPIS} | {"kpi_order"}
