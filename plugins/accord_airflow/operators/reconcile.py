"""Reconciliation in Airflow: both sides held against each other, on a schedule or when somebody asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from accord.flows import Flow
from accord_airflow.operators.base import AccordOperator, as_flow
from accord_airflow.window import chosen, words

if TYPE_CHECKING:
    from airflow.sdk import Context

APPLY = ("auto", "none", "all")
ALL = "all"


class ReconcileOperator(AccordOperator):
    """Hold what the owner of an object says now against what a target holds now, and put right what may be.

        ReconcileOperator(task_id="reconcile", flow="invoice__tryton_to_salesforce", target="salesforce")

    Args:
        flow: a Flow, or the name of one of Accord's own.
        target: one of its targets.
        keys: look at these records only, canonical or source ids; the run's param `keys` where not given.
        apply: `auto` corrects what the object declares may be corrected by itself and asks about the rest, `none` only looks,
            `all` corrects everything; the run's param `apply` where not given.

    The run's params `object`, `flow` and `target`, where they name another one, skip the task. Hands on the reconciliation's number,
    counts and money at risk, never a record. Safe beside every flow: corrections are made by the flow itself.
    """

    template_fields: Sequence[str] = (*AccordOperator.template_fields, "keys", "apply")
    waits = True

    def __init__(
        self,
        *,
        flow: Flow | str,
        target: str,
        keys: Sequence[str] | str | None = None,
        apply: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.flow, self.target, self.keys, self.apply = as_flow(flow), target, keys, apply
        if target not in self.flow.targets:
            raise ValueError(f"{self.flow.name} has no target {target}")

    def work(self, context: Context) -> dict[str, Any]:
        from accord.hub.reconciliations import Apply, amounts_of, describe, differing
        from accord.pipeline.reconcile import reconcile

        given = context["params"]
        asked = {"object": self.flow.object, "flow": self.flow.name, "target": self.target}
        if any(given.get(name) not in (None, "", ALL, own) for name, own in asked.items()):
            raise AirflowSkipException("Another one was asked for.")
        keys = words(chosen("keys", self.keys, given))
        if keys and self.keys is None and given.get("object") in (None, "", ALL):
            raise AirflowFailException("Keys are those of one object: choose it.")
        apply = str(chosen("apply", self.apply, given) or Apply.AUTO)
        if apply not in APPLY:
            raise AirflowFailException(f"{apply!r} is no way to apply; choose {', '.join(APPLY)}.")
        who = str(getattr(context["dag_run"], "triggering_user_name", None) or "airflow")
        with self.accord() as accord:
            summary = reconcile(accord, self.flow, target=self.target, keys=keys, apply=Apply(apply), who=who)
        self.log.info("%s", describe(summary))
        for name, currency, ours, theirs in amounts_of(summary):
            self.log.info(
                "%s: %s %s in %s, %s %s in %s", name, ours, currency, self.flow.source, theirs, currency, self.target
            )
        return {
            "reconciliation": summary["reconciliation"],
            "looked_at": sum(summary["counts"].values()),
            "differences": differing(summary),
            "outcomes": summary["outcomes"],
            "at_risk": summary["at_risk"],
        }
