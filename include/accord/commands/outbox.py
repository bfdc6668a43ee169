"""The outbox: who is told of what happened, how far each has come, and sending again."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from accord.commands.common import instant, print_json, print_rows

if TYPE_CHECKING:
    from accord.commands.common import Commands
    from accord.runtime import Accord


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """`accord outbox`."""
    outbox = commands.add_parser("outbox", help="events to subscribers: signed webhooks, in order, replayable")
    actions = outbox.add_subparsers(required=True, metavar="ACTION")
    listed = actions.add_parser(
        "list", parents=[common], help="every subscriber: its cursor, what waits, what is wrong"
    )
    listed.set_defaults(command=_list)
    publish = actions.add_parser("publish", parents=[common], help="send what is new, as the DAG does: for cron")
    publish.set_defaults(command=_publish)
    show = actions.add_parser("show", parents=[common], help="one subscriber, and the events it gets next")
    show.add_argument("--most", type=int, default=10, metavar="N", help="how many events (10)")
    show.set_defaults(command=_show)
    replay = actions.add_parser("replay", parents=[common], help="send events again that were confirmed before")
    start = replay.add_mutually_exclusive_group(required=True)
    start.add_argument("--since", type=instant, help="from this instant on (ISO 8601; UTC when it names no zone)")
    start.add_argument(
        "--from", type=int, dest="first", metavar="POSITION", help="from this position on: an event's id"
    )
    replay.add_argument("--dry-run", action="store_true", help="say how many they are, change nothing")
    replay.set_defaults(command=_replay)
    resume = actions.add_parser("resume", parents=[common], help="go on at once after failures, or after 410 Gone")
    resume.set_defaults(command=_resume)
    for action in (show, replay, resume):
        action.add_argument("subscriber", metavar="SUBSCRIBER")


def _list(accord: Accord, asked: argparse.Namespace) -> int:
    from accord.outbox.standing import overview

    rows = overview(accord)
    empty = "Nobody is subscribed: ACCORD_SUBSCRIBERS names nobody."
    return print_rows(rows, _line, empty=empty, as_json=asked.json)


def _line(row: dict[str, object]) -> str:
    parts = [f"{row['subscriber']}: {row['state']}"]
    if row.get("position") is not None:
        parts.append(f"position {row['position']}, {row['sequence']} event(s) confirmed")
    if row.get("confirmed"):
        parts.append(f"the last {row['confirmed']:%Y-%m-%d %H:%M:%S}Z")
    if row.get("waiting"):
        parts.append(f"{row['waiting']:,} wait")
    if row.get("problem"):
        parts.append(str(row["problem"]))
    return ", ".join(parts)


def _publish(accord: Accord, asked: argparse.Namespace) -> int:
    from accord.outbox.publish import publish

    published = publish(accord)
    if asked.json:
        print_json([{"subscriber": p.subscriber, "events": p.events, "problem": p.problem} for p in published])
    else:
        for one in published:
            print(f"{one.subscriber}: {one.events:,} event(s){f', {one.problem}' if one.problem else ''}")
    return 1 if any(one.problem for one in published) else 0


def _show(accord: Accord, asked: argparse.Namespace) -> int:
    from accord.outbox.standing import show

    found = show(accord, asked.subscriber, most=asked.most)
    if asked.json:
        print_json(found)
        return 0
    print(_line(found))
    print(f"  objects {', '.join(found['objects'])}")
    print(f"  types {', '.join(found['types'])}")
    for event in found["next"]:
        print(f"  {event['id']:>10} {event['time']} {event['type']} {event['source']} {event['subject']}")
    return 0


def _replay(accord: Accord, asked: argparse.Namespace) -> int:
    from accord.outbox.standing import replay

    done = replay(accord, asked.subscriber, since=asked.since, first=asked.first, dry_run=asked.dry_run)
    if asked.json:
        print_json(
            {"subscriber": done.subscriber, "from": done.position + 1, "events": done.events, "dry_run": done.dry_run}
        )
    else:
        when = "would be sent again" if asked.dry_run else "are sent again by the next round"
        print(f"{done.subscriber}: {done.events:,} event(s) from position {done.position + 1} on {when}.")
    return 0


def _resume(accord: Accord, asked: argparse.Namespace) -> int:
    from accord.outbox.standing import resume

    resume(accord, asked.subscriber)
    if asked.json:
        print_json({"subscriber": asked.subscriber, "resumed": True})
    else:
        print(f"{asked.subscriber}: the next round sends to it.")
    return 0
