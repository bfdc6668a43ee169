"""Processes: prospects on their way to being customers, orders from commitment to cash."""

from __future__ import annotations

import argparse
import getpass
from typing import TYPE_CHECKING

from accord.commands.common import print_json

if TYPE_CHECKING:
    from accord.commands.common import Commands
    from accord.runtime import Accord


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """`accord process`."""
    process = commands.add_parser(
        "process", help="prospects on their way to being customers, orders from commitment to cash"
    )
    actions = process.add_subparsers(required=True, metavar="ACTION")
    listed = actions.add_parser("list", parents=[common], help="how many records stand where, and since when")
    listed.set_defaults(command=_process_list)
    for name, meaning in (
        ("show", "where one record stands, its history and what it waits for"),
        ("resume", "ask for one record, and before it for what it waits for"),
        ("abandon", "give one record up: cancel it in the ERP and tell sales why"),
    ):
        action = actions.add_parser(name, parents=[common], help=meaning)
        action.add_argument("key", metavar="KEY", help="the record's canonical id, salesforce:<id>")
        if name == "abandon":
            action.add_argument("--why", required=True, help="the reason; sales is told")
        action.set_defaults(command=_process, action=name)


def _process_list(accord: Accord, asked: argparse.Namespace) -> int:
    from accord import processes
    from accord.hub.processes import PROCESSES

    rows = []
    for process in PROCESSES.values():
        processes.place(accord.hub, process)
        rows += processes.overview(accord.hub, process)
    if asked.json:
        print_json(rows)
        return 0
    for name, process in PROCESSES.items():
        found = [row for row in rows if row["name"] == name]
        print(
            f"{process.subject.capitalize()}s from {process.begin} to {process.end}:"
            if found
            else f"No {process.subject} is on its way."
        )
        for row in found:
            place = f"{row['step']:<17} {row['status']:<11}"
            print(f"{row['records']:>7,} {place} since {row['oldest']:%Y-%m-%d %H:%M}Z at the longest")
    return 0


def _process(accord: Accord, asked: argparse.Namespace) -> int:
    from accord import processes
    from accord.hub.processes import PROCESSES

    who = getpass.getuser()
    if asked.action == "resume":
        found = processes.resume(accord, asked.key, who=who)
    elif asked.action == "abandon":
        found = processes.abandon(accord, asked.key, who=who, why=asked.why)
    else:
        for process in PROCESSES.values():
            processes.place(accord.hub, process, asked.key)
        found = processes.inspect(accord, asked.key)
    if asked.json:
        print_json(found)
        return 0
    print(f"{found['key']}: {found['step']}, {found['status']}, since {found['since']:%Y-%m-%d %H:%M}Z")
    for event in found["events"]:
        why = f": {event['why']}" if event["why"] else ""
        print(f"  {event['at']:%Y-%m-%d %H:%M:%S}Z {event['step']}, {event['status']} ({event['who']}{why})")
    for matter in found["waits"]:
        print(f"  waits: {matter['category']} ({matter['queue']}): {matter['message']}")
    return 0
