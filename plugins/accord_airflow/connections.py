"""Airflow connections in the domain's own form.

| Accord's name | Airflow type | what it is |
|---|---|---|
| accord_hub | postgres | the hub |
| accord_salesforce | salesforce | the Salesforce org |
| accord_tryton | http | the Tryton server |
| accord_legacy | postgres | the legacy ERP's interface tables |
| accord_subscriber_… | http | a receiver of events |
| accord_metrics | generic | its password is the token of /accord/metrics |
| accord_alert_… | smtp, slackwebhook, pagerduty_events, http | a channel of alerts |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from accord.errors import Stop
from accord.settings import Connection

if TYPE_CHECKING:
    from airflow.sdk import Connection as AirflowConnection


def as_accord(connection: AirflowConnection) -> Connection:
    """The domain's form of an Airflow connection."""
    return Connection(
        id=connection.conn_id,
        kind=connection.conn_type or "",
        host=connection.host or "",
        port=connection.port,
        login=connection.login or "",
        password=connection.password or "",
        schema=connection.schema or "",
        extra=connection.extra_dejson,
    )


def connection(conn_id: str) -> Connection:
    """The connection `conn_id` as any of Airflow's secrets backends knows it. Raises Stop when none does."""
    from airflow.sdk import BaseHook
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        return as_accord(BaseHook.get_connection(conn_id))
    except AirflowNotFoundException:
        raise Stop(
            f"There is no connection {conn_id}.",
            cure=f"Add it under Admin → Connections, or set AIRFLOW_CONN_{conn_id.upper()}.",
        ) from None


def renamed(connections: Mapping[str, str]) -> Callable[[str], Connection]:
    """`connection`, with Accord's names replaced by the ids in `connections` where it has them."""
    return lambda name: connection(connections.get(name, name))
