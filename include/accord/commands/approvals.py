"""Approvals: what waits for one, and a decision."""

from __future__ import annotations

import argparse
import getpass
from typing import TYPE_CHECKING, Any

from accord.commands.common import print_json, print_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from accord.commands.common import Commands
    from accord.runtime import Accord


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """`accord approvals`, `approve` and `refuse`."""
    approvals = commands.add_parser("approvals", parents=[common], help="what waits for an approval")
    approvals.set_defaults(command=_approvals)
    for name in ("approve", "refuse"):
        decision = commands.add_parser(
            name, parents=[common], help=f"{name} what waits about one record, and go on with it"
        )
        decision.add_argument("key", metavar="KEY", help="the record's canonical id")
        decision.add_argument("--why", required=name == "refuse", default="", help="the reason; it is kept")
        decision.set_defaults(command=_decide, approved=name == "approve")


def _approvals(accord: Accord, asked: argparse.Namespace) -> int:
    from accord.approvals import pending

    return print_rows(pending(accord.hub), _line, empty="Nothing waits for an approval.", as_json=asked.json)


def _line(row: Mapping[str, Any]) -> str:
    money = f", {row['at_risk']:,.2f} {row['currency']}" if row["currency"] else ""
    return (
        f"{row['object']} {row['key']} since {row['opened']:%Y-%m-%d %H:%M}Z ({row['queue']}{money}): {row['message']}"
    )


def _decide(accord: Accord, asked: argparse.Namespace) -> int:
    from accord.approvals import decide

    matters = decide(accord, asked.key, approved=asked.approved, who=getpass.getuser(), why=asked.why)
    word = "approved" if asked.approved else "refused"
    if asked.json:
        print_json({"key": asked.key, word: matters})
    else:
        print(f"{asked.key}: {matters} matter(s) {word}.")
    return 0
