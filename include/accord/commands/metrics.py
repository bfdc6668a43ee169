"""Metrics: the figures as they stand, and what they mean."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING

from accord.commands.common import print_json

if TYPE_CHECKING:
    from accord.commands.common import Commands
    from accord.metrics.values import Value
    from accord.runtime import Accord


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """`accord metrics`."""
    metrics = commands.add_parser("metrics", parents=[common], help="business and technical figures, taken now")
    metrics.add_argument("--definitions", action="store_true", help="what each is, in Markdown, instead")
    metrics.set_defaults(command=_metrics)


def _metrics(accord: Accord, asked: argparse.Namespace) -> int:
    from accord.metrics.definitions import METRICS, tables

    if asked.definitions:
        print(tables())
        return 0
    from accord.metrics.values import latest, measure, technical

    measure(accord.hub)
    values = (*latest(accord.hub).values, *technical(accord.hub))
    if asked.json:
        print_json([asdict(one) | {"value": float(one.value), "unit": METRICS[one.name].unit} for one in values])
        return 0
    name = ""
    for one in values:
        if one.name != name:
            name, metric = one.name, METRICS[one.name]
            print(f"{metric.title} ({metric.window})")
        print(f"  {_line(one)}")
    return 0


def _line(one: Value) -> str:
    from accord.metrics.definitions import METRICS
    from accord.metrics.telling import shown

    metric = METRICS[one.name]
    labels = ", ".join(one.labels[name] for name in metric.labels if name in one.labels) or "all"
    return f"{shown(one):>18}  {labels}" + (
        f" (of {one.sample:,})" if metric.unit in ("ratio", "seconds", "days") else ""
    )
