"""Alerts and service levels: what is late, who was told, who sees to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, Response

from accord.errors import Stop
from accord_airflow.console.notices import notice
from accord_airflow.console.rendering import back, render
from accord_airflow.console.security import Person, Signed
from accord_airflow.runtime import opened

SAID = ("Means", "By itself")  # of an alert's facts those the page has a place of its own for
SERVICE_LEVELS = "service_levels"  # the DAG that measures what is no single flow's

router = APIRouter()


def dag_of(alert: Mapping[str, Any]) -> str:
    """The DAG an alert is about: the flow of that name, or the one that measures."""
    from accord.flows import FLOWS

    subject = alert["body"]["subject"]
    return subject if subject in FLOWS or "__" in subject else SERVICE_LEVELS


def readable(person: Person, alerts: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of `alerts` the person may see."""
    rows = list(alerts)
    allowed = set(person.may_read({dag_of(row) for row in rows}))
    return [row for row in rows if dag_of(row) in allowed]


@router.get("/", response_class=HTMLResponse)
def listing(request: Request, person: Signed, recovered: bool = False) -> Response:
    """Open alerts, the gravest first, or those that are over; and everything that is promised."""
    from accord.service_levels.breach import span
    from accord.service_levels.ledger import alerts
    from accord.service_levels.targets import LEVELS

    with opened() as accord:
        open_ones = readable(person, alerts(accord.hub))
        rows = readable(person, alerts(accord.hub, recovered=True)) if recovered else open_ones
        environment = accord.alerting.environment
    by_key = {row["key"]: row for row in open_ones}
    seen = set(person.may_read({level.subject for level in LEVELS if level.schedule} | {SERVICE_LEVELS}))
    levels = [
        {
            "level": level,
            "limit": span(level.limit) if level.limit else "",
            "alert": by_key.get(level.key(environment)),
        }
        for level in LEVELS
        if (level.subject if level.schedule else SERVICE_LEVELS) in seen
    ]
    return render(
        request,
        "alerts/list.html",
        title="Alerts",
        notice=notice(request),
        rows=rows,
        recovered=recovered,
        levels=levels,
    )


@router.get("/{number}/", response_class=HTMLResponse)
def one(request: Request, person: Signed, number: int) -> Response:
    """One alert: what is late, what it costs, what to do first, who was told."""
    from accord.service_levels.ledger import show
    from accord.service_levels.message import Event, message

    with opened() as accord:
        row = show(accord.hub, number)
        state = {"open": Event.OPENED, "acknowledged": Event.ACKNOWLEDGED, "recovered": Event.RECOVERED}[row["state"]]
        told = message(state, row["body"], accord.alerting, opened=row["opened"], until=row["recovered"])
    person.must_read(dag_of(row))
    return render(
        request,
        "alerts/one.html",
        title=f"Alert {number}",
        notice=notice(request),
        row=row,
        body=told.breach,
        facts=[(label, value) for label, value in told.facts if label not in SAID],
        runbook=dict(told.links)["Runbook"],
        may_act=bool(person.may_run([dag_of(row)])),
    )


@router.post("/{number}/acknowledge", response_class=HTMLResponse)
def acknowledge(request: Request, person: Signed, number: int, why: Annotated[str, Form()] = "") -> Response:
    """See to it: it is escalated no more."""
    from accord.service_levels import ledger

    with opened() as accord:
        person.must_run(dag_of(ledger.show(accord.hub, number)))
        ledger.acknowledge(accord.hub, number, who=person.name, why=why.strip())
    return back(request, f"/alerts/{number}/", done="acknowledged")


@router.post("/{number}/close", response_class=HTMLResponse)
def close(request: Request, person: Signed, number: int, why: Annotated[str, Form()] = "") -> Response:
    """Say that it is over, as nothing measures any more what it was about."""
    from accord.service_levels import ledger

    if not why.strip():
        raise Stop("Nobody would know why.", cure="Say why it is over.")
    with opened() as accord:
        person.must_run(dag_of(ledger.show(accord.hub, number)))
        ledger.close(accord.hub, number, who=person.name, why=why.strip())
    return back(request, f"/alerts/{number}/", done="closed")
