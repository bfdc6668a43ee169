"""The hub, by the provider's PostgreSQL hook and by the domain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.postgres.hooks.postgres import PostgresHook

from accord.errors import AccordError
from accord_airflow.connections import connection

if TYPE_CHECKING:
    from accord.hub import Hub
    from accord.settings import Connection


class HubHook(PostgresHook):
    """Accord's memory: links, dispatches, exceptions, watermarks, gate results.

        HubHook().get_records("SELECT category, count(*) FROM exception WHERE state = 'open' GROUP BY category")

    Args:
        postgres_conn_id: an Airflow connection of type postgres; accord_hub when not given.
    """

    default_conn_name = "accord_hub"

    def __init__(self, postgres_conn_id: str = default_conn_name, **kwargs: Any) -> None:
        super().__init__(postgres_conn_id=postgres_conn_id, **kwargs)

    def connection_of_hub(self) -> Connection:
        """The connection as the domain takes it. Raises Stop when there is none."""
        return connection(self.get_conn_id())

    def hub(self) -> Hub:
        """The domain's hub over this connection; nothing is opened before it is used."""
        from accord.hub import Hub
        from accord.settings import dsn

        return Hub(dsn(self.connection_of_hub()))

    def test_connection(self) -> tuple[bool, str]:  # type: ignore[override]  # the provider's has no annotation
        """Whether the hub can be used, and what to mend if not."""
        try:
            hub = self.hub()
            found, wanted = hub.revision(), hub.expected_revision()
        except AccordError as error:
            return False, str(error)
        if found != wanted:
            return False, f"The hub's schema is {found or 'empty'}, {wanted} is needed. Run `accord hub upgrade`."
        return True, f"The hub answers; its schema is {found}."
