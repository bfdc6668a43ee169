"""Alerts: what is late, who was told, and saying that somebody sees to it; the service levels as they stand."""

from __future__ import annotations

import argparse
import getpass
from typing import TYPE_CHECKING, Any

from accord.commands.common import print_json, print_rows

if TYPE_CHECKING:
    from accord.commands.common import Commands
    from accord.runtime import Accord


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """`accord alerts`."""
    alerts = commands.add_parser("alerts", help="what is late, who was told of it, and who sees to it")
    actions = alerts.add_subparsers(required=True, metavar="ACTION")
    listed = actions.add_parser("list", parents=[common], help="open alerts, the gravest first")
    listed.add_argument("--recovered", action="store_true", help="those that are over instead, the last ones first")
    listed.set_defaults(command=_list)
    check = actions.add_parser("check", parents=[common], help="measure every service level now, tell nobody")
    check.set_defaults(command=_check)
    show = actions.add_parser("show", parents=[common], help="one alert, and what became of telling it")
    show.set_defaults(command=_show)
    acknowledge = actions.add_parser("acknowledge", parents=[common], help="see to one: it is escalated no more")
    acknowledge.add_argument("--why", default="", help="kept with the alert")
    acknowledge.set_defaults(command=_acknowledge)
    close = actions.add_parser("close", parents=[common], help="say that one is over which nothing measures any more")
    close.add_argument("--why", required=True, help="kept with the alert")
    close.set_defaults(command=_close)
    for action in (show, acknowledge, close):
        action.add_argument("alert", type=int, metavar="ALERT", help="its number")


def _list(accord: Accord, asked: argparse.Namespace) -> int:
    from accord.service_levels.ledger import alerts

    rows = alerts(accord.hub, recovered=asked.recovered)
    empty = "No alert." if asked.recovered else "No alert is open."
    return print_rows(rows, _line, empty=empty, as_json=asked.json)


def _line(row: dict[str, Any]) -> str:
    parts = [f"{row['id']:>6}  {row['severity']:<8} {row['state']:<12} {row['body']['summary']}"]
    parts.append(f"since {row['opened']:%Y-%m-%d %H:%M}Z, {row['owner']}")
    if row["recovered"]:
        parts.append(f"until {row['recovered']:%Y-%m-%d %H:%M}Z")
    if row["step"]:
        parts.append(f"escalated {row['step']} time(s)")
    if row["undelivered"]:
        parts.append(f"{row['undelivered']} NOTICE(S) NOT DELIVERED")
    return ", ".join(parts)


def _check(accord: Accord, asked: argparse.Namespace) -> int:
    from accord.service_levels.evaluation import evaluate

    found = evaluate(accord)
    if asked.json:
        print_json(found.as_dict())
    else:
        for one in found.breached:
            print(f"{one.severity:<8} {one.summary}{' (a symptom)' if one.covered else ''}: {one.consequence}")
        print(
            f"{len(found.met)} kept, {len(found.breached)} not, {len(found.excused)} excused by maintenance, "
            f"{len(found.unmeasured)} unknown (their flow never ran by its schedule)"
        )
    return 1 if found.breached else 0


def _show(accord: Accord, asked: argparse.Namespace) -> int:
    from accord.service_levels.ledger import show

    return _print(accord, show(accord.hub, asked.alert), asked)


def _acknowledge(accord: Accord, asked: argparse.Namespace) -> int:
    from accord.service_levels.ledger import acknowledge

    return _print(accord, acknowledge(accord.hub, asked.alert, who=getpass.getuser(), why=asked.why), asked)


def _close(accord: Accord, asked: argparse.Namespace) -> int:
    from accord.service_levels.ledger import close

    return _print(accord, close(accord.hub, asked.alert, who=getpass.getuser(), why=asked.why), asked)


def _print(accord: Accord, row: dict[str, Any], asked: argparse.Namespace) -> int:
    from accord.service_levels.message import Event, message

    if asked.json:
        print_json(row)
        return 0
    event = Event.RECOVERED if row["recovered"] else Event.ACKNOWLEDGED if row["acknowledged"] else Event.OPENED
    until = row["recovered"] or row["acknowledged"]
    print(message(event, row["body"], accord.alerting, alert=row["id"], opened=row["opened"], until=until).text)
    if row["who"]:
        print(f"\n{row['state']} by {row['who']}: {row['why'] or 'no reason given'}")
    print()
    for one in row["notices"]:
        print(f"  {one['event']:<12} {one['channel']:<16} {_fate(one)}")
    if not row["notices"]:
        print("  Nobody was told: ACCORD_ALERTS names no channel that wants it.")
    return 0


def _fate(notice: dict[str, Any]) -> str:
    if notice["delivered"]:
        return f"told {notice['delivered']:%Y-%m-%d %H:%M:%S}Z"
    if notice["dropped"]:
        return f"not told: {notice['problem']}"
    if notice["quiet"]:
        return f"waits for the end of the quiet hours, {notice['not_before']:%Y-%m-%d %H:%M}Z"
    if notice["tries"]:
        return (
            f"NOT TOLD, tried {notice['tries']} time(s): {notice['problem']}; again at {notice['not_before']:%H:%M:%S}Z"
        )
    return "is told by the next round"
