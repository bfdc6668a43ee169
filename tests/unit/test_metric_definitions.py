"""Every figure is defined once, and the page says what the definitions say."""

from __future__ import annotations

import re
from pathlib import Path

from accord.metrics.definitions import KPIS, METRICS, TECHNICAL, tables
from accord.metrics.facts import FACTS
from accord.metrics.technical import QUERIES
from accord.objects import OBJECTS

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"


def test_the_page_says_what_the_definitions_say() -> None:
    assert tables() in PAGE.read_text(), "put what `accord metrics --definitions` prints into docs/metrics.md"


def test_names_are_unique_and_good_for_prometheus() -> None:
    assert len(METRICS) == len(KPIS) + len(TECHNICAL)
    for metric in METRICS.values():
        assert re.fullmatch(r"accord_[a-z_]+", metric.exported)
        assert all(re.fullmatch(r"[a-z_]+", label) for label in metric.labels)


def test_every_technical_figure_has_its_query() -> None:
    assert list(QUERIES) == [metric.name for metric in TECHNICAL]


def test_facts_name_fields_that_exist() -> None:
    for name, facts in FACTS.items():
        fields = {field.name for field in OBJECTS[name].fields}
        for wanted in (facts.day, facts.amount, facts.less, facts.balance, facts.about):
            assert not wanted or wanted in fields, (name, wanted)
        if facts.state in fields:
            continue
        assert name in ("order", "contract", "contract_renewal"), f"{name} has no {facts.state}"
