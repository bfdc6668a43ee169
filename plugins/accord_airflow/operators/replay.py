"""Replay: exceptions are tried again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import Param

from accord.categories import Category, Queue
from accord.errors import Stop
from accord_airflow.operators.base import AccordOperator
from accord_airflow.window import chosen, flag, words

if TYPE_CHECKING:
    from airflow.sdk import Context

# what a replay may be told of the exceptions it is about; an operator's `queue` is Airflow's own word
CHOICES = ("owner_queue", "category", "kind", "object", "flow", "target", "key", "assignee")
_NOTHING = ["null", "string"]


def form() -> dict[str, Param]:
    """The form of a run started by hand; ReplayOperator takes from it what it is not given."""
    return {
        "ids": Param(
            [], type="array", items={"type": "string"}, title="Exceptions", description="Their numbers, one on each line.",
            section="Which",
        ),
        "owner_queue": Param(None, type=_NOTHING, enum=[None, *map(str, Queue)], title="Queue", section="Which"),
        "category": Param(None, type=_NOTHING, enum=[None, *map(str, Category)], title="Category", section="Which"),
        "kind": Param(
            None, type=_NOTHING, enum=[None, "quarantined", "rejected", "parked", "duplicate", "approval"], title="Kind",
            section="Which",
        ),
        "object": Param(None, type=_NOTHING, title="Business object", section="Which"),
        "flow": Param(None, type=_NOTHING, title="Flow", section="Which"),
        "target": Param(None, type=_NOTHING, title="Target", description="tryton, legacy, salesforce.", section="Which"),
        "key": Param(None, type=_NOTHING, title="Record", description="Its canonical id.", section="Which"),
        "assignee": Param(None, type=_NOTHING, title="Assigned to", section="Which"),
        "older_than_hours": Param(None, type=["null", "integer"], minimum=1, title="Open longer than (hours)", section="Which"),
        "most": Param(
            1000, type="integer", minimum=1, maximum=100_000, title="At most",
            description="Nothing is replayed when more are meant.", section="How",
        ),
        "why": Param("", type="string", title="Why", description="Kept with the replay.", maxLength=200, section="How"),
        "dry_run": Param(
            False, type="boolean", title="Dry run", description="Go as far as comparing: nothing is written to any system.",
            section="How",
        ),
    }  # fmt: skip


class ReplayOperator(AccordOperator):
    """Try exceptions again: their records are read anew, pass the gates anew and are sent where they differ, edits applied.

        ReplayOperator(task_id="replay", category="customer on credit hold", older_than_hours=24)

    Args:
        ids: numbers of exceptions; a list, or text with one on each line or separated by commas.
        owner_queue, category, kind, object, flow, target, key, assignee: just those; all that is given must hold.
        older_than_hours: just those open longer.
        most: refuse when more are meant; 1000 as a rule.
        dry: go as far as comparing; the param is called dry_run.
        why: kept in the audit, with who started the run.

    What is not given is taken from the run's params of the same name, where the DAG has them (`form` declares them). Safe beside
    every flow and every other replay: each exception is replayed by one of them, each version of a record has one effect.

    Hands on how many were taken, settled and wait on, and why others were left. Raises Stop when nothing says which, when more than
    `most` are meant, and when the run of a flow failed; the others went on, and what was not settled is open again.
    """

    template_fields: Sequence[str] = (
        *AccordOperator.template_fields, "ids", *CHOICES, "older_than_hours", "most", "dry", "why",
    )  # fmt: skip

    def __init__(
        self,
        *,
        ids: Sequence[int | str] | str | None = None,
        owner_queue: str | None = None,
        category: str | None = None,
        kind: str | None = None,
        object: str | None = None,
        flow: str | None = None,
        target: str | None = None,
        key: str | None = None,
        assignee: str | None = None,
        older_than_hours: int | str | None = None,
        most: int | str | None = None,
        dry: bool | str | None = None,
        why: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.ids = ids
        self.owner_queue, self.category, self.kind, self.object, self.flow = owner_queue, category, kind, object, flow
        self.target, self.key, self.assignee = target, key, assignee
        self.older_than_hours, self.most, self.dry, self.why = older_than_hours, most, dry, why

    def work(self, context: Context) -> dict[str, Any]:
        from accord.hub.queue import Filter
        from accord.pipeline.replay import MOST, raise_if_failed, replay

        given = context["params"]
        numbers = chosen("ids", self.ids, given)
        hours = _whole("older_than_hours", chosen("older_than_hours", self.older_than_hours, given))
        ids = words(numbers if isinstance(numbers, str) else [str(n) for n in numbers or ()])
        choices: dict[str, Any] = {
            name.removeprefix("owner_"): chosen(name, getattr(self, name), given) or None for name in CHOICES
        }
        wanted = Filter(
            ids=tuple(_whole("ids", one) or 0 for one in ids) or None,
            older_than=timedelta(hours=hours) if hours is not None else None,
            **choices,
        )
        dry = flag("dry_run", chosen("dry_run", self.dry, given))
        with self.accord() as accord:
            done = replay(
                accord,
                wanted,
                who=str(getattr(context["dag_run"], "triggering_user_name", None) or "airflow"),
                why=str(chosen("why", self.why, given) or ""),
                dry_run=dry,
                most=_whole("most", chosen("most", self.most, given)) or MOST,
            )
        for one in done.flows:
            self.log.info("%s: %d taken, %d settled, %d wait on", one.flow, one.taken, one.settled, one.waiting)
        for why, count in done.left.items():
            self.log.info("%d left: %s", count, why)
        raise_if_failed(done)
        return {
            "dry_run": dry,
            "flows": {
                one.flow: {"taken": one.taken, "settled": one.settled, "waiting": one.waiting} for one in done.flows
            },
            "left": done.left,
        }


def _whole(name: str, value: int | str | None) -> int | None:
    """A whole number from a param or a rendered template. Raises Stop when it is none."""
    text = str(value).strip()
    if value is None or text in ("", "None"):
        return None
    if not text.isdecimal():
        raise Stop(f"{name} is no number: {text!r}.", cure="Write digits.")
    return int(text)
