"""What a form did, told by the page it leads to: `back(request, place, done=…, n=…, run=…)`."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request

from accord_airflow.console.starting import paused

DONE = {
    "assigned": "{n} assigned.",
    "discarded": "{n} discarded.",
    "edited": "{n} field(s) are edited now, until the source changes. Replay it to send it.",
    "replay": "A replay of {n} was started.",
    "decided": "The decision is kept, and its run was started.",
    "corrections": "Decided about {n}: it is kept, and what goes on with it was started.",
    "reconciliation": "A reconciliation was started.",
    "held": "No more calls are made.",
    "released": "Calls are let through.",
    "acknowledged": "Acknowledged: it is escalated no more.",
    "closed": "Closed.",
    "reviewed": "Kept.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What was done. `run`: what was started for it, <dag id>/<run id>; `waits`: its DAG is paused."""

    text: str
    run: str = ""
    waits: bool = False


def notice(request: Request) -> Notice | None:
    """What the query says was done; None when it says nothing that is known."""
    asked = request.query_params
    text = DONE.get(asked.get("done", ""))
    if text is None:
        return None
    number, run = asked.get("n", ""), asked.get("run", "")
    dag = run.partition("/")[0]
    return Notice(
        text=text.format(n=f"{int(number):,}" if number.isdecimal() else ""), run=run, waits=bool(dag and paused(dag))
    )
