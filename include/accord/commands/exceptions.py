"""`accord exceptions`: the queue, worked from a terminal."""

from __future__ import annotations

import argparse
import getpass
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from accord.categories import KINDS, Category, Queue
from accord.commands.common import print_json
from accord.errors import Stop

if TYPE_CHECKING:
    from accord.hub.queue import Filter
    from accord.pipeline.replay import Replay
    from accord.runtime import Accord

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def add(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the command to `commands`, a parser's subparsers; every action takes what `common` takes."""
    parser = commands.add_parser("exceptions", help="what waits for a person, a record or a system")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    which = _which()

    listed = actions.add_parser("list", parents=[common, which], help="the gravest first, then the oldest")
    listed.add_argument("--closed", action="store_true", help="settled ones instead of open ones")
    listed.add_argument("--size", type=int, default=50, help="how many at once (50)")
    listed.add_argument("--after", metavar="PLACE", help="go on after the page that named this place")
    listed.set_defaults(command=_list)

    shown = actions.add_parser(
        "show", parents=[common], help="one: what to do, its history, both sides as they are now"
    )
    shown.add_argument("id", type=int, metavar="ID")
    shown.add_argument(
        "--values", action="store_true", help="show personal and financial values too; that you looked is kept"
    )
    shown.set_defaults(command=_show)

    bulk = _bulk()
    assigned = actions.add_parser("assign", parents=[common, which, bulk], help="give exceptions to somebody")
    to = assigned.add_mutually_exclusive_group(required=True)
    to.add_argument("--to", metavar="PERSON")
    to.add_argument("--to-nobody", action="store_true")
    assigned.set_defaults(command=_assign)

    replayed = actions.add_parser("replay", parents=[common, which, bulk], help="try them again, with what is said now")
    replayed.add_argument("--why", default="", help="the reason; it is kept")
    replayed.set_defaults(command=_replay)

    discarded = actions.add_parser(
        "discard", parents=[common, which, bulk], help="close them; their records stay behind until the source changes"
    )
    discarded.add_argument("--why", required=True, help="the reason; it is kept, and the source is told")
    discarded.set_defaults(command=_discard)

    edited = actions.add_parser("edit", parents=[common], help="set fields for the replay, until the source changes")
    edited.add_argument("id", type=int, metavar="ID")
    edited.add_argument("--set", action="append", default=[], type=_setting, metavar="FIELD=VALUE", dest="values",
                        help="a field, or a part's: lines[KEY].quantity=2 (may be repeated)")  # fmt: skip
    edited.add_argument("--empty", action="append", default=[], metavar="FIELD", help="set it to nothing")
    edited.add_argument("--undo", action="append", default=[], metavar="FIELD", help="take an earlier edit back")
    edited.add_argument("--why", required=True, help="the reason; it is kept")
    edited.set_defaults(command=_edit)

    for name, meaning in (
        ("same", "a suspected duplicate is the record the target has: link it, and go on"),
        ("two", "a suspected duplicate is another record: create it, and go on"),
    ):
        decided = actions.add_parser(name, parents=[common], help=meaning)
        decided.add_argument("id", type=int, metavar="ID")
        decided.add_argument("--why", required=True, help="the reason; it is kept")
        decided.set_defaults(command=_tell_apart, same=name == "same")


def _which() -> argparse.ArgumentParser:
    which = argparse.ArgumentParser(add_help=False)
    which.add_argument("ids", nargs="*", type=int, metavar="ID", help="just these")
    which.add_argument("--queue", choices=[str(queue) for queue in Queue])
    which.add_argument("--category", choices=[str(category) for category in Category], metavar="CATEGORY")
    which.add_argument("--kind", choices=KINDS)
    which.add_argument("--object")
    which.add_argument("--flow")
    which.add_argument("--target", help="a system; matters of every target are among them")
    which.add_argument("--key", help="the record's canonical id")
    whose = which.add_mutually_exclusive_group()
    whose.add_argument("--of", metavar="PERSON", dest="assignee", help="assigned to this person")
    whose.add_argument("--of-nobody", action="store_const", const="", dest="assignee", help="assigned to nobody")
    which.add_argument("--older-than", type=_span, metavar="SPAN", help="open longer than 30m, 12h, 3d, 2w")
    which.add_argument("--overdue", action="store_true", help="open longer than agreed for their severity")
    which.add_argument("--above", nargs=2, metavar=("AMOUNT", "CURRENCY"), help="at least so much money at risk")
    return which


def _bulk() -> argparse.ArgumentParser:
    bulk = argparse.ArgumentParser(add_help=False)
    bulk.add_argument("--dry-run", action="store_true", help="say what would be done; change nothing")
    bulk.add_argument("--most", type=int, default=1000, help="refuse to touch more than so many (1000)")
    return bulk


def _span(text: str) -> timedelta:
    found = re.fullmatch(r"(\d+)([mhdw])", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is no span: write 30m, 12h, 3d or 2w")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _setting(text: str) -> tuple[str, str]:
    path, equals, value = text.partition("=")
    if not equals or not path:
        raise argparse.ArgumentTypeError(f"{path!r} is set to nothing: write FIELD=VALUE, or --empty FIELD")
    return path.strip(), value


def _filter(asked: argparse.Namespace) -> Filter:
    from accord.hub.queue import Filter
    from accord.service_levels.measures import agreed

    amount, currency = asked.above or (None, None)
    try:
        above = Decimal(amount) if amount is not None else None
    except InvalidOperation:
        raise Stop(f"{amount!r} is no amount.", cure="Write --above 1000 EUR.") from None
    return Filter(
        ids=tuple(asked.ids) or None,
        above=above,
        currency=currency,
        overdue=agreed(datetime.now(UTC)) if asked.overdue else None,
        closed=getattr(asked, "closed", False),
        **{
            name: getattr(asked, name)
            for name in ("queue", "category", "kind", "object", "flow", "target", "key", "assignee", "older_than")
        },
    )


def _list(accord: Accord, asked: argparse.Namespace) -> int:
    from accord.hub.queue import page

    found = page(accord.hub, _filter(asked), size=asked.size, after=asked.after)
    if asked.json:
        print_json({"exceptions": found.rows, "after": found.after})
        return 0
    for row in found.rows:
        print(_line(row))
    if not found.rows:
        print("Nothing of that kind waits.")
    if found.after:
        print(f"There are more: --after {found.after}")
    return 0


def _line(row: Mapping[str, Any]) -> str:
    age = (row["closed"] or datetime.now(UTC)) - row["opened"]
    since = f"{age.days} d" if age.days else f"{age.seconds // 3600} h {age.seconds // 60 % 60} min"
    whose = f", {row['assignee']}" if row["assignee"] else ""
    where = f" → {row['target']}" if row["target"] else ""
    state = f" [{row['state']}]" if row["state"] != "open" else ""
    return (
        f"{row['id']:>7} {row['severity']} {row['object']} {row['key']}{where}: {row['category']}{_money(row)} "
        f"({row['queue']}{whose}; {since}, {row['attempts']} attempt(s)){state}"
    )


def _money(row: Mapping[str, Any]) -> str:
    return f", {row['at_risk']:,.2f} {row['currency']}" if row["currency"] and row["at_risk"] is not None else ""


def _show(accord: Accord, asked: argparse.Namespace) -> int:
    from accord.exceptions import show

    row = show(accord, asked.id, who=getpass.getuser(), values=asked.values)
    if asked.json:
        print_json(row)
        return 0
    print(_line(row).strip())
    print(f"  {row['message']}")
    for name, said in (
        ("answer", row["answer"]),
        ("to do", row["remedy"]),
        ("waits for", row["awaits"]),
        ("looks like", row["other"]),
        ("not before", row["not_before"]),
        ("a later version waits behind it", row["behind"]),
        ("edited", ", ".join(row["edited"])),
        ("settled", row["resolution"]),
        ("correlation", row["correlation"]),
    ):
        if said:
            print(f"  {name}: {said}")
    for name, compared in row["sides"].items():
        print(f"  {name}: {compared}" if isinstance(compared, str) else f"  {name} holds → would be sent:")
        for side in compared if not isinstance(compared, str) else ():
            if side["before"] is not None or side["after"] is not None:
                print(f"   {'*' if side['differs'] else ' '} {side['field']}: {side['before']} → {side['after']}")
    for event in row["history"]:
        why = f": {event['detail']['why']}" if event["detail"].get("why") else ""
        print(f"  {event['at']:%Y-%m-%d %H:%M}Z {event['who']}: {event['what']}{why}")
    return 0


def _assign(accord: Accord, asked: argparse.Namespace) -> int:
    from accord.exceptions import assign

    to = None if asked.to_nobody else asked.to
    done = assign(accord, _filter(asked), to=to, who=getpass.getuser(), most=asked.most, dry_run=asked.dry_run)
    return _told(asked, done, f"assigned to {to or 'nobody'}")


def _discard(accord: Accord, asked: argparse.Namespace) -> int:
    from accord.exceptions import discard

    done = discard(accord, _filter(asked), who=getpass.getuser(), why=asked.why, most=asked.most, dry_run=asked.dry_run)
    return _told(asked, done, "discarded")


def _told(asked: argparse.Namespace, done: Any, what: str) -> int:
    if asked.json:
        print_json(done)
        return 0
    _print_totals(done.totals)
    print("Nothing was changed." if asked.dry_run else f"{done.changed:,} {what}.")
    return 0


def _replay(accord: Accord, asked: argparse.Namespace) -> int:
    from accord.pipeline.replay import replay

    done = replay(accord, _filter(asked), who=getpass.getuser(), why=asked.why, dry_run=asked.dry_run, most=asked.most)
    return _print_replay(asked, done)


def _print_replay(asked: argparse.Namespace, done: Replay) -> int:
    failed = int(any(one.error for one in done.flows))
    if asked.json:
        print_json(done)
        return failed
    _print_totals(done.totals)
    for one in done.flows:
        if one.summary and one.summary["dry_run"]:
            parts = (f"{name}: {part['counts'].get('changed', 0):,}" for name, part in one.summary["targets"].items())
            print(f"{one.flow}: would be sent to {', '.join(parts)}")
        else:
            print(f"{one.flow}: {one.settled:,} settled, {one.waiting:,} wait on")
        if one.error:
            print(f"  failed: {one.error}")
    for why, count in done.left.items():
        print(f"{count:,} left: {why}")
    return failed


def _edit(accord: Accord, asked: argparse.Namespace) -> int:
    from accord.exceptions import edit

    values = dict(asked.values) | dict.fromkeys(asked.empty)
    if not values and not asked.undo:
        raise Stop("Nothing is to be edited.", cure="Give --set FIELD=VALUE, --empty FIELD or --undo FIELD.")
    done = edit(accord, asked.id, values=values, undo=asked.undo, who=getpass.getuser(), why=asked.why)
    if asked.json:
        print_json(done)
        return 0
    paths = ", ".join(done["edited"])
    print(f"{done['key']}: {f'{paths} edited, until the source changes' if paths else 'nothing is edited any more'}.")
    print(f"`accord exceptions replay {asked.id}` sends it.")
    return 0


def _tell_apart(accord: Accord, asked: argparse.Namespace) -> int:
    from accord.exceptions import tell_apart

    return _print_replay(asked, tell_apart(accord, asked.id, same=asked.same, who=getpass.getuser(), why=asked.why))


def _print_totals(totals: Sequence[Mapping[str, Any]]) -> None:
    for row in totals:
        print(f"{row['exceptions']:>7,} {row['flow']}: {row['category']}{_money(row)}")
