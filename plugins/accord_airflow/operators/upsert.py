"""Idempotent loads: one chunk into one target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowSkipException

from accord.errors import Stop
from accord.flows import SALESFORCE
from accord_airflow.operators.base import AccordOperator

if TYPE_CHECKING:
    from airflow.sdk import Context, XComArg

    from accord_airflow.openlineage import Lineage

# what a mapped load is called in the UI: "tryton 2/5 · 5,000 records"; give it to .partial() as map_index_template
CHUNK_NAME = (
    "{{ task.chunk.target }} {{ task.chunk.chunk + 1 }}/{{ task.chunk.chunks }}"
    " · {{ '{:,}'.format(task.chunk.rows) }} records"
)


class UpsertOperator(AccordOperator):
    """Base of the two loads; not for a DAG by itself.

    Args:
        chunk: one element of what CompareOperator hands on; mapped: `.partial(…).expand(chunk=changes.output)`.

    Whatever is retried, replayed, run twice or side by side, each version of a record has at most one effect in the
    target: its key is claimed in the hub before anything is sent, and a sending without an answer is read back first.
    Records that are rejected or must wait become exceptions; they don't fail the task. Assets given as outlets get an
    event with the run and the counts; where nothing was written in the end the task is skipped and wakes nobody.

    Hands on the counts, e.g. {"applied": 4990, "rejected": 10}.
    """

    template_fields: Sequence[str] = (*AccordOperator.template_fields, "chunk")

    def __init__(self, *, chunk: Mapping[str, Any] | XComArg, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.chunk = chunk
        self.applied = 0  # records that took effect, once it has worked

    def serves(self, target: str) -> bool:
        """Whether this operator is for that target."""
        raise NotImplementedError

    def work(self, context: Context) -> dict[str, Any]:
        from accord.pipeline.load import load

        if not isinstance(self.chunk, Mapping):
            raise Stop(
                f"Task {self.task_id} was given no chunk.",
                cure="Map it over what a CompareOperator hands on: expand(chunk=changes.output).",
            )
        chunk = dict(self.chunk)
        if not self.serves(chunk["target"]):
            raise Stop(
                f"{type(self).__name__} can't load into {chunk['target']}.",
                cure="Use the upsert operator of that side.",
            )
        what = f"{chunk['target']} {chunk['chunk'] + 1}/{chunk['chunks']}"
        self.say(chunk, "loading %s, %s records", what, f"{chunk['rows']:,}")
        with self.accord() as accord:
            counts = load(accord, {name: value for name, value in chunk.items() if name != "flow"})
        self.applied = int(counts.get("applied", 0))
        if self.outlets and not self.applied:
            # a task that succeeds updates its outlets, and there is nothing new in them
            raise AirflowSkipException(f"Nothing was written: {counts}. What was refused or waits is an exception.")
        for outlet in self.outlets:
            context["outlet_events"][outlet].extra = {"run": chunk["run"], **counts}
        return counts

    def get_openlineage_facets_on_complete(self, task_instance: object) -> Lineage | None:
        """What Airflow's OpenLineage provider tells of the load."""
        from accord_airflow.openlineage import written_to

        if not isinstance(self.chunk, Mapping):
            return None
        return written_to(self.chunk["object"], self.chunk["target"], flow=self.chunk["flow"], rows=self.applied)


class SalesforceUpsertOperator(UpsertOperator):
    """Create or update one chunk of records in Salesforce, each at most once per version.

        SalesforceUpsertOperator.partial(task_id="load", pool="accord_salesforce").expand(chunk=changes.output)

    See UpsertOperator for the arguments.
    """

    def serves(self, target: str) -> bool:
        return target == SALESFORCE


class ErpUpsertOperator(UpsertOperator):
    """Create or update one chunk of records in an ERP, each at most once per version.

        ErpUpsertOperator.partial(task_id="load", pool="accord_tryton").expand(chunk=changes.output)

    See UpsertOperator for the arguments.
    """

    def serves(self, target: str) -> bool:
        return target != SALESFORCE
