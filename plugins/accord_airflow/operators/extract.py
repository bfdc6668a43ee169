"""Extraction: opens the flow's run and reads what changed into staging."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowSkipException

from accord.errors import AccordError, SystemShut
from accord.flows import SALESFORCE, Flow
from accord_airflow.operators.base import AccordOperator, as_flow
from accord_airflow.window import GOES_ON_FROM_WATERMARK, asked, chosen, flag, instant, words

if TYPE_CHECKING:
    from airflow.sdk import Context

    from accord.runtime import Accord
    from accord_airflow.openlineage import Lineage


class ExtractOperator(AccordOperator):
    """Base of the two extractions; not for a DAG by itself.

    Args:
        flow: a Flow, or the name of one of Accord's own.
        since, until: read what changed in [since, until) instead of the run's own window; instants or ISO 8601 text.
        keys: read just these source ids instead of a window.
        dry: go as far as comparing and write nothing but the run and its gate results.
        full_refresh: read everything.

    What is not given is taken from the run's params since, until, keys, dry_run and full_refresh, where the DAG has
    them. Without a window there either, it follows from the run: a scheduled one goes on from the watermark, a backfill
    reads its interval.

    While the source, or every target, takes no calls, a run of the schedule is skipped: the watermark stays, and the next
    run reads what this one would have. A backfill and a run by hand wait, deferred: nobody would read theirs.

    Hands on {"run", "flow", "manifest"}. Raises ValueError when the flow's source is of the other kind.
    """

    template_fields: Sequence[str] = (*AccordOperator.template_fields, "since", "until", "keys", "dry", "full_refresh")

    def __init__(
        self,
        *,
        flow: Flow | str,
        since: datetime | str | None = None,
        until: datetime | str | None = None,
        keys: Sequence[str] | str | None = None,
        dry: bool | str | None = None,
        full_refresh: bool | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.flow = as_flow(flow)
        self.since = since
        self.until = until
        self.keys = keys
        self.dry = dry
        self.full_refresh = full_refresh

    def work(self, context: Context) -> dict[str, Any]:
        from accord.pipeline.extract import extract
        from accord.pipeline.runs import Params, RunKind, open_run, starting

        run_asked = asked(context)
        given = context["params"]
        params = Params(
            since=instant("since", chosen("since", self.since, given)),
            until=instant("until", chosen("until", self.until, given)),
            keys=words(chosen("keys", self.keys, given)),
            dry_run=flag("dry_run", chosen("dry_run", self.dry, given)),
            full_refresh=flag("full_refresh", chosen("full_refresh", self.full_refresh, given)),
        )
        kind = RunKind(run_asked.kind)
        with self.accord() as accord, starting(accord, self.flow, kind=kind, params=params):
            run = open_run(
                accord,
                self.flow,
                engine_run=run_asked.engine_run,
                kind=kind,
                interval=run_asked.interval,
                params=params,
            )
            batch: dict[str, Any] = {"run": run, "flow": self.flow.name}
            how = f"{run_asked.kind}, dry run" if params.dry_run else run_asked.kind
            self.say(batch, "reading %s from %s (%s)", self.flow.object, self.flow.source, how)
            try:
                batch["manifest"] = extract(accord, run)
            except Exception:
                _close_as_failed(accord, run)
                raise
        return batch

    def get_openlineage_facets_on_complete(self, task_instance: object) -> Lineage:
        """What Airflow's OpenLineage provider tells of the extraction."""
        from accord_airflow.openlineage import read_from

        return read_from(self.flow.object, self.flow.source)

    def when_shut(self, context: Context, shut: SystemShut) -> Any:
        """Skip what the next run does anyway; wait with what nobody else would do."""
        if asked(context).kind in GOES_ON_FROM_WATERMARK and not shut.soon:
            raise AirflowSkipException(f"{shut} The next run reads what this one would have.")
        self.wait(shut)


class SalesforceExtractOperator(ExtractOperator):
    """Open the run of a flow and read from Salesforce what changed, into staging.

        changed = SalesforceExtractOperator(task_id="extract", flow="customer__salesforce_to_erp")

    See ExtractOperator for the arguments.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if self.flow.source != SALESFORCE:
            raise ValueError(f"{self.flow.name} reads from {self.flow.source}: use ErpExtractOperator")


class ErpExtractOperator(ExtractOperator):
    """Open the run of a flow and read from an ERP what changed, into staging.

        changed = ErpExtractOperator(task_id="extract", flow="customer_account__tryton_to_salesforce")

    See ExtractOperator for the arguments.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if self.flow.source == SALESFORCE:
            raise ValueError(f"{self.flow.name} reads from Salesforce: use SalesforceExtractOperator")


def _close_as_failed(accord: Accord, run: int) -> None:
    """So that the hub does not show the run as going on: without a batch, settle won't know of it. A retry opens it again."""
    from accord.pipeline.settle import settle

    try:
        settle(accord, run, failed=("extract",))
    except AccordError:
        pass  # the hub is away too; the first error is the one to be told
