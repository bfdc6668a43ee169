"""Customers of one Salesforce org to one ERP, every night: Accord's operators in a DAG that is not Accord's.

The flow is this DAG's own, with its own watermark: it neither disturbs Accord's customer flow nor waits for it. Put the
file into a DAGs folder and add two connections, `sales_org` (type salesforce) and `accord_tryton` (type http), besides
`accord_hub`.
"""

from datetime import timedelta

from airflow.sdk import DAG, CronDataIntervalTimetable

from accord.flows import Flow
from accord_airflow.operators import (
    CHUNK_NAME,
    CompareOperator,
    ErpUpsertOperator,
    QualityGateOperator,
    SalesforceExtractOperator,
    SettleOperator,
    TransformOperator,
)

NIGHTLY = Flow(
    name="one_way_customers",
    object="customer",
    source="salesforce",
    targets=("tryton",),
    schedule="0 2 * * *",
    overlap=timedelta(hours=1),
)

with DAG(
    "one_way_customers",
    schedule=CronDataIntervalTimetable(NIGHTLY.schedule, timezone="UTC"),
    catchup=False,
    max_active_runs=1,
    tags=["sales"],
    doc_md=__doc__,
    default_args={"owner": "sales systems", "retries": 2, "connections": {"accord_salesforce": "sales_org"}},
) as dag:
    changed = SalesforceExtractOperator(task_id="extract", flow=NIGHTLY)
    complete = QualityGateOperator(task_id="complete", batch=changed.output)
    canonical = TransformOperator(task_id="transform", batch=complete.output)
    sound = QualityGateOperator(task_id="sound", batch=canonical.output)
    changes = CompareOperator(task_id="compare", target="tryton", batch=sound.output)
    loads = ErpUpsertOperator.partial(task_id="load", map_index_template=CHUNK_NAME).expand(chunk=changes.output)
    loads >> SettleOperator(task_id="settle", batch=changed.output)
