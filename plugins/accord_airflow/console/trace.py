"""The trace: one record's life across the systems, on a timeline."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, Response

from accord.errors import Stop
from accord_airflow.console.rendering import render
from accord_airflow.console.security import Person, Signed
from accord_airflow.runtime import opened

SIZE = 200  # events on a page


if TYPE_CHECKING:
    from accord.trace import Event

router = APIRouter()


@router.get("/", response_class=HTMLResponse)
def search(request: Request, person: Signed, of: str = "", start: int = 0) -> Response:
    """What happened to the record `of` names: by canonical id, a system's own id, or its number."""
    return _trace(request, person, of.strip(), start=max(start, 0))


@router.post("/", response_class=HTMLResponse)
def with_values(
    request: Request, person: Signed, of: Annotated[str, Form()], start: Annotated[int, Form()] = 0
) -> Response:
    """The same with personal and financial values: that takes the right to start runs, and that somebody looked is kept."""
    return _trace(request, person, of.strip(), start=max(start, 0), values=True)


def _trace(request: Request, person: Person, of: str, *, start: int, values: bool = False) -> Response:
    from accord.hub.overview import engine_runs
    from accord.trace import trace

    shown: dict[str, Any] = {"of": of, "start": start, "size": SIZE, "values": values, "tone": _tone}
    if not of:
        return render(request, "trace.html", title="Trace", found=None, problem="", **shown)
    with opened() as accord:
        try:
            found = trace(accord, of)
        except Stop as nothing:
            return render(request, "trace.html", title="Trace", found=None, problem=str(nothing), **shown)
        objects = {event.object for event in found.events} - {""}
        if refused := _beyond(person.may_run if values else person.may_read, objects):
            what = "start" if values else "see"
            raise HTTPException(HTTPStatus.FORBIDDEN, f"This has to do with {refused}, whose flows you may not {what}.")
        if values:
            found = trace(accord, of, values=True, who=person.name)
        events = found.events[start : start + SIZE]
        shown["may_look"] = not _beyond(person.may_run, objects)
        runs = engine_runs(accord.hub, [event.run for event in events if event.run])
    return render(
        request, "trace.html", title=f"Trace of {of}", found=found, events=events, runs=runs, problem="", **shown
    )


def _tone(event: Event) -> str:
    """How an event looks: what arrived or was settled, what was found or refused, and all else."""
    match event.what:
        case "delivery":
            return "good" if ": applied" in event.text else "bad"
        case "exception":
            return "good" if event.text.startswith("closed") else "bad"
        case "finding":
            return "warn"
    return ""


def _beyond(allowed: Callable[[list[str]], list[str]], objects: set[str]) -> str:
    """The first of `objects` none of whose flows is `allowed`; empty when there is none. A process is the DAG of its name."""
    from accord.flows import flows_of

    for name in sorted(objects):
        if not allowed([flow.name for flow in flows_of(name)] or [name]):
            return name
    return ""
