"""Data quality: every gate with its verdict and trend, the report of one, and the reviews of rules that fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, Response
from markupsafe import Markup

from accord.categories import REVIEW_STATES, Queue
from accord.errors import Stop
from accord_airflow.console.exceptions import NOBODY, visible
from accord_airflow.console.notices import notice
from accord_airflow.console.rendering import back, render, root
from accord_airflow.console.security import Person, Signed
from accord_airflow.runtime import opened

if TYPE_CHECKING:
    from accord.hub.connection import Hub

SIZE = 100  # reviews on a page

router = APIRouter()


@router.get("/", response_class=HTMLResponse)
def gates(
    request: Request,
    person: Signed,
    owner: str = "",
    state: str = "",
    assignee: str = "",
    settled: bool = False,
    after: str | None = None,
) -> Response:
    """Every gate as its last run left it, and the reviews that are asked for, a page at a time."""
    from accord.hub.gate_reports import standings
    from accord.hub.reviews import Wanted, reviews
    from accord.quality.report import money, sparkline

    with opened() as accord:
        within, flows = visible(accord, person)
        with accord.hub.session() as session:
            found = standings(session)
        wanted = Wanted(
            owner=owner or None,
            state=state or None,
            assignee="" if assignee == NOBODY else assignee or None,
            settled=settled,
            within=within,
        )
        listed = reviews(accord.hub, wanted, most=SIZE + 1, after=after)
    return render(
        request,
        "quality/list.html",
        title="Data quality",
        notice=notice(request),
        gates=[
            {
                "gate": one,
                "at_risk": money(one.at_risk),
                "trend": Markup(sparkline([point.quarantined for point in one.trend], "records held")),  # noqa: S704 - escaped there
            }
            for one in found
            if one.flow in flows
        ],
        reviews=[row | {"money": money(row["at_risk"])} for row in listed[:SIZE]],
        after=listed[SIZE - 1]["place"] if len(listed) > SIZE else None,
        first=after is None,
        asked={"owner": owner, "state": state, "assignee": assignee, "settled": settled},
        owners=[str(queue) for queue in Queue],
        states=REVIEW_STATES,
        nobody=NOBODY,
        me=person.name,
    )


@router.get("/report.css")
def stylesheet() -> Response:
    """The report's own stylesheet."""
    from accord.quality.report import style

    return Response(style(), media_type="text/css", headers={"Cache-Control": "private, max-age=300"})


@router.get("/runs/{number}/{gate}/", response_class=HTMLResponse)
def report(
    request: Request, person: Signed, number: int, gate: Literal["source", "canonical"], after: str = ""
) -> Response:
    """What a gate found in a run, as things stand now; held records a page at a time."""
    from accord.hub.gate_reports import gate_report
    from accord.quality.report import body, headline

    with opened() as accord, accord.hub.session() as session:
        found = gate_report(session, number, gate, after=after)
    person.must_read(found.flow)
    place = root(request)
    content = body(
        found,
        review=lambda review: f"{place}/quality/reviews/{review}/",
        exception=lambda exception: f"{place}/exceptions/{exception}/",
    )
    return render(
        request,
        "quality/report.html",
        title=headline(found),
        report=found,
        body=Markup(content),  # noqa: S704 - escaped there
        first=not after,
    )


@router.get("/reviews/{number}/", response_class=HTMLResponse)
def review(request: Request, person: Signed, number: int) -> Response:
    """One failing rule: what it means, some records, what people said and did."""
    from accord.hub.reviews import LONGEST, show
    from accord.quality.report import money, review_said

    with opened() as accord:
        row = show(accord.hub, number)
    person.must_read(row["flow"])
    return render(
        request,
        "quality/review.html",
        title=row["title"],
        notice=notice(request),
        row=row,
        said=review_said(row),
        at_risk=money(row["at_risk"]),
        longest=LONGEST,
        may_act=bool(person.may_run([row["flow"]])),
        me=person.name,
    )


@router.post("/reviews/{number}/act", response_class=HTMLResponse)
def act(
    request: Request,
    person: Signed,
    number: int,
    action: Annotated[str, Form()],
    to: Annotated[str, Form()] = "",
    text: Annotated[str, Form()] = "",
    days: Annotated[int, Form()] = 0,
    why: Annotated[str, Form()] = "",
) -> Response:
    """Acknowledge, assign, comment, accept for some days, or take that back."""
    from accord.hub.reviews import show

    with opened() as accord:
        person.must_run(show(accord.hub, number)["flow"])
        _do(accord.hub, number, person, action, to=to, text=text, days=days, why=why)
    return back(request, f"/quality/reviews/{number}/", done="reviewed")


def _do(hub: Hub, number: int, person: Person, action: str, **said: Any) -> None:
    from accord.hub import reviews

    match action:
        case "acknowledge":
            reviews.acknowledge(hub, number, who=person.name)
        case "assign":
            reviews.assign(hub, number, to=said["to"].strip() or None, who=person.name)
        case "comment":
            reviews.comment(hub, number, text=said["text"], who=person.name)
        case "accept":
            reviews.accept(hub, number, days=said["days"], why=said["why"], who=person.name)
        case "reopen":
            reviews.reopen(hub, number, who=person.name)
        case _:
            raise Stop(
                f"{action!r} is nothing that can be done.", cure="Acknowledge, assign, comment, accept or reopen."
            )
