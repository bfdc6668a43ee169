"""The life of one record."""

from __future__ import annotations

import argparse
import getpass
from typing import TYPE_CHECKING, Any

from accord.commands.common import print_json

if TYPE_CHECKING:
    from accord.commands.common import Commands
    from accord.runtime import Accord


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """`accord trace`."""
    trace = commands.add_parser("trace", parents=[common], help="the whole life of one record, across the systems")
    trace.add_argument(
        "key", metavar="KEY", help="its canonical id, a system's own id (tryton:12, or 12), or its number"
    )
    trace.add_argument(
        "--values", action="store_true", help="show personal and financial values too; that you looked is kept"
    )
    trace.set_defaults(command=_trace)


def _trace(accord: Accord, asked: argparse.Namespace) -> int:
    from accord.trace import trace

    found = trace(accord, asked.key, values=asked.values, who=getpass.getuser())
    if asked.json:
        print_json(found)
        return 0
    belonging = f", with {', '.join(found.belonging)}" if found.belonging else ""
    print(f"{', '.join(found.keys)}{belonging}")
    for event in found.events:
        by = ", ".join(part for part in (event.who, f"run {event.run}" if event.run else "") if part)
        print(f"{event.at:%Y-%m-%d %H:%M:%S}Z {event.what:<9} {event.object} {event.key}: {event.text} ({by})")
        for change in event.fields:
            before = "unknown" if event.basis == "unknown" else _shown(change.before)
            way = f"  [{change.read} → {change.written}: {change.rule}]" if change.read and change.written else ""
            print(f"    {change.field}: {before} → {_shown(change.after)}{way}")
    return 0


def _shown(value: Any) -> str:
    return "—" if value is None else str(value)
