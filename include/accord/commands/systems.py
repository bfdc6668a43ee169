"""`accord systems`: which systems take calls, and a person's word about it."""

from __future__ import annotations

import argparse
import getpass
from typing import TYPE_CHECKING

from accord.commands.common import instant, print_json
from accord.errors import Stop
from accord.flows import ERPS, SALESFORCE

if TYPE_CHECKING:
    from accord.commands.common import Commands
    from accord.runtime import Accord

SYSTEMS = (SALESFORCE, *ERPS)


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """`accord systems`."""
    parser = commands.add_parser("systems", help="which systems take calls: breaker, maintenance, requests of the day")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    listed = actions.add_parser("list", parents=[common], help="how every system stands")
    listed.set_defaults(command=_list)
    held = actions.add_parser("hold", parents=[common], help="keep calls away from a system: what goes to it queues")
    held.add_argument("system", choices=SYSTEMS, metavar="SYSTEM", help=f"one of {', '.join(SYSTEMS)}")
    held.add_argument("--until", type=instant, required=True, help="until this instant (ISO 8601; UTC without a zone)")
    held.add_argument("--why", required=True, help="the reason; it is shown to whoever waits, and kept")
    held.set_defaults(command=_hold)
    released = actions.add_parser(
        "release", parents=[common], help="let calls through at once: end a hold, close the breaker"
    )
    released.add_argument("system", choices=SYSTEMS, metavar="SYSTEM", help=f"one of {', '.join(SYSTEMS)}")
    released.add_argument("--why", default="", help="the reason; it is kept")
    released.set_defaults(command=_release)


def _list(accord: Accord, asked: argparse.Namespace) -> int:
    from accord.availability import lines

    rows = accord.availability.overview()
    if asked.json:
        print_json(rows)
    else:
        print("\n".join(lines(rows)))
    return 0


def _hold(accord: Accord, asked: argparse.Namespace) -> int:
    from accord.hub import systems

    if asked.until <= systems.state_of(accord.hub, asked.system).now:
        raise Stop(f"{asked.until:%Y-%m-%d %H:%M}Z is over.", cure="Give --until an instant to come.")
    systems.hold(accord.hub, asked.system, until=asked.until, who=getpass.getuser(), why=asked.why)
    return _list(accord, asked)


def _release(accord: Accord, asked: argparse.Namespace) -> int:
    from accord.hub import systems

    systems.release(accord.hub, asked.system, who=getpass.getuser(), why=asked.why)
    return _list(accord, asked)
