"""The flows: one business object in one direction. The registry is derived from the routing, so that a new ERP adds its flows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from accord.routing import LEGAL_ENTITIES

SALESFORCE = "salesforce"
ERPS = tuple(dict.fromkeys(entity.system for entity in LEGAL_ENTITIES))


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One business object from one source to its targets. `schedule` is cron in UTC; `overlap` is read again below the
    watermark because rows may be committed after their modification instant; `status` names the object that tells the source
    how its records fared."""

    name: str
    object: str
    source: str
    targets: tuple[str, ...]
    schedule: str
    overlap: timedelta = timedelta(minutes=10)
    status: str | None = None
    owner: str = "integration"


def _customer() -> tuple[Flow, ...]:
    to_erp = Flow(
        name="customer__salesforce_to_erp",
        object="customer",
        source=SALESFORCE,
        targets=ERPS,
        schedule="*/10 * * * *",
        status="customer_status",
    )
    back = (
        Flow(
            name=f"customer_account__{erp}_to_salesforce",
            object="customer_account",
            source=erp,
            targets=(SALESFORCE,),
            schedule="*/15 * * * *",
        )
        for erp in ERPS
    )
    return (to_erp, *back)


FLOWS: dict[str, Flow] = {flow.name: flow for flow in _customer()}


def flow(name: str) -> Flow:
    """The flow called `name`. Raises KeyError naming the known ones."""
    try:
        return FLOWS[name]
    except KeyError:
        raise KeyError(f"unknown flow {name!r}; known: {', '.join(FLOWS)}") from None


def flows_of(object_name: str) -> tuple[Flow, ...]:
    """Every flow of one business object, in the registry's order."""
    return tuple(f for f in FLOWS.values() if f.object == object_name)
