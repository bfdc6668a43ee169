"""What every Accord operator has: connections, the retry policy, an Accord while it works, a voice in the log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from inspect import getdoc
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from accord.errors import AccordError, Stop, SystemShut
from accord.flows import Flow, flow
from accord_airflow.retries import RETRY_POLICY

if TYPE_CHECKING:
    from airflow.sdk import Context, XComArg

    from accord.runtime import Accord

# run, flow and (from the extraction on) the manifest's path: all that tasks hand on
Batch = Mapping[str, Any]


class AccordOperator(BaseOperator):
    """Base of Accord's operators; not for a DAG by itself.

    Args:
        connections: Airflow connection ids to use instead of Accord's names, e.g. {"accord_salesforce": "sales_org"}.
        retry_policy: what to do by kind of error; as a rule not given: accord_airflow.retries.RETRY_POLICY.
    """

    template_fields: Sequence[str] = ("connections",)
    engine_run = ""  # while it works: <dag id>/<run id>, so that the hub knows in which run what it starts was started
    waits = False  # for a system that is away for long: where nobody else does what the operator was asked for

    def __init__(self, *, connections: Mapping[str, str] | None = None, **kwargs: Any) -> None:
        kwargs.setdefault("retry_policy", RETRY_POLICY)
        kwargs.setdefault("doc_md", getdoc(type(self)))
        super().__init__(**kwargs)
        self.connections = dict(connections or {})

    def execute(self, context: Context) -> Any:
        """Work. Raises the domain's errors as they are, the cure in the log: the retry policy knows them."""
        if run := context.get("dag_run"):
            self.engine_run = f"{run.dag_id}/{run.run_id}"
        try:
            return self.work(context)
        except SystemShut as shut:
            self.log.info("%s", shut)
            return self.when_shut(context, shut)
        except AccordError as error:
            self.log.error("%s: %s", type(error).__name__, error)
            raise

    def execute_again(self, context: Context, event: Any = None) -> Any:
        """Go on after a deferral."""
        return self.execute(context)

    def when_shut(self, context: Context, shut: SystemShut) -> Any:
        """What to do about a system that takes no calls: wait, without a worker, where `waits` or it is a matter of seconds."""
        if not (shut.soon or self.waits):
            raise shut
        self.wait(shut)

    def wait(self, shut: SystemShut) -> None:
        """Defer until the system may take calls; look again after ten minutes at the latest, as it may be released."""
        from airflow.providers.standard.triggers.temporal import DateTimeTrigger

        moment = datetime.now(UTC) + min(shut.wait, timedelta(minutes=10))
        self.defer(trigger=DateTimeTrigger(moment=moment), method_name="execute_again")

    def work(self, context: Context) -> Any:
        """What the operator does."""
        raise NotImplementedError

    @contextmanager
    def accord(self) -> Iterator[Accord]:
        """The domain over this task's connections."""
        from accord_airflow.runtime import opened

        with opened(self.connections, engine_run=self.engine_run) as accord:
            yield accord

    def say(self, batch: Batch, text: str, *values: object) -> None:
        """One line of the task's log, naming run and flow, as the domain's own lines do."""
        self.log.info(f"run %s %s: {text}", batch["run"], batch["flow"], *values)


class BatchOperator(AccordOperator):
    """Base of the operators that go on with a batch.

    Args:
        batch: what the task before handed on: its `.output`.
    """

    template_fields: Sequence[str] = (*AccordOperator.template_fields, "batch")

    def __init__(self, *, batch: Batch | XComArg, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.batch = batch

    def given(self) -> dict[str, Any]:
        """The batch, as the task before handed it on. Raises Stop when it handed on none."""
        if not isinstance(self.batch, Mapping) or "run" not in self.batch:
            raise Stop(
                f"Task {self.task_id} was given no batch.",
                cure="Give it the .output of the task before: batch=extract.output.",
            )
        return dict(self.batch)


def as_flow(given: Flow | str) -> Flow:
    """A Flow as it is, or Accord's own of that name. Raises KeyError naming the known ones."""
    return flow(given) if isinstance(given, str) else given
