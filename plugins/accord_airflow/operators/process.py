"""A process over several flows: moved on for everybody, or looked at, resumed and given up for one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowFailException

from accord_airflow.operators.base import AccordOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

    from accord.runtime import Accord

ACTIONS = ("advance", "inspect", "resume", "abandon")


class ProcessOperator(AccordOperator):
    """Move the records of a process on (orders on their way to cash, prospects on theirs to being customers), or see to one.

        ProcessOperator(task_id="process", process="quote_to_cash", action="{{ params.action }}", key="{{ params.key }}",
                        why="{{ params.why }}")

    Args:
        process: quote_to_cash or lead_to_customer.
        action: advance (every open process, by what the hub knows), inspect, resume or abandon (one of them).
        key: canonical id of the record, `salesforce:<id>`; not for advance.
        why: the reason, for abandon; it is told to sales.

    Hands on how many moved and were asked for, or where the one stands. Safe beside every flow: it asks the same loads.
    """

    template_fields = ("connections", "action", "key", "why")
    waits = True

    def __init__(
        self, *, process: str = "quote_to_cash", action: str = "advance", key: str = "", why: str = "", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.process, self.action, self.key, self.why = process, action, key, why

    def work(self, context: Context) -> dict[str, Any]:
        from accord import processes
        from accord.hub.processes import PROCESSES

        if self.action not in ACTIONS:
            raise AirflowFailException(f"{self.action!r} is no action; choose {', '.join(ACTIONS)}.")
        if self.action != "advance" and not self.key:
            raise AirflowFailException(f"To {self.action} say which record: its canonical id as `key`.")
        if self.action == "abandon" and not self.why.strip():
            raise AirflowFailException("To abandon a record say why: sales is told.")
        who = str(getattr(context["dag_run"], "triggering_user_name", None) or "airflow")
        actions: dict[str, Callable[[Accord], Any]] = {
            "inspect": lambda accord: processes.inspect(accord, self.key),
            "resume": lambda accord: processes.resume(accord, self.key, who=who),
            "abandon": lambda accord: processes.abandon(accord, self.key, who=who, why=self.why.strip()),
        }
        with self.accord() as accord:
            if self.action == "advance":
                done = processes.advance(accord, PROCESSES[self.process])
                return {"moved": done.moved, "asked": done.asked}
            found = actions[self.action](accord)
        self.log.info(
            "%s: %s, %s; waits for %d matter(s)", self.key, found["step"], found["status"], len(found["waits"])
        )
        return {"key": self.key, "step": found["step"], "status": found["status"], "waits": len(found["waits"])}
