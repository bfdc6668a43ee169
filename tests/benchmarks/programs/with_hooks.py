"""What a user of Airflow alone would write: SalesforceHook and PostgresHook. Arguments: the fields. Prints the seconds it took
without the imports."""

import os
import sys
import time

from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.providers.salesforce.hooks.salesforce import SalesforceHook


def main() -> None:
    fields = sys.argv[1:]
    begun = time.perf_counter()
    org = SalesforceHook(salesforce_conn_id="org", session_id=os.environ["SESSION_ID"]).get_conn()
    found = org.query_all(f"SELECT {', '.join(fields)} FROM Account")["records"]  # noqa: S608 - our own names
    rows = [tuple(record[name] for name in fields) for record in found]
    target = [f'"{name}"' for name in fields]
    PostgresHook(postgres_conn_id="floor").insert_rows("customer", rows, target, replace=True, replace_index='"Id"')
    print(time.perf_counter() - begun)


if __name__ == "__main__":
    main()
