"""The page of figures shows what was taken, in words and as a line, and says so when nothing was."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from fastapi.testclient import TestClient
from psycopg.types.json import Jsonb

from accord.hub import Hub
from accord.metrics.definitions import METRICS, STAGES
from accord.metrics.values import measure
from accord_airflow.console.kpis import sparkline
from accord_airflow.console.security import Person
from tests.dags.world import World


def raised(hub: Hub, key: str) -> None:
    with hub.session() as session:
        session.execute(
            """INSERT INTO exception (kind, flow, object, key, category, queue, severity, message)
               VALUES ('quarantined', 'f', 'order', %s, 'missing value', '<finance>', 2, 'm')""",
            (key,),
        )


def test_every_figure_is_on_the_page_with_its_trend(world: World, browser: Callable[..., TestClient]) -> None:
    hub = Hub(world.dsn)
    page = browser("viewer").get("kpis/").text
    assert "No business figure was taken yet" in page
    for metric in METRICS.values():
        assert metric.title in page
    raised(hub, "a")
    measure(hub)
    with hub.session() as session:
        session.execute("UPDATE kpi_value SET day = day - 2")
    raised(hub, "b")
    raised(hub, "c")
    measure(hub)
    page = browser("viewer").get("kpis/").text
    assert "were taken" in page
    assert "&lt;finance&gt;, 0-1" in page
    assert "<finance>" not in page
    assert '<td class="number">3</td>' in page
    assert '<span class="state bad">up 200 % since' in page, "more exceptions are worse"
    assert page.count('<svg class="spark"') == 4, "exceptions, their rate, and orders that wait: open and held"
    assert "lowest 1, highest 3" in page
    assert "<script>" not in page


def test_a_flow_s_figures_are_for_who_may_see_its_runs_and_money_for_who_may_see_all(
    world: World, browser: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = Hub(world.dsn)
    with hub.session() as session:
        for name in ("mine", "yours"):
            session.execute("INSERT INTO flow (name, declaration, watermark) VALUES (%s, '{}', now())", (name,))
    raised(hub, "a")
    with hub.session() as session:
        session.execute("UPDATE exception SET currency = 'EUR', at_risk = 1234")
    measure(hub)
    page = browser("viewer").get("kpis/").text
    assert "1,234.00 EUR" in page
    assert "<td>yours</td>" in page
    monkeypatch.setattr(Person, "may_read", lambda self, flows: [name for name in flows if name != "yours"])
    page = browser("viewer").get("kpis/").text
    assert "1,234.00 EUR" not in page
    assert "<td>yours</td>" not in page
    assert "<td>mine</td>" in page


def test_pipeline_to_cash_is_a_table_by_legal_entity(world: World, browser: Callable[..., TestClient]) -> None:
    hub = Hub(world.dsn)
    stages = {"ordered": 500, "invoiced": 300, "received": 121}
    with hub.session() as session:
        for stage, amount in stages.items():
            labels = Jsonb({"stage": stage, "legal_entity": "NL01", "currency": "EUR"})
            session.execute(
                "INSERT INTO kpi_value VALUES (current_date, 'pipeline_to_cash', %s, %s, 1, now())", (labels, amount)
            )
    page = browser("viewer").get("kpis/").text
    row = page.partition('<th scope="row">NL01</th><td>EUR</td>')[2].partition("</tr>")[0]
    cells = re.findall(r'<td class="number">([^<]*)</td>', row)
    assert cells == ["", "500.00", "", "300.00", "", "121.00", ""]
    assert set(stages) <= set(STAGES)


def test_the_overview_tells_those_that_matter_most(world: World, browser: Callable[..., TestClient]) -> None:
    hub = Hub(world.dsn)
    assert "None was taken yet." in browser("viewer").get("").text
    with hub.session() as session:
        for name, labels, value in (
            ("order_acceptance_seconds", {"legal_entity": "NL01", "statistic": "median"}, 720),
            ("order_acceptance_seconds", {"legal_entity": "NL01", "statistic": "p95"}, 3000),
            ("order_fallout_ratio", {}, "0.025"),
            ("exceptions_at_risk", {"queue": "finance", "currency": "EUR"}, 987654),
        ):
            session.execute(
                "INSERT INTO kpi_value VALUES (current_date, %s, %s, %s, 1, now())", (name, Jsonb(labels), value)
            )
    page = browser("viewer").get("").text
    assert "<dt>Order acceptance time</dt><dd>NL01, median: 12.0 min; NL01, p95: 50.0 min</dd>" in page
    assert "<dt>Order fallout rate</dt><dd>2.5 %</dd>" in page
    assert "Straight-through rate" not in page, "nothing is known of it"
    assert "987,654" not in page, "money is for those who may see every flow"


def test_a_line_spans_its_box_from_the_first_day_to_the_last() -> None:
    days = [date(2026, 3, 1), date(2026, 3, 2), date(2026, 3, 5)]
    points = [(day, Decimal(n)) for day, n in zip(days, (2, 4, 3), strict=True)]
    drawn = sparkline(points, [(day, str(n)) for day, n in points])
    assert 'points="3.0,29.0 41.5,3.0 157.0,16.0"' in drawn, "days that are missing keep their room"
    assert "<title>From 2 on 01 Mar to 3 on 05 Mar; lowest 2, highest 4</title>" in drawn
    flat = [(day, Decimal(7)) for day in days]
    assert 'points="3.0,16.0 41.5,16.0 157.0,16.0"' in sparkline(flat, [(day, "7") for day in days])
    assert sparkline(points[:1], []) == ""
