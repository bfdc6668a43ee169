"""Reconciliation: hold both sides against each other, and how that went from night to night."""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from accord.commands.common import print_json, print_rows
from accord.errors import Stop
from accord.flows import FLOWS, reconciled_pairs

if TYPE_CHECKING:
    from accord.commands.common import Commands
    from accord.runtime import Accord

SHOWN = 50  # differences on a terminal; --json has all that are kept


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """`accord reconcile`."""
    objects = sorted({flow.object for flow in FLOWS.values()})
    reconcile = commands.add_parser(
        "reconcile", parents=[common], help="hold what the owner says against what the other side holds"
    )
    reconcile.add_argument("object", nargs="?", choices=objects, metavar="OBJECT", help=f"one of {', '.join(objects)}")
    reconcile.add_argument("--source", help="only what comes from this system")
    reconcile.add_argument("--target", help="only what goes to this system")
    reconcile.add_argument(
        "--key", action="append", default=[], dest="keys", metavar="KEY", help="look at this record (may be repeated)"
    )
    how = reconcile.add_mutually_exclusive_group()
    how.add_argument("--apply", action="store_const", const="all", help="correct everything, whatever it amounts to")
    how.add_argument("--dry-run", action="store_const", const="none", dest="apply", help="look only")
    how.add_argument("--list", "--trend", action="store_true", dest="trend", help="what the last ones found")
    reconcile.set_defaults(command=_reconcile)


def _reconcile(accord: Accord, asked: argparse.Namespace) -> int:
    if asked.trend:
        return _trend(accord, asked)
    if not asked.object:
        raise Stop("What is to be reconciled?", cure="Name an object, or ask for --list.")
    from accord.hub.reconciliations import Apply, differences_of, waits
    from accord.pipeline.reconcile import reconcile

    apply = Apply(asked.apply or Apply.AUTO)
    summaries = []
    for flow, target in reconciled_pairs(asked.object, source=asked.source, target=asked.target):
        summary = reconcile(accord, flow, target=target, keys=asked.keys, apply=apply, who=getpass.getuser())
        found = differences_of(accord.hub, summary["reconciliation"])
        summaries.append(summary | {"differences": found})
        if not asked.json:
            print("\n".join(_lines(summary, found)))
    if asked.json:
        print_json(summaries)
    return 1 if any(waits(summary) for summary in summaries) else 0


def _lines(summary: Mapping[str, Any], found: list[dict[str, Any]]) -> Iterator[str]:
    from accord.hub.reconciliations import amounts_of, describe

    yield describe(summary)
    for name, currency, source, target in amounts_of(summary):
        sign = "=" if source == target else "≠"
        yield f"  {name:<14} {source:>18,.2f} {currency} in the source {sign} {target:>18,.2f} {currency} in {summary['target']}"
    for row in found[:SHOWN]:
        where = f" ({', '.join(row['fields'])})" if row["fields"] else ""
        money = f", {row['at_risk']:,.2f} {row['currency']} at risk" if row["currency"] and row["at_risk"] else ""
        yield f"  {row['key']}: {row['class']}{where}: {row['cause']}{money}; {row['correction']}: {row['outcome']}"
    if len(found) > SHOWN:
        yield f"  and {len(found) - SHOWN:,} more; --json has them"


def _trend(accord: Accord, asked: argparse.Namespace) -> int:
    from accord.hub.reconciliations import describe, trend

    def line(row: Mapping[str, Any]) -> str:
        scope = f"{row['keys']} key(s)" if row["keys"] else "everything"
        risk = "".join(f", {Decimal(amount):,.2f} {currency} at risk" for currency, amount in row["at_risk"].items())
        return f"{row['started']:%Y-%m-%d %H:%M}Z {scope}: {describe(row)}{risk}"

    rows = trend(accord.hub, asked.object, asked.target)
    return print_rows(rows, line, empty="Nothing was reconciled yet.", as_json=asked.json)
