"""Schema drift: a field that is missing, retyped or no longer permitted raises one exception, and the other fields go on.

What a field that is left out said before is neither sent nor cleared: its part of a record stays as the target has it. Once it is
back, everything that changed meanwhile is read again. A field something is decided by stops the flow, with one exception, too: leaving
it out would send records to the wrong place, let them through a gate they should fail, or count them wrongly.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

from psycopg.rows import DictRow

from accord.categories import Category, remedy
from accord.errors import SchemaDrift
from accord.hub.connection import Hub, Session
from accord.hub.exceptions import Raised, raise_exceptions
from accord.objects.definition import BusinessObject
from accord.pipeline.runs import MOVES_WATERMARK, Run
from accord.quality.suites import business_rules

log = logging.getLogger(__name__)

_EVERYTHING = datetime(1970, 1, 1, tzinfo=UTC)  # what changed since then


def essential(definition: BusinessObject) -> frozenset[str]:
    """Names of the root fields and constituents something is decided by: identity, place, scope, amounts, what is carried on, duplicates,
    rules."""
    names = {field.name for field in definition.fields if field.required}
    names |= {name for name in (definition.parent, definition.routed_by, definition.state) if name}
    names |= definition.counted | definition.currencies
    if definition.scope:
        names.add(definition.scope.field)
    if definition.routing:
        names |= {definition.routing.entities, definition.routing.country, definition.routing.lines}
    if definition.carried:
        names.add(definition.carried.parts)
    for suspects in definition.duplicate_rules:
        names |= {*suspects.fields, *filter(None, (suspects.unless_differ,))}
    for stage in ("source", "canonical"):
        for rule in business_rules(definition.name, stage):
            names |= {*rule.needs, rule.part}
    return frozenset(names)


def left_out(lacking: Mapping[str, str], definition: BusinessObject, drift: SchemaDrift) -> frozenset[str]:
    """The fields and constituents that go without: those of `lacking` (name → its place in the system).

    Raises `drift` when nothing of the object is known to be lacking, or one of them is essential.
    """
    if not lacking or essential(definition) & lacking.keys():
        raise drift
    return frozenset(lacking)


@contextmanager
def told(hub: Hub, run: Run, system: str, object_name: str) -> Iterator[None]:
    """A drift that stops the flow is one exception, however often it stops; it closes with a run that is proven."""
    try:
        yield
    except SchemaDrift as found:
        if not run.dry:
            stop = Raised(
                kind="quarantined",
                key=f"{system}.{object_name}",
                category=Category.DRIFT,
                version=datetime.now(UTC),  # the watermark stayed: nothing has to be read again
                message=f"{run.flow.name} stops: {found}",
            )
            with hub.session() as session:
                raise_exceptions(session, run.flow.name, object_name, run.id, [stop])
        raise


def note(
    session: Session, run: Run, system: str, lacking: Mapping[str, str], object_name: str, target: str = ""
) -> None:
    """One exception for each place that is lacking; it remembers since when it has to be read again."""
    known = {row["key"]: row["version"] for row in _open(session, run.flow.name)}
    raised = []
    for name, place in sorted(lacking.items()):
        key = f"{system}.{place}"
        first = run.since or _EVERYTHING
        raised.append(
            Raised(
                kind="quarantined",
                key=key,
                category=Category.DRIFT,
                target=target,
                rule=name,
                version=min(first, known.get(key) or first),
                message=f"{place} of {system} is missing, of another type or not permitted: {object_name} goes without {name}. "
                + remedy(Category.DRIFT, run.flow.source),
            )
        )
        log.warning("run %d %s: %s of %s is left out", run.id, run.flow.name, place, system)
    raise_exceptions(session, run.flow.name, object_name, run.id, raised)


def noted(hub: Hub, run: Run, *, source: bool) -> datetime | None:
    """Since when everything has to be read once more, if the fields that were left out are there again; None when none was.

    Those of a target count only once something was written to them again (`source` False: only these).
    """
    with hub.session() as session:
        rows = [
            row
            for row in _open(session, run.flow.name)
            if row["state"] == "replaying" or (source and not row["target"])
        ]
    return min((row["version"] or _EVERYTHING for row in rows), default=None)


def mended(session: Session, run: Run, object_name: str, target: str) -> None:
    """Something was written in full again: the next run reads what went without."""
    session.execute(
        """UPDATE exception SET state = 'replaying', run = %s WHERE flow = %s AND object = %s AND target = %s AND category = %s
           AND state = 'open'""",
        (run.id, run.flow.name, object_name, target, Category.DRIFT),
    )


def settled(session: Session, run: Run) -> None:
    """The run is proven: what it read once more is no longer wanting."""
    if run.kind not in MOVES_WATERMARK or run.natives is not None or run.dry or run.left_out:
        return
    session.execute(
        """UPDATE exception SET state = 'closed', closed = now(), resolution = 'the field is back and was read again'
           WHERE flow = %s AND category = %s AND run <> %s
             AND ((target = '' AND state = 'open') OR state = 'replaying')""",
        (run.flow.name, Category.DRIFT, run.id),
    )


def _open(session: Session, flow: str) -> list[DictRow]:
    return session.execute(
        "SELECT key, target, state, version FROM exception WHERE flow = %s AND category = %s AND state <> 'closed'",
        (flow, Category.DRIFT),
    ).fetchall()
