"""Where subscribers stand, and sending again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accord.errors import Stop
from accord.hub.connection import Session
from accord.hub.subscriptions import last_position, position_at, restart, subscriptions
from accord.outbox.events import Wanted, cloud_event, count_events, read_events
from accord.outbox.subscribers import Subscriber
from accord.runtime import Accord


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What a replay sends again: `events`, those after `position` that were confirmed before."""

    subscriber: str
    position: int
    events: int
    dry_run: bool


def overview(accord: Accord) -> list[dict[str, Any]]:
    """Every subscriber that is declared or was once: its cursor, how many events wait for it, what is wrong with it."""
    with accord.hub.session() as session:
        known, last = subscriptions(session), last_position(session)
        found = []
        for name in sorted({*known, *accord.subscribers}):
            found.append(_standing(accord, session, name, known.get(name), last))
    return found


def _standing(accord: Accord, session: Session, name: str, row: dict[str, Any] | None, last: int) -> dict[str, Any]:
    one = {"subscriber": name, **{key: value for key, value in (row or {}).items() if key != "name"}}
    if name not in accord.subscribers:
        return one | {"state": "not declared any more"}
    try:
        subscriber = accord.subscriber(name)
    except Stop as error:
        return one | {"state": "wrongly declared", "problem": str(error)}
    if row is None:
        return one | {"state": "new"}
    waiting = count_events(session, _wanted(subscriber, row["position"], last))
    state = "gone" if row["gone"] else "failing" if row["failures"] else "well"
    return one | {"state": state, "waiting": waiting}


def show(accord: Accord, name: str, *, most: int) -> dict[str, Any]:
    """Where the subscriber `name` stands, and the next `most` events it gets. Raises Stop when there is none."""
    subscriber = accord.subscriber(name)
    with accord.hub.session() as session:
        row = subscriptions(session).get(name)
        last = last_position(session)
        one = _standing(accord, session, name, row, last)
        position, sequence = (row["position"], row["sequence"]) if row else (last, 0)
        rows = read_events(session, _wanted(subscriber, position, last), most)
    events = [cloud_event(event, sequence + n) for n, event in enumerate(rows, start=1)]
    return one | {"objects": subscriber.objects, "types": [str(t) for t in subscriber.types], "next": events}


def replay(
    accord: Accord, name: str, *, since: datetime | None = None, first: int | None = None, dry_run: bool = False
) -> Replay:
    """Set the cursor of `name` back, to before the events of the instant `since` or before the position `first`: the next
    round sends them again, with their ids as they were and sequence numbers that go on.

    Raises Stop for a subscriber that was never sent to, and for a position that lies ahead: nothing is ever skipped.
    """
    subscriber = accord.subscriber(name)
    with accord.hub.session() as session:
        row = _known(session, name)
        position = first - 1 if first is not None else position_at(session, since) if since else row["position"]
        if first is not None and not 0 <= position <= row["position"]:
            raise Stop(
                f"Position {first} lies ahead of what {name} has, {row['position']}.",
                cure="Choose one it has passed: a replay never skips.",
            )
        position = min(position, row["position"])
        events = count_events(session, _wanted(subscriber, position, row["position"]))
        if not dry_run:
            restart(session, name, position=position)
    return Replay(subscriber=name, position=position, events=events, dry_run=dry_run)


def resume(accord: Accord, name: str) -> None:
    """Send to `name` again at once, also when it said that it was gone. Raises Stop when it was never sent to."""
    with accord.hub.session() as session:
        _known(session, name)
        restart(session, name)


def _known(session: Session, name: str) -> dict[str, Any]:
    row = subscriptions(session).get(name)
    if row is None:
        raise Stop(f"{name} was never sent to.", cure="`accord outbox list` shows who was; publish once to begin.")
    return row


def _wanted(subscriber: Subscriber, after: int, until: int) -> Wanted:
    return Wanted(objects=subscriber.objects, types=subscriber.types, after=after, until=until)
