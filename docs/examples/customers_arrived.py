"""When customers have arrived in Tryton, somebody else's DAG goes to work: scheduled on the asset that Accord's flow updates.

The asset is updated by every load that wrote at least one record; its events say in which run, and how many. Which ones those
are is in the hub's history. Put the file into a DAGs folder of the Airflow that runs Accord's DAGs.
"""

from datetime import timedelta

from airflow.sdk import DAG, Asset, task

CUSTOMERS = Asset("accord://tryton/customer")

with DAG(
    "customers_arrived",
    schedule=CUSTOMERS,
    catchup=False,
    max_active_runs=1,
    tags=["sales"],
    doc_md=__doc__,
    default_args={"owner": "sales systems", "retries": 2, "retry_delay": timedelta(minutes=1)},
) as dag:

    @task
    def welcome(triggering_asset_events) -> list[str]:
        """The customers' keys: what is done with them is this DAG's own business."""
        from accord_airflow.hooks.hub import HubHook

        runs = [event.extra["run"] for events in triggering_asset_events.values() for event in events]
        rows = HubHook().get_records(
            """SELECT DISTINCT y.key FROM delivery y
               JOIN dispatch d ON d.id = y.dispatch JOIN stream s ON s.id = y.stream
               WHERE d.run = ANY(%s) AND s.target = 'tryton' AND s.object = 'customer' AND y.outcome = 'applied'
               ORDER BY y.key""",
            parameters=(runs,),
        )
        return [key for (key,) in rows]

    welcome()
