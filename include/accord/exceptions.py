"""What people do about exceptions: look, assign, edit, decide about suspected duplicates, discard. Replays: accord.pipeline.replay.

Everything that changes something is in the audit, with who and why; values there are masked by their sensitivity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accord.categories import ABOUT_NO_RECORD, Category, remedy
from accord.errors import Stop
from accord.flows import Flow
from accord.hub.audit import audit, audited
from accord.hub.connection import Session
from accord.hub.distinctions import adopt, distinguish
from accord.hub.edits import drop_edits, edits_of, store_edit
from accord.hub.queue import Filter, chosen, one, totals
from accord.masking import masked
from accord.objects import business_object
from accord.objects.definition import BusinessObject
from accord.pipeline.editing import Place, checked, place_of
from accord.pipeline.looking import make_edit, read_now, sides
from accord.pipeline.replay import MOST, Replay, replay
from accord.pipeline.runs import declared_flow
from accord.runtime import Accord


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a bulk action is about, by flow, category and currency, and how many exceptions it changed (none in a dry run)."""

    totals: list[dict[str, Any]]
    changed: int


def show(accord: Accord, number: int, *, who: str, values: bool = False) -> dict[str, Any]:
    """The exception `number` as `described`, with what the target holds beside what would be sent as `sides`: see `compared`."""
    row = one(accord.hub, number)
    sides = compared(accord, row, who=who, values=values)
    return {**described(accord, row), "sides": sides}


def described(accord: Accord, row: Mapping[str, Any]) -> dict[str, Any]:
    """The exception `row` (accord.hub.queue.one) with what to do, its history and the fields that are edited. Asks no system."""
    with accord.hub.session() as session:
        history = audited(session, _subjects(row))
    which = _flow_of(accord, row)
    about_a_record = which is not None and _about_a_record(row, which)
    edit = edits_of(accord.hub, row["object"], row["key"]).get(row["key"]) if about_a_record else None
    return {
        **row,
        "remedy": _remedy(row, which),
        "history": history,
        "edited": sorted(edit.fields) if edit else [],
        "about_a_record": about_a_record,
    }


def compared(accord: Accord, row: Mapping[str, Any], *, who: str, values: bool = False) -> dict[str, Any]:
    """What every target holds beside what would be sent to it, read now: target → fields, or a text where that can't be told.

    Personal and financial values are masked, unless `values`: that somebody looked at them is kept.
    """
    if values:
        with accord.hub.session() as session:
            audit(session, who, "values looked at", _subjects(row), {})
    which = _flow_of(accord, row)
    if which is None or not _about_a_record(row, which):
        return {}
    definition = business_object(row["object"])
    found: dict[str, Any] = {}
    for name, both in sides(accord, which, row["key"], row["target"]).items():
        if isinstance(both, str):
            found[name] = both
            continue
        found[name] = [
            {
                "field": side.path,
                "before": side.before if values else masked(definition, side.field, side.before),
                "after": side.after if values else masked(definition, side.field, side.after),
                "differs": side.before != side.after,
            }
            for side in both
        ]
    return found


def assign(
    accord: Accord, wanted: Filter, *, to: str | None, who: str, most: int = MOST, dry_run: bool = False
) -> Done:
    """Give the open exceptions `wanted` to `to` (None: to nobody). Raises Stop as accord.hub.queue.chosen does."""
    with accord.hub.session() as session:
        rows, sums = chosen(session, wanted, most=most), totals(session, wanted)
        if dry_run:
            return Done(totals=sums, changed=0)
        changed = session.execute(
            """UPDATE exception SET assignee = %s WHERE id = ANY(%s) AND state <> 'closed' AND assignee IS DISTINCT FROM %s
               RETURNING id""",
            (to, [row["id"] for row in rows], to),
        ).fetchall()
        audit(session, who, "exception assigned", [f"exception:{row['id']}" for row in changed], {"to": to})
    return Done(totals=sums, changed=len(changed))


def discard(accord: Accord, wanted: Filter, *, who: str, why: str, most: int = MOST, dry_run: bool = False) -> Done:
    """Close the open exceptions `wanted` without sending anything: their records stay behind until the source says something else.

    What is being replayed is left alone. Raises Stop without a reason, and as accord.hub.queue.chosen does.
    """
    if not why.strip():
        raise Stop("Nobody would know why.", cure="Say why they are discarded.")
    with accord.hub.session() as session:
        rows, sums = chosen(session, wanted, most=most), totals(session, wanted)
        if dry_run:
            return Done(totals=sums, changed=0)
        changed = session.execute(
            """UPDATE exception SET state = 'closed', closed = now(), discarded = true, resolution = %s
               WHERE id IN (SELECT id FROM exception WHERE id = ANY(%s) AND state = 'open' ORDER BY id FOR UPDATE)
               RETURNING id, object, key""",
            (f"discarded: {why.strip()}", [row["id"] for row in rows]),
        ).fetchall()
        audit(session, who, "exception discarded", [f"exception:{row['id']}" for row in changed], {"why": why.strip()})
        _drop_idle_edits(session, changed)
    return Done(totals=sums, changed=len(changed))


def edit(
    accord: Accord,
    number: int,
    *,
    values: Mapping[str, str | None],
    who: str,
    why: str,
    undo: Sequence[str] = (),
) -> dict[str, Any]:
    """Set fields of the record an open exception is about, in the place of what the source says, until that changes.

    Args:
        number: the exception's.
        values: path (`currency`, `lines[<key of the part>].quantity`) → new value as text; None empties the field.
        who: the person.
        why: the reason; it is kept.
        undo: paths of an earlier edit to give back to the source.

    Gives the paths that are edited now. Nothing is sent: replay does that, through the gates. Raises Stop for an exception that is not
    open, a field that is not the source's, a value the definition does not allow, or a record the source no longer has.
    """
    if not why.strip():
        raise Stop("Nobody would know why.", cure="Say why the record is edited.")
    row = one(accord.hub, number)
    which = declared_flow(accord.hub, row["flow"])
    if row["state"] != "open" or not _about_a_record(row, which):
        raise Stop(f"Exception {number} is not one that can be edited now.", cure="Only open ones about a record are.")
    definition, side = business_object(row["object"]), accord.system(which.source).side
    places = {path: place_of(definition, side, path) for path in (*values, *undo)}
    given = {path: checked(places[path], text) for path, text in values.items()}
    now = read_now(accord, which, row["key"])
    if now is None:
        raise Stop("The source no longer has the record.", cure="Discard the exception.")
    (said,) = now.to_pylist()[:1]
    earlier = edits_of(accord.hub, row["object"], row["key"]).get(row["key"])
    fields = dict(earlier.fields) if earlier is not None and earlier.said == said["said"] else {}
    detail = {
        path: {
            "before": _shown(definition, place, fields.get(path, _said(place, said))),
            "after": _shown(definition, place, given.get(path, _said(place, said))),
        }
        for path, place in places.items()
    }
    fields = {path: value for path, value in (fields | given).items() if path not in undo}
    with accord.hub.session() as session:
        if fields:
            store_edit(session, row["object"], row["key"], make_edit(now, fields), who=who, why=why.strip())
        else:
            drop_edits(session, row["object"], [row["key"]])
        audit(session, who, "record edited", _subjects(row), {"why": why.strip(), "fields": detail})
    return {"exception": number, "key": row["key"], "edited": sorted(fields)}


def tell_apart(accord: Accord, number: int, *, same: bool, who: str, why: str) -> Replay:
    """Decide about a suspected duplicate, and go on with it: see `decide_pair`."""
    decide_pair(accord, number, same=same, who=who, why=why)
    return replay(accord, Filter(ids=(number,)), who=who, why=why)


def decide_pair(accord: Accord, number: int, *, same: bool, who: str, why: str) -> None:
    """Decide about a suspected duplicate: `same` makes the target's record the record's own, else it is created beside it when the
    exception is replayed. The decision holds for that pair.

    Raises Stop for an exception that is no open duplicate, and for two records of the source: those are merged there.
    """
    row = one(accord.hub, number)
    if row["kind"] != "duplicate" or row["state"] != "open" or not row["other"]:
        raise Stop(f"Exception {number} is no open duplicate.", cure="`accord exceptions list --kind duplicate`.")
    target, other = row["target"], str(row["other"])
    native = other.removeprefix(f"{target}:")
    if same and native == other:
        origin = declared_flow(accord.hub, row["flow"]).source
        raise Stop(f"Both are records of {origin}.", cure=f"Merge them in {origin}: the survivor keeps the link.")
    stream = accord.hub.stream(target, row["object"])
    with accord.hub.session() as session:
        if same and not adopt(session, stream, row["key"], native):
            raise Stop(f"{other} belongs to another record by now.", cure="Replay it: it is compared anew.")
        distinguish(session, row["object"], target, (row["key"], other), same=same, who=who, why=why)
        detail = {"other": other, "same": same, "why": why}
        audit(session, who, "duplicate decided", _subjects(row), detail)


def _about_a_record(row: Mapping[str, Any], which: Flow) -> bool:
    """Whether it is about a record the flow reads: not about a batch or a field, nor about what Accord itself says of a record."""
    return bool(which.object == row["object"] and row["category"] not in ABOUT_NO_RECORD)


def _flow_of(accord: Accord, row: Mapping[str, Any]) -> Flow | None:
    """The flow it came up in; None for a matter of no flow: a subscriber that takes no events."""
    return None if row["category"] == Category.SUBSCRIBER else declared_flow(accord.hub, row["flow"])


def _remedy(row: Mapping[str, Any], which: Flow | None) -> str:
    waits = row["kind"] == "rejected" and business_object(row["object"]).ordered
    return remedy(Category(row["category"]), which.source if which else "") + (" Then replay it." if waits else "")


def _subjects(row: Mapping[str, Any]) -> list[str]:
    return [f"exception:{row['id']}", f"{row['object']} {row['key']}"]


def _said(place: Place, row: Mapping[str, Any]) -> Any:
    """What the source says at `place`. Raises Stop when it has no such part."""
    if place.constituent is None:
        return row[place.field.name]
    for part in row[place.constituent.name] or ():
        if part[place.constituent.key] == place.part:
            return part[place.field.name]
    raise Stop(
        f"The record has no {place.constituent.name}[{place.part}].", cure="`accord exceptions show` names its parts."
    )


def _shown(definition: BusinessObject, place: Place, value: Any) -> Any:
    shown = masked(definition, place.path, value)
    return shown if shown is None or isinstance(shown, bool | list) else str(shown)


def _drop_idle_edits(session: Session, discarded: Sequence[Mapping[str, Any]]) -> None:
    """Forget the edits of records nothing is open about any more."""
    for name in sorted({row["object"] for row in discarded}):
        keys = [row["key"] for row in discarded if row["object"] == name]
        open_still = session.execute(
            "SELECT DISTINCT key FROM exception WHERE object = %s AND key = ANY(%s) AND state <> 'closed'", (name, keys)
        ).fetchall()
        drop_edits(session, name, sorted(set(keys) - {row["key"] for row in open_still}))
