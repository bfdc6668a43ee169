"""Reconciliation: what the last looks found, the differences, and approving their proposed corrections."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, Response

from accord.errors import Stop
from accord_airflow.console.notices import notice
from accord_airflow.console.rendering import back, render
from accord_airflow.console.security import Signed
from accord_airflow.console.starting import start
from accord_airflow.runtime import opened

SIZE = 50  # differences on a page
MOST = 10_000  # of one decision
AT_ONCE = 1000  # of one run that goes on with it: their keys travel with it
RECONCILIATION = "reconciliation"  # the DAG

router = APIRouter()


@router.get("/", response_class=HTMLResponse)
def latest(request: Request, person: Signed) -> Response:
    """The last look at everything, of every flow and target, and the last reconciliations of any kind."""
    from accord.flows import FLOWS
    from accord.hub import reconciliations as kept

    with opened() as accord:
        newest, last = kept.latest(accord.hub), kept.trend(accord.hub)
    allowed = set(person.may_read({row["flow"] for row in (*newest, *last)}))
    return render(
        request,
        "reconciliation/list.html",
        title="Reconciliation",
        notice=notice(request),
        newest=[row for row in newest if row["flow"] in allowed],
        last=[row for row in last if row["flow"] in allowed],
        differing=kept.differing,
        waits=kept.waits,
        pairs=[(flow.name, target) for flow in FLOWS.values() for target in flow.targets],
        may_start=bool(person.may_run([RECONCILIATION])),
    )


@router.post("/start", response_class=HTMLResponse)
def begin(
    request: Request, person: Signed, pair: Annotated[str, Form()], apply: Annotated[str, Form()] = "none"
) -> Response:
    """Reconcile one flow and target now: look only, or put right what may be without asking."""
    from accord.flows import FLOWS

    flow, _, target = pair.partition(" ")
    if flow not in FLOWS or target not in FLOWS[flow].targets or apply not in ("none", "auto"):
        raise Stop("That can't be reconciled.", cure="Choose among those that are listed.")
    person.must_run(flow)
    conf = {"flow": flow, "object": FLOWS[flow].object, "target": target, "apply": apply}
    return back(request, "/reconciliation/", done="reconciliation", run=start(person, RECONCILIATION, conf))


@router.get("/{number}/", response_class=HTMLResponse)
def differences(
    request: Request,
    person: Signed,
    number: int,
    outcome: str = "",
    of_class: Annotated[str, Query(alias="class")] = "",
    after: str | None = None,
) -> Response:
    """One reconciliation: both sides' sums, and its differences a page at a time, the most money first."""
    from accord.hub import reconciliations as kept

    with opened() as accord:
        summary = kept.one(accord.hub, number)
        person.must_read(summary["flow"])
        rows, following = kept.difference_page(
            accord.hub, number, outcome=outcome or None, of_class=of_class or None, size=SIZE, after=after
        )
    return render(
        request,
        "reconciliation/one.html",
        title=f"Reconciliation {number}",
        notice=notice(request),
        summary=summary,
        line=kept.describe(summary),
        amounts=list(kept.amounts_of(summary)),
        rows=rows,
        after=following,
        first=after is None,
        asked={"outcome": outcome, "class": of_class},
        outcomes=list(kept.Outcome),
        classes=sorted(kept.differing(summary)),
        may_act=bool(person.may_run([summary["flow"]])),
    )


@router.post("/{number}/decide", response_class=HTMLResponse)
def decide(
    request: Request,
    person: Signed,
    number: int,
    answer: Annotated[str, Form()],
    keys: Annotated[list[str] | None, Form()] = None,
    every: Annotated[bool, Form()] = False,
    sure: Annotated[bool, Form()] = False,
    outcome: Annotated[str, Form()] = "",
    of_class: Annotated[str, Form(alias="class")] = "",
    why: Annotated[str, Form()] = "",
) -> Response:
    """Approve or refuse the proposed corrections of the records that were ticked, or of everything that waits and the filter lets through:
    then what it is about is shown first. Reconciliations of just those go on."""
    from accord.approvals import keep_decision, pending
    from accord.hub import reconciliations as kept

    if answer not in ("approve", "refuse") or not (every or keys):
        raise Stop("Nothing was decided.", cure="Tick differences that wait, and approve or refuse them.")
    if answer == "refuse" and not why.strip():
        raise Stop("Nobody would know why.", cure="Say why they are refused.")
    if keys and len(keys) > AT_ONCE:
        raise Stop(f"{len(keys):,} are meant, at most {AT_ONCE:,} may be.", cure="Decide about fewer at once.")
    asked = {"outcome": outcome, "class": of_class}
    with opened() as accord:
        summary = kept.one(accord.hub, number)
        person.must_run(summary["flow"], RECONCILIATION)
        if every:
            waiting = kept.waiting(accord.hub, number, outcome=outcome or None, of_class=of_class or None, most=MOST)
            keys = [row["key"] for row in waiting]
            if keys and not sure:
                return render(
                    request,
                    "reconciliation/sure.html",
                    title="Are you sure?",
                    summary=summary,
                    sums=_sums(waiting),
                    count=len(keys),
                    answer=answer,
                    why=why,
                    asked=asked,
                )
        place = (summary["flow"], summary["target"])
        matters = [
            row
            for row in (pending(accord.hub, *keys) if keys else ())
            if row["kind"] == "difference" and (row["flow"], row["target"]) == place
        ]
        if not matters:
            raise Stop("Nothing of that waits any more.", cure="Look at a newer reconciliation.")
        keep_decision(accord.hub, matters, approved=answer == "approve", who=person.name, why=why.strip())
    of = {name: summary[name] for name in ("flow", "object", "target")}
    of["apply"] = "all" if answer == "approve" else "auto"
    decided = sorted({row["key"] for row in matters})
    started = [
        start(person, RECONCILIATION, {**of, "keys": decided[first : first + AT_ONCE]})
        for first in range(0, len(decided), AT_ONCE)
    ]
    return back(request, f"/reconciliation/{number}/", **asked, done="corrections", n=len(decided), run=started[0])


def _sums(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """How many, and the money at risk, by class, correction and currency."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in rows:
        of = (row["class"], row["correction"], row["currency"])
        one = found.setdefault(of, {**row, "differences": 0, "at_risk": Decimal(0)})
        one["differences"] += 1
        one["at_risk"] += row["at_risk"] or 0
    return list(found.values())
