"""Reconciliation: what the last looks found, the differences, and approving their proposed corrections."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, Response

from accord.errors import Stop
from accord_airflow.console.notices import notice
from accord_airflow.console.rendering import back, render
from accord_airflow.console.security import Signed
from accord_airflow.console.starting import start
from accord_airflow.runtime import opened

SIZE = 50  # differences on a page
MOST = 1000  # of one decision: their keys travel with the run
RECONCILIATION = "reconciliation"  # the DAG
OUTCOMES = ("proposed", "stands", "corrected", "passed on", "accepted", "found")

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
def differences(request: Request, person: Signed, number: int, outcome: str = "", after: str | None = None) -> Response:
    """One reconciliation: both sides' sums, and its differences a page at a time, the most money first."""
    from accord.hub import reconciliations as kept

    with opened() as accord:
        summary = kept.one(accord.hub, number)
        person.must_read(summary["flow"])
        rows, following = kept.difference_page(accord.hub, number, outcome=outcome or None, size=SIZE, after=after)
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
        outcome=outcome,
        outcomes=OUTCOMES,
        may_act=bool(person.may_run([summary["flow"]])),
    )


@router.post("/{number}/decide", response_class=HTMLResponse)
def decide(
    request: Request,
    person: Signed,
    number: int,
    answer: Annotated[str, Form()],
    keys: Annotated[list[str] | None, Form()] = None,
    why: Annotated[str, Form()] = "",
) -> Response:
    """Approve or refuse the proposed corrections of the records that were ticked; a reconciliation of just those goes on."""
    from accord.approvals import keep_decision, pending
    from accord.hub import reconciliations as kept

    if answer not in ("approve", "refuse") or not keys:
        raise Stop("Nothing was decided.", cure="Tick differences that wait, and approve or refuse them.")
    if answer == "refuse" and not why.strip():
        raise Stop("Nobody would know why.", cure="Say why they are refused.")
    if len(keys) > MOST:
        raise Stop(f"{len(keys):,} are meant, at most {MOST:,} may be.", cure="Decide about fewer at once.")
    with opened() as accord:
        summary = kept.one(accord.hub, number)
        person.must_run(summary["flow"], RECONCILIATION)
        place = (summary["flow"], summary["target"])
        matters = [
            row
            for row in pending(accord.hub, *keys)
            if row["kind"] == "difference" and (row["flow"], row["target"]) == place
        ]
        if not matters:
            raise Stop("Nothing of that waits any more.", cure="Look at a newer reconciliation.")
        keep_decision(accord.hub, matters, approved=answer == "approve", who=person.name, why=why.strip())
    conf = {
        "flow": summary["flow"],
        "object": summary["object"],
        "target": summary["target"],
        "keys": sorted({row["key"] for row in matters}),
        "apply": "all" if answer == "approve" else "auto",
    }
    run = start(person, RECONCILIATION, conf)
    return back(request, f"/reconciliation/{number}/", done="decided", run=run)
