"""The exception queue: the list with its filters, one exception with all that is known of it, and what people do about them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, Response

from accord.categories import KINDS, Category, Queue
from accord.errors import Stop
from accord_airflow.console.notices import notice
from accord_airflow.console.rendering import back, render
from accord_airflow.console.security import Person, Signed
from accord_airflow.console.starting import start
from accord_airflow.runtime import opened

if TYPE_CHECKING:
    from accord.hub.queue import Filter
    from accord.runtime import Accord

SIZE = 50  # on a page
MOST = 10_000  # of one action: their numbers travel with the run
REPLAY = "replay"  # the DAG
HOURS = {"1": "1 hour", "24": "1 day", "72": "3 days", "168": "1 week"}
CHOICES = {"queue": [str(queue) for queue in Queue], "category": [str(one) for one in Category], "kind": list(KINDS)}
NOBODY = "nobody"  # in a filter: assigned to nobody
FIELDS = (
    "queue",
    "category",
    "kind",
    "object",
    "flow",
    "target",
    "key",
    "assignee",
    "hours",
    "above",
    "currency",
    "overdue",
    "closed",
)

router = APIRouter()


def asked(given: Mapping[str, Any]) -> dict[str, str]:
    """What a query or a form says of a filter."""
    return {name: str(given[name]).strip() for name in FIELDS if str(given.get(name) or "").strip()}


def wanted(words: Mapping[str, str], within: tuple[str, ...] | None) -> Filter:
    """The filter in `words` (see `asked`), of the flows `within`. Raises Stop for an amount or an age that is none."""
    from accord.hub.queue import Filter
    from accord.service_levels.measures import agreed

    hours, above = words.get("hours"), words.get("above")
    plain: dict[str, Any] = {
        name: words.get(name) for name in ("queue", "category", "kind", "object", "flow", "target", "key")
    }
    try:
        return Filter(
            **plain,
            assignee="" if words.get("assignee") == NOBODY else words.get("assignee"),
            older_than=timedelta(hours=int(hours)) if hours else None,
            above=Decimal(above) if above else None,
            currency=words.get("currency", "").upper() or None if above else None,
            overdue=agreed(datetime.now(UTC)) if "overdue" in words else None,
            closed="closed" in words,
            within=within,
        )
    except (InvalidOperation, ValueError):
        raise Stop("That is no amount, or no number of hours.", cure="Write digits.") from None


def visible(accord: Accord, person: Person) -> tuple[tuple[str, ...] | None, list[str]]:
    """The flows whose exceptions the person may see, None when these are all; and those of them that ever ran."""
    from accord.hub.overview import flow_names
    from accord.outbox.publish import FLOW

    known = [*flow_names(accord.hub), FLOW]
    allowed = tuple(person.may_read(known))
    return None if len(allowed) == len(known) else allowed, [name for name in allowed if name != FLOW]


@router.get("/", response_class=HTMLResponse)
def queue(request: Request, person: Signed, after: str | None = None) -> Response:
    """Exceptions, the gravest first, then the oldest, a page at a time."""
    from accord.hub.queue import page, sums

    words = asked(request.query_params)
    with opened() as accord:
        within, flows = visible(accord, person)
        which = wanted(words, within)
        found = page(accord.hub, which, size=SIZE, after=after)
        counted = [] if which.closed else sums(accord.hub, which)  # what is settled is only looked up
    return render(
        request,
        "exceptions/list.html",
        title="Exceptions",
        notice=notice(request),
        rows=found.rows,
        sums=counted,
        after=found.after,
        first=after is None,
        asked=words,
        choices=CHOICES | {"flow": flows},
        hours=HOURS,
        nobody=NOBODY,
        me=person.name,
        may_act="closed" not in words and bool(person.may_run([REPLAY])),
    )


@router.get("/{number}/", response_class=HTMLResponse)
def detail(request: Request, person: Signed, number: int) -> Response:
    """One exception: what to do, what was sent and answered, its history. No system is asked."""
    from accord.hub.queue import one

    with opened() as accord:
        return _detail(request, person, accord, one(accord.hub, number))


@router.post("/{number}/compare", response_class=HTMLResponse)
def compare(request: Request, person: Signed, number: int, values: Annotated[bool, Form()] = False) -> Response:
    """The exception with what the systems hold now. Asking them takes the right to start a run; who sees values is kept."""
    from accord.exceptions import compared
    from accord.hub.queue import one

    with opened() as accord:
        row = one(accord.hub, number)
        person.must_run(row["flow"])
        sides = compared(accord, row, who=person.name, values=values)
        return _detail(request, person, accord, row, sides=sides)


def _detail(
    request: Request, person: Person, accord: Accord, row: Mapping[str, Any], sides: Mapping[str, Any] | None = None
) -> Response:
    from accord.exceptions import described
    from accord.sent import sent

    person.must_read(row["flow"])
    return render(
        request,
        "exceptions/detail.html",
        title=f"Exception {row['id']}",
        notice=notice(request),
        row=described(accord, row),
        sent=sent(accord.hub, row),
        sides=sides,
        may_act=bool(person.may_run([row["flow"]])) and row["state"] == "open",
        me=person.name,
    )


@router.post("/{number}/edit", response_class=HTMLResponse)
def edit(
    request: Request,
    person: Signed,
    number: int,
    field: Annotated[str, Form()],
    why: Annotated[str, Form()] = "",
    value: Annotated[str, Form()] = "",
    how: Annotated[str, Form()] = "set",
) -> Response:
    """Set a field of the record, empty it, or take an earlier edit of it back."""
    from accord import exceptions
    from accord.hub.queue import one

    with opened() as accord:
        person.must_run(one(accord.hub, number)["flow"])
        done = exceptions.edit(
            accord,
            number,
            values={} if how == "undo" else {field.strip(): None if how == "empty" else value},
            undo=[field.strip()] if how == "undo" else [],
            who=person.name,
            why=why,
        )
    return back(request, f"/exceptions/{number}/", done="edited", n=len(done["edited"]))


@router.post("/{number}/decide", response_class=HTMLResponse)
def decide(
    request: Request, person: Signed, number: int, answer: Annotated[str, Form()], why: Annotated[str, Form()] = ""
) -> Response:
    """Say whether a suspected duplicate is one, or whether what waits is approved; a run goes on with it."""
    from accord.hub.queue import one
    from accord_airflow.console.decisions import decide_about

    with opened() as accord:
        row = one(accord.hub, number)
        person.must_run(row["flow"])
        follow = decide_about(accord, row, answer=answer, who=person.name, why=why)
        person.must_run(follow.dag)
        follow.keep()
    return back(request, f"/exceptions/{number}/", done="decided", run=start(person, follow.dag, follow.conf))


@router.post("/act", response_class=HTMLResponse)
def act(
    request: Request,
    person: Signed,
    action: Annotated[str, Form()],
    ids: Annotated[list[int] | None, Form()] = None,
    every: Annotated[bool, Form()] = False,
    sure: Annotated[bool, Form()] = False,
    given: Annotated[str, Form(alias="filter")] = "",
    to: Annotated[str, Form()] = "",
    why: Annotated[str, Form()] = "",
) -> Response:
    """Assign, discard or replay what was chosen, or everything the filter lets through: then what it is about is shown first."""
    from accord.exceptions import assign, discard
    from accord.hub.queue import Filter, chosen, totals

    among = dict(parse_qsl(given))
    words = asked(among)
    if not every and not ids:
        raise Stop("Nothing was chosen.", cure="Tick exceptions, or choose everything the filter lets through.")
    with opened() as accord:
        within, _ = visible(accord, person)
        which = wanted(words, within) if every else Filter(ids=tuple(ids or ()), within=within)
        with accord.hub.session() as session:
            rows = chosen(session, which, most=MOST)
            summed = totals(session, which)
        person.must_run(*{row["flow"] for row in rows}, *([REPLAY] if action == "replay" else []))
        if every and not sure:
            return render(
                request,
                "exceptions/sure.html",
                title="Are you sure?",
                rows=summed,
                count=len(rows),
                action=action,
                filter=given,
                to=to,
                why=why,
            )
        # what was looked at is what is done: by number, and of the flows that were allowed
        these = Filter(ids=tuple(row["id"] for row in rows), within=tuple({row["flow"] for row in rows}))
        told: dict[str, Any] = {"done": action, "n": len(rows)}
        match action:
            case "assigned":
                told["n"] = assign(accord, these, to=to.strip() or None, who=person.name, most=MOST).changed
            case "discarded":
                told["n"] = discard(accord, these, who=person.name, why=why, most=MOST).changed
            case "replay":
                conf = {"ids": [str(row["id"]) for row in rows], "most": len(rows) or 1, "why": why[:200]}
                told["run"] = start(person, REPLAY, conf)
            case _:
                raise Stop(f"{action!r} is nothing that can be done.", cure="Choose assign, discard or replay.")
    if not every and len(rows) == 1 and "list" not in among:
        return back(request, f"/exceptions/{rows[0]['id']}/", **told)
    return back(request, "/exceptions/", **words, **told)
