"""The dashboard asks for metrics that are exported, by labels they have, and leaves none out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

from accord.metrics.definitions import METRICS
from accord.metrics.openmetrics import HUB_UP, TAKEN

BOARD: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "docs" / "examples" / "grafana_dashboard.json").read_text(encoding="utf-8")
)
EXPORTED = {metric.exported: set(metric.labels) for metric in METRICS.values()} | {HUB_UP: set(), TAKEN: set()}
NAME = re.compile(r"\baccord_\w+")
# the labels an expression selects by, sums by, or shows
CHOSEN, SUMMED, SHOWN = re.compile(r"(\w+)\s*=~?\s*\""), re.compile(r"by \(([^)]*)\)"), re.compile(r"{{(\w+)}}")


def asked() -> Iterator[tuple[str, str]]:
    """(expression, legend) of every query, the variables' too."""
    for panel in BOARD["panels"]:
        yield from ((target["expr"], target["legendFormat"]) for target in panel.get("targets", ()))
    for variable in BOARD["templating"]["list"]:
        yield variable["definition"], ""


def test_every_metric_it_asks_for_is_exported_and_none_is_left_out() -> None:
    named = {name for expression, _ in asked() for name in NAME.findall(expression)}
    assert named == set(EXPORTED)


def test_every_label_it_uses_is_the_metric_s() -> None:
    for expression, legend in asked():
        (metric,) = set(NAME.findall(expression))
        used = {*CHOSEN.findall(expression), *SHOWN.findall(legend)}
        used |= {label.strip() for group in SUMMED.findall(expression) for label in group.split(",")}
        if variable := re.fullmatch(r"label_values\(\w+, (\w+)\)", expression):
            used.add(variable[1])
        assert used <= EXPORTED[metric], expression


def test_panels_have_their_own_number_and_place() -> None:
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])
    for one, other in combinations((panel["gridPos"] for panel in BOARD["panels"]), 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or above, (one, other)


def test_it_has_what_grafana_s_schema_requires() -> None:
    """As far as panels break without it: https://github.com/grafana/grafana-foundation-sdk, jsonschema."""
    source = {"type": "prometheus", "uid": f"${{{BOARD['__inputs'][0]['name']}}}"}
    assert BOARD["annotations"] == {"list": []}
    for panel in BOARD["panels"]:
        targets = panel.get("targets", ())
        assert len({target["refId"] for target in targets}) == len(targets)
        assert all(one["datasource"] == source for one in (panel, *targets) if panel["type"] != "row")
        if panel["type"] == "timeseries":
            assert panel["options"]["legend"].keys() == {"displayMode", "placement", "showLegend", "calcs"}
            assert panel["options"]["tooltip"].keys() == {"mode", "sort"}
    for variable in BOARD["templating"]["list"]:
        assert variable["datasource"] == source
        assert variable["query"] == {"query": variable["definition"], "refId": variable["name"], "qryType": 1}
