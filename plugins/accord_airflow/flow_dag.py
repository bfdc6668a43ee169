"""The DAG of a flow: every flow has the same shape, so that whoever knows one knows them all.

extract → gate_source → transform → gate_canonical ─┬→ compare_<target> → load_<target> ─┬→ acknowledge → settle
                                                    └→ … one pair for every target …     ┘
"""

from __future__ import annotations

from datetime import timedelta
from inspect import getdoc
from typing import Any

from airflow.sdk import DAG, Asset, CronDataIntervalTimetable, Param
from airflow.sdk.definitions.deadline import DeadlineAlert

from accord.flows import SALESFORCE, Flow
from accord.service_levels.targets import Measure, of_flow
from accord_airflow.deadlines import run_deadline
from accord_airflow.operators import (
    CHUNK_NAME,
    AcknowledgeOperator,
    CompareOperator,
    ErpExtractOperator,
    ErpUpsertOperator,
    QualityGateOperator,
    SalesforceExtractOperator,
    SalesforceUpsertOperator,
    SettleOperator,
    TransformOperator,
)
from accord_airflow.operators.base import as_flow

RETRIES: dict[str, Any] = {
    "retries": 3,
    "retry_delay": timedelta(seconds=30),
    "retry_exponential_backoff": 2,
    "max_retry_delay": timedelta(minutes=10),
}


def flow_dag(flow: Flow | str, *, doc_md: str | None, **kwargs: Any) -> DAG:
    """The DAG of `flow`, called like it.

    Args:
        flow: a Flow, or the name of one of Accord's own.
        doc_md: what it is for, who owns it and what to do when it fails; the facts that follow from the flow are added.
        kwargs: anything else a DAG takes, instead of what is usual here.
    """
    flow = as_flow(flow)
    usual: dict[str, Any] = {
        "schedule": CronDataIntervalTimetable(flow.schedule, timezone="UTC"),
        "catchup": False,  # the watermark leaves no gap; replaying old intervals would only read the same again
        "max_active_runs": 1,  # economy: two runs side by side are safe, and wait for each other's keys
        "description": f"{flow.object}: {flow.source} → {', '.join(flow.targets)}",
        "tags": tags(flow),
        "params": params(),
        "deadline": [_deadline(flow)],
        "default_args": {"owner": flow.owner, **RETRIES},
    }
    with DAG(flow.name, doc_md=documentation(flow, doc_md), **{**usual, **kwargs}) as dag:
        tasks(flow)
    return dag


def tasks(flow: Flow) -> None:
    """The tasks of `flow`, in the DAG being built."""
    reads = SalesforceExtractOperator if flow.source == SALESFORCE else ErpExtractOperator
    extract = reads(task_id="extract", flow=flow, pool=pool(flow.source))
    gate_source = QualityGateOperator(task_id="gate_source", batch=extract.output)
    transform = TransformOperator(task_id="transform", batch=gate_source.output)
    gate_canonical = QualityGateOperator(task_id="gate_canonical", batch=transform.output)
    settle = SettleOperator(task_id="settle", batch=extract.output)
    # one pair per target: a pool can't be chosen per mapped task, and an ERP that is down must not stop the others
    loads = []
    for target in flow.targets:
        compare = CompareOperator(
            task_id=f"compare_{target}", target=target, batch=gate_canonical.output, pool=pool(target)
        )
        writes = SalesforceUpsertOperator if target == SALESFORCE else ErpUpsertOperator
        load = writes.partial(
            task_id=f"load_{target}",
            pool=pool(target),
            map_index_template=CHUNK_NAME,
            outlets=[asset(target, flow.object)],
            doc_md=getdoc(writes),
        )
        loads.append(load.expand(chunk=compare.output))
    if flow.status:
        told = AcknowledgeOperator(task_id="acknowledge", batch=gate_canonical.output, pool=pool(flow.source))
        loads >> told >> settle
    else:
        loads >> settle


def _deadline(flow: Flow) -> DeadlineAlert:
    """By its service level; backfills and runs by hand have none."""
    level = next(one for one in of_flow(flow) if one.measure is Measure.RUN)
    return run_deadline(level.terms.run, tier=str(level.tier), owner=level.owner, object=flow.object)


def asset(target: str, object_name: str) -> Asset:
    """What a flow produces: one object in one target. Other DAGs may be scheduled on it."""
    return Asset(f"accord://{target}/{object_name}", group="accord")


def pool(system: str) -> str:
    """The pool that bounds how many tasks use a system at once."""
    return f"accord_{system}"


def tags(flow: Flow) -> list[str]:
    """By what a flow is found in the list of DAGs."""
    return ["accord", flow.object, f"from {flow.source}", *(f"to {target}" for target in flow.targets)]


def params() -> dict[str, Param]:
    """The form of a run started by hand. A scheduled run takes the defaults: its window follows from the watermark."""
    return {
        "since": Param(
            None,
            type=["null", "string"],
            format="date-time",
            title="Changed since",
            description="Read what changed at or after this instant, instead of the run's own window.",
            section="Window",
        ),
        "until": Param(
            None,
            type=["null", "string"],
            format="date-time",
            title="Changed before",
            description="Read only what changed before this instant.",
            section="Window",
        ),
        "keys": Param(
            [],
            type="array",
            items={"type": "string"},
            title="Keys",
            description="Read just these records, whenever they changed: the source's own ids, one on each line.",
            section="Window",
        ),
        "full_refresh": Param(
            False,
            type="boolean",
            title="Full refresh",
            description="Read every record. What has not changed is still not written again.",
            section="How",
        ),
        "dry_run": Param(
            False,
            type="boolean",
            title="Dry run",
            description="Go as far as comparing: gates are judged and reported, nothing is written to any system.",
            section="How",
        ),
    }


def documentation(flow: Flow, doc_md: str | None) -> str:
    """A DAG's page: what its author wrote, then the facts of the flow."""
    facts = {
        "Business object": flow.object,
        "From": flow.source,
        "To": ", ".join(flow.targets),
        "Schedule": f"`{flow.schedule}` (UTC)",
        "Read again below the watermark": f"{flow.overlap.total_seconds() / 60:g} minutes",
        "Tells the source by": flow.status or "nothing",
        "Pools": ", ".join(dict.fromkeys(f"`{pool(system)}`" for system in (flow.source, *flow.targets))),
        "Produces": ", ".join(f"`{asset(target, flow.object).uri}`" for target in flow.targets),
    }
    table = "\n".join(f"| {name} | {value} |" for name, value in facts.items())
    return f"{(doc_md or '').strip()}\n\n### This flow\n| | |\n|---|---|\n{table}\n"
