"""Flows: where each stands, and one run of one."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from accord.commands.common import instant, print_json
from accord.errors import SystemShut
from accord.flows import FLOWS, flow

if TYPE_CHECKING:
    from accord.commands.common import Commands
    from accord.runtime import Accord


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """`accord status` and `accord run`."""
    status = commands.add_parser("status", parents=[common], help="where every flow stands")
    status.set_defaults(command=_status)

    run = commands.add_parser("run", parents=[common], help="run a flow once, as its DAG would")
    run.add_argument("flow", choices=sorted(FLOWS), metavar="FLOW", help=f"one of {', '.join(sorted(FLOWS))}")
    run.add_argument(
        "--scheduled",
        action="store_true",
        help="from the watermark (with the flow's overlap) until now, and move the watermark: for cron, without Airflow",
    )
    run.add_argument(
        "--since", type=instant, help="read what changed from this instant on (ISO 8601; UTC when it names no zone)"
    )
    run.add_argument("--until", type=instant, help="read what changed before this instant")
    run.add_argument(
        "--key", action="append", default=[], dest="keys", metavar="KEY", help="read this record (may be repeated)"
    )
    run.add_argument("--full-refresh", action="store_true", help="read everything")
    run.add_argument(
        "--dry-run", action="store_true", help="up to the comparison; write nothing but the run and its gate results"
    )
    run.set_defaults(command=_run)


def _run(accord: Accord, asked: argparse.Namespace) -> int:
    from accord.pipeline.flow_run import run_flow
    from accord.pipeline.runs import Params, RunKind

    params = Params(
        since=asked.since,
        until=asked.until,
        keys=tuple(asked.keys),
        dry_run=asked.dry_run,
        full_refresh=asked.full_refresh,
    )
    kind = RunKind.SCHEDULED if asked.scheduled else RunKind.MANUAL
    try:
        summary = run_flow(accord, flow(asked.flow), params=params, kind=kind)
    except SystemShut as shut:
        if kind is RunKind.MANUAL:
            raise
        # the next run of the schedule reads what this one would have: nothing to wake anybody for
        if asked.json:
            print_json({"waits": shut.system, "until": shut.until})
        else:
            print(shut)
        return 0
    if asked.json:
        print_json(summary)
    else:
        print("\n".join(summary_lines(summary)))
    return 0


def summary_lines(summary: Mapping[str, Any]) -> list[str]:
    """A run's summary, one line per target."""
    from accord.pipeline.settle import IN, OUT

    came = ", ".join(f"{summary[b]:,} {b}" for b in IN if summary[b] or b == "extracted")
    lines = [
        f"{summary['flow']} (run {summary['run']}{', dry' if summary['dry_run'] else ''}): {came}{_amounts(summary['amounts'])}"
    ]
    buckets = (*OUT, "changed") if summary["dry_run"] else OUT
    for target, part in summary["targets"].items():
        parts = [
            f"{part['counts'][b]:,} {b}{_amounts(part['amounts'].get(b, {}))}" for b in buckets if part["counts"].get(b)
        ]
        lines.append(f"  → {target}: {', '.join(parts) or 'nothing'}")
    return lines


def _amounts(sums: Mapping[str, str]) -> str:
    return f" ({', '.join(f'{amount} {currency}' for currency, amount in sorted(sums.items()))})" if sums else ""


def _status(accord: Accord, asked: argparse.Namespace) -> int:
    from accord.availability import lines
    from accord.hub.overview import overview

    state = overview(accord.hub) | {"systems": accord.availability.overview()}
    if asked.json:
        print_json(state)
        return 0
    for name in FLOWS:
        one = state["flows"].get(name)
        if one is None:
            print(f"{name}: never ran")
            continue
        print(
            f"{name}: {one['state']} {one['ended'] or one['started']}, watermark {one['watermark'] or 'none'}, "
            f"{one['extracted']} extracted"
            + (
                f", {one['unlinked']} left out or incomplete until what they refer to is known"
                if one["unlinked"]
                else ""
            )
            + (f", error: {one['error']}" if one["error"] else "")
        )
    for line in lines(state["systems"]):
        print(line)
    for row in state["exceptions"]:
        print(f"  {row['open']:>6,} open: {row['category']} ({row['queue']})")
    if state["in_doubt"]:
        print(f"  {state['in_doubt']} dispatch(es) in doubt; the next run reads them back")
    return 0
