"""Approvals in Airflow: what waits for one, and what a person decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import BaseOperator, Param
from airflow.sdk.exceptions import AirflowFailException

from accord_airflow.operators.base import AccordOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


APPROVE, REFUSE = "Approve", "Refuse"
# the field of the form beside the two answers
REASON = {"why": Param("", type="string", title="Why", description="Kept with the decision; the source is told.")}


class PendingApprovalsOperator(AccordOperator):
    """Hand on what a rule wants approved, for StartApprovalOperator to expand over: one run per record and version. Differences
    between systems may be many and are approved together, by a reconciliation that corrects everything.

    pending = PendingApprovalsOperator(task_id="pending")
    StartApprovalOperator.partial(task_id="ask", trigger_dag_id="approval").expand_kwargs(pending.output)
    """

    def work(self, context: Context) -> list[dict[str, Any]]:
        from accord.approvals import pending

        with self.accord() as accord:
            rows = [row for row in pending(accord.hub) if row["kind"] == "approval"]
        asked: dict[str, dict[str, Any]] = {}
        for row in rows:
            version = row["version"].isoformat()
            money = f"{row['at_risk']:,.2f} {row['currency']}" if row["currency"] else "no amount"
            run = asked.setdefault(
                f"{row['key']}__{version}",
                {
                    "key": row["key"],
                    "version": version,
                    "object": row["object"],
                    "queue": row["queue"],
                    "money": money,
                    "reasons": "",
                },
            )
            run["reasons"] += f"- {row['message']}\n"
        self.log.info("%d record(s) wait for an approval", len(asked))
        return [{"trigger_run_id": name, "conf": conf} for name, conf in asked.items()]


class StartApprovalOperator(BaseOperator):
    """Start the run that asks about one version of one record; one that was started before is left alone (skipped).

    What TriggerDagRunOperator of the standard provider does, without Airflow's database models, whose import would be half of the
    time that parsing all of Accord's DAG files takes.

    Args:
        trigger_dag_id: the DAG that asks.
        trigger_run_id: its run's id.
        conf: its params.
    """

    template_fields: Sequence[str] = ("trigger_dag_id", "trigger_run_id", "conf")

    def __init__(self, *, trigger_dag_id: str, trigger_run_id: str, conf: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.trigger_dag_id, self.trigger_run_id, self.conf = trigger_dag_id, trigger_run_id, conf

    def execute(self, context: Context) -> None:
        from airflow.sdk.exceptions import DagRunTriggerException

        raise DagRunTriggerException(
            trigger_dag_id=self.trigger_dag_id,
            dag_run_id=self.trigger_run_id,
            conf=dict(self.conf),
            reset_dag_run=False,
            skip_when_already_exists=True,
            wait_for_completion=False,
            allowed_states=[],
            failed_states=[],
            poke_interval=0,
            deferrable=False,
        )


class AskOperator(HITLOperator):
    """Ask a person under *Required actions*, without holding a worker; refused when nobody answers in time.

        AskOperator(task_id="ask", subject="{{ params.key }}: approve?", body="{{ params.reasons }}", params=REASON)

    Args:
        response_timeout: how long it waits for an answer; two days as a rule.
    """

    def __init__(self, *, response_timeout: timedelta = timedelta(days=2), **kwargs: Any) -> None:
        super().__init__(options=[APPROVE, REFUSE], defaults=REFUSE, response_timeout=response_timeout, **kwargs)


class DecideOperator(AccordOperator):
    """Keep what a person decided, and go on with the record.

        DecideOperator(task_id="decide", key="{{ params.key }}", version="{{ params.version }}", answer=ask.output)

    Args:
        key: the record's canonical id.
        version: the version the question was about, ISO 8601; an answer holds for no other.
        answer: what HITLOperator hands on.

    Hands on the decision and how many matters it settled.
    """

    template_fields: Sequence[str] = ("connections", "key", "version", "answer")
    waits = True

    def __init__(self, *, key: str, version: str, answer: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.key, self.version, self.answer = key, version, answer

    def work(self, context: Context) -> dict[str, Any]:
        from accord.approvals import decide, pending

        chosen = (self.answer or {}).get("chosen_options") or []
        if chosen not in ([APPROVE], [REFUSE]):
            raise AirflowFailException(f"The answer is neither {APPROVE} nor {REFUSE}: {chosen}.")
        person = (self.answer or {}).get("responded_by_user") or {}
        who = str(person.get("name") or person.get("id") or "nobody in time")
        why = str(((self.answer or {}).get("params_input") or {}).get("why") or "")
        version = datetime.fromisoformat(self.version)
        with self.accord() as accord:
            if not any(row["version"] == version for row in pending(accord.hub, self.key)):
                self.log.info("%s: nothing of that version waits any more", self.key)
                return {"key": self.key, "decision": chosen[0], "matters": 0}
            approved = chosen == [APPROVE]
            matters = decide(accord, self.key, approved=approved, who=who, why=why, version=version)
        self.log.info("%s: %d matter(s) %s", self.key, matters, "approved" if approved else "refused")
        return {"key": self.key, "decision": chosen[0], "matters": matters}
