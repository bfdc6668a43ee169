"""The systems: whether they take calls, their requests of the day, what vanished from them, and keeping calls away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, Response

from accord.categories import Category
from accord.errors import Stop
from accord_airflow.console.exceptions import visible
from accord_airflow.console.notices import notice
from accord_airflow.console.rendering import back, render
from accord_airflow.console.security import Signed
from accord_airflow.runtime import opened

HOURS = (1, 2, 4, 8, 24)

router = APIRouter()


def concerned(system: str) -> list[str]:
    """The flows that read or write it."""
    from accord.flows import FLOWS

    return [flow.name for flow in FLOWS.values() if system in (flow.source, *flow.targets)]


@router.get("/", response_class=HTMLResponse)
def listing(request: Request, person: Signed) -> Response:
    """Every system, and the fields that vanished."""
    from accord.hub.queue import Filter, page

    with opened() as accord:
        rows = accord.availability.overview()
        within, _ = visible(accord, person)
        drift = page(accord.hub, Filter(category=str(Category.DRIFT), within=within), size=100)
    steered = {
        row["system"]: bool(flows := concerned(row["system"])) and person.may_run(flows) == flows for row in rows
    }
    return render(
        request,
        "systems.html",
        title="Systems",
        notice=notice(request),
        rows=rows,
        drift=drift.rows,
        steered=steered,
        hours=HOURS,
    )


@router.post("/{system}/hold", response_class=HTMLResponse)
def hold(
    request: Request, person: Signed, system: str, hours: Annotated[int, Form()] = 1, why: Annotated[str, Form()] = ""
) -> Response:
    """Keep calls away from a system for some hours: what goes to it queues. Takes the right to start all its flows."""
    from accord.hub import systems

    _must_steer(person, system)
    if hours not in HOURS or not why.strip():
        raise Stop("Nobody would know why, or until when.", cure="Choose how long, and say why.")
    with opened() as accord:
        until = datetime.now(UTC) + timedelta(hours=hours)
        systems.hold(accord.hub, system, until=until, who=person.name, why=why.strip())
    return back(request, "/systems/", done="held")


@router.post("/{system}/release", response_class=HTMLResponse)
def release(request: Request, person: Signed, system: str, why: Annotated[str, Form()] = "") -> Response:
    """Let calls through at once: end a hold, close the breaker."""
    from accord.hub import systems

    _must_steer(person, system)
    with opened() as accord:
        systems.release(accord.hub, system, who=person.name, why=why.strip())
    return back(request, "/systems/", done="released")


def _must_steer(person: Signed, system: str) -> None:
    flows = concerned(system)
    if not flows:
        raise Stop(f"There is no system {system}.", cure="Choose among those that are listed.")
    person.must_run(*flows)
