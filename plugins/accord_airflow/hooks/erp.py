"""An ERP, by Accord's adapter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook

from accord_airflow.connections import connection
from accord_airflow.hooks.checks import verdict

if TYPE_CHECKING:
    from accord.settings import Connection


class ErpHook(BaseHook):
    """One of the landscape's ERPs, reached as its adapter does: Tryton over JSON-RPC (connection type http), the legacy
    ERP by its interface tables (connection type postgres).

        erp = ErpHook("tryton").system()
        try: erp.read_back(…)
        finally: erp.close()

    Args:
        system: its name, e.g. "tryton" or "legacy".
        erp_conn_id: an Airflow connection; accord_<system> when not given.
    """

    conn_name_attr = "erp_conn_id"
    hook_name = "Accord ERP"

    def __init__(self, system: str, erp_conn_id: str | None = None) -> None:
        super().__init__()
        self.name = system
        self.conn_id = erp_conn_id or f"accord_{system}"

    def connection(self) -> Connection:
        """The connection as the domain's adapter takes it. Raises Stop when there is none."""
        return connection(self.conn_id)

    def system(self) -> Any:
        """The adapter over this connection, an accord.ports.Source and Target; close it after use. Raises KeyError for a
        system nobody registered."""
        from accord.systems import open_system

        return open_system(self.name, self.connection())

    def get_conn(self) -> Any:
        """The same as `system`."""
        return self.system()

    def test_connection(self) -> tuple[bool, str]:
        """Whether the ERP can be used, and what to mend if not."""
        return verdict(self.system)
