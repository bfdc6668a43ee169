"""The overview: how every flow is, whether what was promised is kept, the figures that matter most, and what waits for people."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from accord_airflow.console.alerts import readable as readable_alerts
from accord_airflow.console.kpis import headlines
from accord_airflow.console.rendering import render
from accord_airflow.console.security import Signed
from accord_airflow.runtime import opened

router = APIRouter()


@router.get("/", response_class=HTMLResponse)
def show(request: Request, person: Signed) -> Response:
    """Every flow the person may see."""
    from accord.flows import FLOWS
    from accord.hub.overview import overview
    from accord.metrics.values import latest
    from accord.service_levels.ledger import alerts

    with opened() as accord:
        found = overview(accord.hub)
        late = readable_alerts(person, alerts(accord.hub))
        systems = accord.availability.overview()
        taken = latest(accord.hub)
    readable = set(person.may_read(found["flows"]))
    waiting = [row for row in found["exceptions"] if row["flow"] in readable]
    flows = [
        {
            **row,
            "name": name,
            "declared": name in FLOWS,
            "open": sum(each["open"] for each in waiting if each["flow"] == name),
            "alerts": [alert for alert in late if alert["body"]["subject"] == name],
        }
        for name, row in found["flows"].items()
        if name in readable
    ]
    return render(
        request,
        "overview.html",
        title="Overview",
        flows=flows,
        exceptions=_by_category(waiting),
        open=sum(row["open"] for row in waiting),
        blocking=sum(row["open"] for row in waiting if row["severity"] >= 4),
        alerts=len(late),
        away=[row for row in systems if row["shut"]],
        in_doubt=found["in_doubt"],
        figures=headlines(taken),
        taken=taken.at,
    )


def _by_category(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What waits by queue and category, whatever the flow; the gravest first."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        one = found.setdefault((row["queue"], row["category"]), {**row, "open": 0})
        one["open"] += row["open"]
        one["oldest"] = min(one["oldest"], row["oldest"])
    return sorted(found.values(), key=lambda one: (-one["severity"], -one["open"]))
