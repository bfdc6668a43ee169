"""`accord`: the same work without Airflow. Connections come from the environment, as Airflow's own AIRFLOW_CONN_* do."""

from __future__ import annotations

import argparse
import getpass
import json
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from accord.commands import reconcile
from accord.errors import AccordError
from accord.flows import FLOWS, flow
from accord.runtime import Accord


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when all is well, 1 when something is not."""
    asked = _parse(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    if asked.verbose:
        logging.getLogger("accord").setLevel(logging.INFO)
    accord = Accord.from_environment()
    command: Callable[[Accord, argparse.Namespace], int] = asked.command
    try:
        return command(accord, asked)
    except AccordError as error:
        if asked.json:
            _print_json({"error": type(error).__name__, "message": str(error), "cure": error.cure})
        else:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    finally:
        accord.close()


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = _parser()
    asked = parser.parse_args(arguments)
    if getattr(asked, "scheduled", False) and (asked.since or asked.until or asked.keys):
        parser.error("--scheduled reads from the watermark until now: leave out --since, --until and --key")
    return asked


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="accord", description="Keep Salesforce and the ERPs in agreement.", parents=[_common(default=False)]
    )
    common = _common(default=argparse.SUPPRESS)  # a default here would undo what was said before the command
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

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
        "--since", type=_instant, help="read what changed from this instant on (ISO 8601; UTC when it names no zone)"
    )
    run.add_argument("--until", type=_instant, help="read what changed before this instant")
    run.add_argument(
        "--key", action="append", default=[], dest="keys", metavar="KEY", help="read this record (may be repeated)"
    )
    run.add_argument("--full-refresh", action="store_true", help="read everything")
    run.add_argument(
        "--dry-run", action="store_true", help="up to the comparison; write nothing but the run and its gate results"
    )
    run.set_defaults(command=_run)

    doctor = commands.add_parser("doctor", parents=[common], help="check connections, permissions, fields and settings")
    doctor.set_defaults(command=_doctor)

    process = commands.add_parser("process", help="orders on their way from commitment to cash")
    actions = process.add_subparsers(required=True, metavar="ACTION")
    listed = actions.add_parser("list", parents=[common], help="how many orders stand where, and since when")
    listed.set_defaults(command=_process_list)
    for name, meaning in (
        ("show", "where one order stands, its history and what it waits for"),
        ("resume", "ask for one order, and before it for the customer it waits for"),
        ("abandon", "give one order up: cancel it in the ERP and tell sales why"),
    ):
        action = actions.add_parser(name, parents=[common], help=meaning)
        action.add_argument("key", metavar="KEY", help="the order's canonical id, salesforce:<id>")
        if name == "abandon":
            action.add_argument("--why", required=True, help="the reason; sales is told")
        action.set_defaults(command=_process, action=name)

    approvals = commands.add_parser("approvals", parents=[common], help="what waits for an approval")
    approvals.set_defaults(command=_approvals)
    for name in ("approve", "refuse"):
        decision = commands.add_parser(
            name, parents=[common], help=f"{name} what waits about one record, and go on with it"
        )
        decision.add_argument("key", metavar="KEY", help="the record's canonical id")
        decision.add_argument("--why", required=name == "refuse", default="", help="the reason; it is kept")
        decision.set_defaults(command=_decide, approved=name == "approve")

    reconcile.add(commands, common)

    docs = commands.add_parser("docs", parents=[common], help="write the business objects' pages and contracts")
    docs.add_argument("--folder", default="docs/objects", help="where to (docs/objects)")
    docs.set_defaults(command=_docs)

    hub = commands.add_parser("hub", help="the hub's schema").add_subparsers(required=True, metavar="ACTION")
    upgrade = hub.add_parser("upgrade", parents=[common], help="bring the hub's schema to this version")
    upgrade.set_defaults(command=_upgrade)
    return parser


def _common(default: object) -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", default=default, help="print JSON")
    common.add_argument("-v", "--verbose", action="store_true", default=default, help="log every step")
    return common


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


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
    summary = run_flow(accord, flow(asked.flow), params=params, kind=kind)
    if asked.json:
        _print_json(summary)
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
    from accord.hub.overview import overview

    state = overview(accord.hub)
    if asked.json:
        _print_json(state)
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
    for row in state["exceptions"]:
        print(f"  {row['open']:>6,} open: {row['category']} ({row['queue']})")
    if state["in_doubt"]:
        print(f"  {state['in_doubt']} dispatch(es) in doubt; the next run reads them back")
    return 0


def _process_list(accord: Accord, asked: argparse.Namespace) -> int:
    from accord import processes

    processes.place(accord.hub)
    rows = processes.overview(accord.hub)
    if asked.json:
        _print_json(rows)
        return 0
    for row in rows:
        print(
            f"{row['orders']:>7,} {row['step']:<17} {row['status']:<11} since {row['oldest']:%Y-%m-%d %H:%M}Z at the longest"
        )
    if not rows:
        print("No order is on its way.")
    return 0


def _process(accord: Accord, asked: argparse.Namespace) -> int:
    from accord import processes

    who = getpass.getuser()
    if asked.action == "resume":
        found = processes.resume(accord, asked.key, who=who)
    elif asked.action == "abandon":
        found = processes.abandon(accord, asked.key, who=who, why=asked.why)
    else:
        processes.place(accord.hub, asked.key)
        found = processes.inspect(accord, asked.key)
    if asked.json:
        _print_json(found)
        return 0
    print(f"{found['key']}: {found['step']}, {found['status']}, since {found['since']:%Y-%m-%d %H:%M}Z")
    for event in found["events"]:
        why = f": {event['why']}" if event["why"] else ""
        print(f"  {event['at']:%Y-%m-%d %H:%M:%S}Z {event['step']}, {event['status']} ({event['who']}{why})")
    for matter in found["waits"]:
        print(f"  waits: {matter['category']} ({matter['queue']}): {matter['message']}")
    return 0


def _approvals(accord: Accord, asked: argparse.Namespace) -> int:
    from accord.approvals import pending

    rows = pending(accord.hub)
    if asked.json:
        _print_json(rows)
        return 0
    for row in rows:
        money = f", {row['at_risk']:,.2f} {row['currency']}" if row["currency"] else ""
        print(
            f"{row['object']} {row['key']} since {row['opened']:%Y-%m-%d %H:%M}Z ({row['queue']}{money}): {row['message']}"
        )
    if not rows:
        print("Nothing waits for an approval.")
    return 0


def _decide(accord: Accord, asked: argparse.Namespace) -> int:
    from accord.approvals import decide

    matters = decide(accord, asked.key, approved=asked.approved, who=getpass.getuser(), why=asked.why)
    word = "approved" if asked.approved else "refused"
    if asked.json:
        _print_json({"key": asked.key, word: matters})
    else:
        print(f"{asked.key}: {matters} matter(s) {word}.")
    return 0


def _doctor(accord: Accord, asked: argparse.Namespace) -> int:
    from accord.doctor import examine

    checks = list(examine(accord))
    if asked.json:
        _print_json(
            [
                {"system": system, "subject": c.subject, "ok": c.ok, "found": c.found, "cure": c.cure}
                for system, c in checks
            ]
        )
    else:
        for system, check in checks:
            print(
                f"{'ok  ' if check.ok else 'BAD '} {system}: {check.subject.removeprefix(f'{system}: ')}: {check.found}"
            )
            if not check.ok:
                print(f"       cure: {check.cure}")
    return 0 if all(check.ok for _, check in checks) else 1


def _docs(accord: Accord, asked: argparse.Namespace) -> int:
    from pathlib import Path

    from accord.documentation import write_documents

    changed = write_documents(Path(asked.folder))
    if asked.json:
        _print_json({"changed": changed})
    else:
        print(f"Written: {', '.join(changed)}." if changed else "Everything is up to date.")
    return 0


def _upgrade(accord: Accord, asked: argparse.Namespace) -> int:
    revision = accord.hub.upgrade()
    if asked.json:
        _print_json({"revision": revision})
    else:
        print(f"The hub is at revision {revision}.")
    return 0


def _print_json(body: Any) -> None:
    print(json.dumps(body, indent=2, default=str))


if __name__ == "__main__":
    sys.exit(main())
