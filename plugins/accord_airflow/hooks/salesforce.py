"""The Salesforce org, by the provider's hook and by Accord's adapter."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import requests
from airflow.providers.salesforce.hooks.salesforce import SalesforceHook
from requests.adapters import HTTPAdapter

from accord_airflow.connections import connection
from accord_airflow.hooks.checks import verdict

if TYPE_CHECKING:
    from simple_salesforce.api import Salesforce

    from accord.settings import Connection
    from accord.systems.salesforce import adapter


class AccordSalesforceHook(SalesforceHook):
    """The provider's hook for the connection Accord uses: logs in as Accord does (client credentials, JWT bearer, or a
    session), also to an org at any URL.

        hook = AccordSalesforceHook()
        hook.make_query("SELECT count() FROM Account")  # everything the provider's hook can do
        hook.system().extract(…)  # and Accord's adapter

    Args:
        salesforce_conn_id: an Airflow connection of type salesforce.
    """

    default_conn_name = "accord_salesforce"

    def __init__(self, salesforce_conn_id: str = default_conn_name) -> None:
        super().__init__(salesforce_conn_id=salesforce_conn_id)

    def connection(self) -> Connection:
        """The connection as the domain's client takes it. Raises Stop when there is none."""
        return connection(self.conn_id)

    def system(self) -> adapter.Salesforce:
        """Accord's adapter over this connection; close it after use."""
        from accord.systems.salesforce.adapter import open_salesforce

        return open_salesforce("salesforce", self.connection())

    @cached_property
    def conn(self) -> Salesforce:
        """A logged-in simple-salesforce client. Raises BadCredentials or Unavailable, naming the cure."""
        from simple_salesforce.api import Salesforce

        system = self.system()
        try:
            login, version = system.client.login(), system.client.version
        finally:
            system.close()
        client = Salesforce(session_id=login.token, instance_url=login.instance_url, version=version.removeprefix("v"))
        if login.instance_url.startswith("http://"):
            client.session.mount(f"https://{client.sf_instance}", _Unencrypted())
        return client

    def test_connection(self) -> tuple[bool, str]:
        """Whether the org can be used, and what to mend if not."""
        return verdict(self.system)


class _Unencrypted(HTTPAdapter):
    """For an org on this machine: simple-salesforce knows only https. (Accord's client refuses http to anywhere else.)"""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        request.url = (request.url or "").replace("https://", "http://", 1)
        return super().send(request, *args, **kwargs)
