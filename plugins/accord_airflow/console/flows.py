"""One flow and one run of it: the tabs on Airflow's pages of a DAG and of a run."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from accord.categories import Category
from accord_airflow.console.alerts import SERVICE_LEVELS
from accord_airflow.console.exceptions import REPLAY
from accord_airflow.console.reconciliation import RECONCILIATION
from accord_airflow.console.rendering import render
from accord_airflow.console.security import Signed
from accord_airflow.runtime import opened

SIZE = 25  # runs on a page
REPLAYED = 200  # exceptions shown of a replay
# a DAG that is no flow, and the page that has what it works on
OTHERS = {
    REPLAY: ("Exceptions", "/exceptions/"),
    "approvals": ("Exceptions", "/exceptions/?kind=approval"),
    "approval": ("Exceptions", "/exceptions/?kind=approval"),
    RECONCILIATION: ("Reconciliation", "/reconciliation/"),
    SERVICE_LEVELS: ("Alerts", "/alerts/"),
    "quality_digest": ("Data quality", "/quality/"),
    "quote_to_cash": ("Trace", "/trace/"),
    "lead_to_customer": ("Trace", "/trace/"),
    "outbox": ("Exceptions", f"/exceptions/?{urlencode({'category': Category.SUBSCRIBER})}"),
    "housekeeping": ("Overview", "/"),
}

router = APIRouter()


@router.get("/{dag}/", response_class=HTMLResponse)
def flow(request: Request, person: Signed, dag: str, before: int | None = None) -> Response:
    """A flow: what waits, what was promised, its runs. Of a DAG that is none the page says where to look."""
    from accord.hub.overview import overview, runs_of
    from accord.service_levels.ledger import alerts

    person.must_read(dag)
    with opened() as accord:
        found = overview(accord.hub, dag)
        runs = runs_of(accord.hub, dag, before=before, size=SIZE + 1)
        late = [row for row in alerts(accord.hub) if row["body"]["subject"] == dag]
    return render(
        request,
        "flows/flow.html",
        title=dag,
        dag=dag,
        flow=found["flows"].get(dag),
        exceptions=found["exceptions"],
        alerts=late,
        runs=runs[:SIZE],
        before=runs[SIZE - 1]["id"] if len(runs) > SIZE else None,
        first=before is None,
        other=OTHERS.get(dag),
    )


@router.get("/{dag}/runs/{run:path}", response_class=HTMLResponse)
def run(request: Request, person: Signed, dag: str, run: str) -> Response:
    """A run: whether every record is accounted for, what the gates said, what was raised. Of a DAG that is no flow: the runs of flows it
    started, the exceptions it replayed."""
    from accord.hub.overview import raised_by, replayed_in, run_of, started_in
    from accord.pipeline.runs import read_run
    from accord.pipeline.settle import OUT, summarize

    person.must_read(dag)
    with opened() as accord:
        found = run_of(accord.hub, dag, f"{dag}/{run}")
        summary, raised = None, []
        started = replayed = []
        if not found:
            started = started_in(accord.hub, f"{dag}/{run}")
            replayed = replayed_in(accord.hub, f"{dag}/{run}", most=REPLAYED + 1)
            seen = set(person.may_read({row["flow"] for row in (*started, *replayed)}))
            started, replayed = ([row for row in rows if row["flow"] in seen] for rows in (started, replayed))
        else:
            read = read_run(accord.hub, found["id"])
            with accord.hub.session() as session:
                summary = summarize(accord, session, read)
            raised = raised_by(accord.hub, found["id"])
    return render(
        request,
        "flows/run.html",
        title=f"Run of {dag}",
        dag=dag,
        name=run,
        run=found,
        summary=summary,
        raised=raised,
        started=started,
        replayed=replayed,
        most=REPLAYED,
        buckets=OUT,
        other=OTHERS.get(dag),
    )
