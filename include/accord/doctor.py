"""`accord doctor`: everything a run needs, looked at before a run needs it; each finding with its cure."""

from __future__ import annotations

from collections.abc import Iterator

from accord.categories import Category, remedy
from accord.errors import AccordError, Shut
from accord.flows import FLOWS
from accord.objects import OBJECTS
from accord.objects.definition import BusinessObject
from accord.outbox.standing import overview
from accord.ports import Check
from accord.runtime import Accord


def examine(accord: Accord) -> Iterator[tuple[str, Check]]:
    """(system, check) for the hub, the staging, every subscriber and every system of the registry. Never raises for a finding."""
    for check in _hub(accord):
        yield "hub", check
    yield "staging", _staging(accord)
    for check in _subscribers(accord):
        yield "outbox", check
    for name in _systems():
        yield name, _takes_calls(accord, name)
        try:
            for check in accord.system(name).check(_objects_of(name)):
                yield name, check
        except AccordError as error:
            yield name, Check(subject="connection", ok=False, found=str(error), cure=error.cure)


def _hub(accord: Accord) -> Iterator[Check]:
    try:
        found, expected = accord.hub.revision(), accord.hub.expected_revision()
    except AccordError as error:
        yield Check(subject="connection", ok=False, found=str(error), cure=error.cure)
        return
    yield Check(subject="connection", ok=True, found="reached")
    yield Check(
        subject="schema",
        ok=found == expected,
        found=f"revision {found or 'none'}, this version needs {expected}",
        cure="Run `accord hub upgrade`.",
    )


def _staging(accord: Accord) -> Check:
    try:
        accord.staging.probe()
    except OSError as error:
        return Check(
            subject="write and read",
            ok=False,
            found=type(error).__name__,
            cure="Point ACCORD_STAGING at a place that can be written.",
        )
    return Check(subject="write and read", ok=True, found="works")


def _takes_calls(accord: Accord, name: str) -> Check:
    """Breaker, maintenance, hold. A declared window is no finding; one that can't be understood is."""
    try:
        shut = accord.availability.shut(name)
    except AccordError as error:
        return Check(subject="takes calls", ok=False, found=str(error), cure=error.cure)
    if shut is None:
        return Check(subject="takes calls", ok=True, found="yes")
    return Check(subject="takes calls", ok=shut.why is Shut.MAINTENANCE, found=str(shut), cure=shut.cure)


def _subscribers(accord: Accord) -> Iterator[Check]:
    if not accord.subscribers:
        return
    try:
        found = {one["subscriber"]: one for one in overview(accord)}
    except AccordError as error:  # the hub's: its own lines say more
        yield Check(subject="subscribers", ok=False, found=str(error), cure=error.cure)
        return
    for name in accord.subscribers:
        one = found[name]
        ok = one["state"] in ("well", "new")
        told = one["state"] if ok else f"{one['state']}: {one['problem']}"
        waiting = f", {one['waiting']:,} event(s) wait" if one.get("waiting") else ""
        yield Check(subject=name, ok=ok, found=told + waiting, cure="" if ok else remedy(Category.SUBSCRIBER, ""))


def _systems() -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for flow in FLOWS.values() for name in (flow.source, *flow.targets)))


def _objects_of(system: str) -> dict[str, BusinessObject]:
    """The objects that are read from or written to `system`."""
    names = [f.object for f in FLOWS.values() if system in (f.source, *f.targets)]
    names += [f.status for f in FLOWS.values() if f.source == system and f.status]
    return {name: OBJECTS[name] for name in dict.fromkeys(names)}
