"""Decisions about single exceptions, and the runs that go on with them: a suspected duplicate, an approval, a difference."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from accord.approvals import keep_decision
from accord.errors import Stop
from accord.exceptions import decide_pair
from accord.hub.reconciliations import Apply
from accord.runtime import Accord

ANSWERS = {"duplicate": ("same", "two"), "approval": ("approve", "refuse"), "difference": ("approve", "refuse")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """How a decision is kept, and the run that goes on with it: a DAG and what it is told."""

    keep: Callable[[], None]
    dag: str
    conf: dict[str, Any]


def decide_about(accord: Accord, row: Mapping[str, Any], *, answer: str, who: str, why: str) -> Follow:
    """What follows from an `answer` about the exception `row` (accord.hub.queue.one). Nothing is kept before `keep`.

    Raises Stop for an answer to another question, one without a reason, and an exception that is open no more.
    """
    if answer not in ANSWERS.get(row["kind"], ()):
        raise Stop(
            f"{answer!r} is no answer about exception {row['id']}, which is {row['kind']}.",
            cure=f"Answer {' or '.join(ANSWERS.get(row['kind'], ('nothing',)))}.",
        )
    if row["state"] != "open":
        raise Stop(f"Exception {row['id']} is {row['state']}.", cure="Nothing is to be decided any more.")
    if answer != "approve" and not why.strip():
        raise Stop("Nobody would know why.", cure="Say why.")
    if row["kind"] == "duplicate":
        number = int(row["id"])
        keep = partial(decide_pair, accord, number, same=answer == "same", who=who, why=why.strip())
        return Follow(keep=keep, dag="replay", conf={"ids": [str(number)], "why": why.strip()[:200]})
    approved = answer == "approve"
    keep = partial(keep_decision, accord.hub, [row], approved=approved, who=who, why=why.strip())
    if row["kind"] == "approval":
        return Follow(keep=keep, dag=row["flow"], conf={"keys": [row["key"]]})
    apply = Apply.ALL if approved else Apply.AUTO
    conf = {"flow": row["flow"], "object": row["object"], "target": row["target"], "keys": [row["key"]]}
    return Follow(keep=keep, dag="reconciliation", conf={**conf, "apply": str(apply)})
