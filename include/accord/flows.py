"""The flows: one business object in one direction. Derived from what the objects declare and from the routing, so that a new
object brings its flows and a new ERP gets its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from accord.errors import Stop
from accord.objects import OBJECTS
from accord.objects.definition import BusinessObject, Owner, Priority
from accord.routing import erps as erps_of_the_routing

SALESFORCE = "salesforce"
ERPS = erps_of_the_routing()


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One business object from one source to its targets. `schedule` is cron in UTC; `overlap` is read again below the
    watermark because rows may be committed after their modification instant; `status` names the object that tells the source
    how its records fared; `priority` decides who waits when a system's requests run short."""

    name: str
    object: str
    source: str
    targets: tuple[str, ...]
    schedule: str
    overlap: timedelta = timedelta(minutes=10)
    status: str | None = None
    priority: Priority = Priority.STANDARD
    owner: str = "integration"


def _flows(definition: BusinessObject) -> Iterator[Flow]:
    for direction in definition.directions:
        erps = direction.erps or ERPS
        if direction.towards is Owner.ERP:
            ways = {SALESFORCE: (f"{definition.name}__salesforce_to_erp", erps)}
        else:
            ways = {erp: (f"{definition.name}__{erp}_to_salesforce", (SALESFORCE,)) for erp in erps}
        for source, (name, targets) in ways.items():
            yield Flow(
                name=name,
                object=definition.name,
                source=source,
                targets=targets,
                schedule=direction.schedule,
                overlap=direction.overlap,
                status=direction.status,
                priority=direction.priority,
            )


FLOWS: dict[str, Flow] = {flow.name: flow for definition in OBJECTS.values() for flow in _flows(definition)}


def flow(name: str) -> Flow:
    """The flow called `name`. Raises KeyError naming the known ones."""
    try:
        return FLOWS[name]
    except KeyError:
        raise KeyError(f"unknown flow {name!r}; known: {', '.join(FLOWS)}") from None


def flows_of(object_name: str) -> tuple[Flow, ...]:
    """Every flow of one business object, in the registry's order."""
    return tuple(f for f in FLOWS.values() if f.object == object_name)


def origins(object_name: str) -> frozenset[str]:
    """The systems whose own ids are the canonical ids of an object: those it is read from."""
    return frozenset(f.source for f in flows_of(object_name))


def reconciled_pairs(
    object_name: str, *, source: str | None = None, target: str | None = None
) -> tuple[tuple[Flow, str], ...]:
    """(flow, target) of one business object, or those between the systems given. Raises Stop when there is none."""
    found = tuple(
        (one, to)
        for one in flows_of(object_name)
        for to in one.targets
        if source in (None, one.source) and target in (None, to)
    )
    if not found:
        raise Stop(f"No flow brings {object_name} there.", cure="Choose among those that `accord status` lists.")
    return found
