"""Every query of the Grafana dashboard, parsed as PromQL and answered from a scrape of a hub in which something of everything happened."""

from __future__ import annotations

import re
import time
from decimal import Decimal
from typing import Any

import promql_parser as promql
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from accord.metrics.openmetrics import exposition
from accord.metrics.values import measure
from tests.integration.pipeline.test_metrics import DAY, HOUR, NOW, TODAY, do, documents, exception, order, renewing
from tests.unit.test_grafana_dashboard import asked
from tests.world import World

Answer = dict[frozenset[tuple[str, str]], float]
VARIABLES = {"legal_entity": "NL01|US01", "flow": ".+"}  # as Grafana puts what is chosen into a query


@pytest.fixture
def scraped(world: World) -> dict[str, Answer]:
    """Metric → labels → value, as a scraper gets them."""
    key = world.customer("1")
    world.tryton.locks.add(key)
    for _ in range(2):
        world.run()
    documents(world)
    order(world, "new", committed=NOW - DAY, accepted=NOW - DAY + HOUR)
    order(world, "pending", committed=NOW - DAY, accepted=None)
    renewing(world, "right", amount="1200.00", ends=TODAY + 30 * DAY, stage="Qualification")
    exception(world, "held", at_risk=Decimal("70.00"), currency="USD")
    exception(world, "c1", object_name="customer", kind="duplicate", other="c2")
    for statement in (
        "UPDATE run SET kind = 'scheduled', state = 'failed', ended = now()",
        "UPDATE flow SET watermark = now()",
        "INSERT INTO system (name, used, allowed, told) VALUES ('salesforce', 40, 100, now())",
        "INSERT INTO subscription (name, position) VALUES ('billing', 0)",
        "INSERT INTO process (name, key, step, opened) VALUES ('lead_to_customer', 'c1', 'ensured', now())",
        "INSERT INTO reconciliation (flow, stream, mode, who, counts, ended) SELECT flow, stream, 'auto', 's', '{\"agreed\": 9}', now()"
        " FROM dispatch JOIN run ON run.id = run JOIN stream ON stream.id = stream WHERE object = 'customer' LIMIT 1",
        "INSERT INTO alert (key, body, severity, owner, escalate_at) VALUES ('k', '{}', 'error', 'finance', now())",
        "UPDATE dispatch SET closed = NULL, send_before = now() - interval '1 h' WHERE id = (SELECT min(id) FROM dispatch)",
    ):
        do(world, statement)
    measure(world.kept[0])
    body, _ = exposition(world.kept[0], "application/openmetrics-text; version=1.0.0")
    return {
        sample.name: {frozenset(one.labels.items()): one.value for one in family.samples if one.name == sample.name}
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }


def answer(query: Any, scraped: dict[str, Answer]) -> Answer:
    """What Prometheus would answer now, of the few things the dashboard asks."""
    match query:
        case promql.VectorSelector():
            assert all(one.op == promql.MatchOp.Re for one in query.matchers.matchers)
            wanted = [(one.name, re.compile(one.value)) for one in query.matchers.matchers]
            return {
                labels: value
                for labels, value in scraped[query.name].items()
                if all(words.fullmatch(dict(labels).get(name, "")) for name, words in wanted)
            }
        case promql.AggregateExpr():
            assert str(query.op).startswith("sum")
            summed: Answer = {}
            for labels, value in answer(query.expr, scraped).items():
                kept = frozenset((name, text) for name, text in labels if name in query.modifier.labels)
                assert len(kept) == len(query.modifier.labels), "it sums by labels there are"
                summed[kept] = summed.get(kept, 0) + value
            return summed
        case promql.BinaryExpr() if str(query.op) == ">":
            return {labels: value for labels, value in answer(query.lhs, scraped).items() if value > query.rhs.val}
        case promql.BinaryExpr() if str(query.op) == "-" and query.lhs.func.name == "time":
            return {labels: time.time() - value for labels, value in answer(query.rhs, scraped).items()}
    raise AssertionError(f"{query.prettify()}: teach this test what it means")


def test_every_query_is_answered_and_every_variable_has_something_to_choose(scraped: dict[str, Answer]) -> None:
    queries = {expression: legend for expression, legend in asked() if not expression.startswith("label_values")}
    assert len(queries) > 25
    empty = []
    for expression, legend in queries.items():
        for name, chosen in VARIABLES.items():
            expression = expression.replace(f"${name}", chosen)
        found = answer(promql.parse(expression), scraped)
        if not found:
            empty.append(expression)
        for labels in found:
            assert set(re.findall(r"{{(\w+)}}", legend)) <= {name for name, _ in labels}, (expression, legend)
    assert empty == []
    (age,) = answer(promql.parse("time() - accord_metrics_taken_timestamp_seconds"), scraped).values()
    assert 0 <= age < HOUR.total_seconds()
    for expression, _ in asked():
        if found := re.fullmatch(r"label_values\((\w+), (\w+)\)", expression):
            assert {dict(labels)[found[2]] for labels in scraped[found[1]]}, expression
