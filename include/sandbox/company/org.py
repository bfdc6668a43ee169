"""The few calls of Salesforce's REST API that loading needs: log in, query, create and update many."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import requests

BATCH = 200  # the most records one collections call takes


class OrgRefused(Exception):
    """The org answered with an error; the message names the cure where there is one."""


class Org:
    """A session with an org, by the client credentials flow.

    Args:
        url: the org's address, such as ``http://127.0.0.1:18080``.
        client_id: the connected app's consumer key.
        client_secret: its secret.
    """

    def __init__(self, url: str, client_id: str, client_secret: str) -> None:
        self.url = url.rstrip("/")
        self._login = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
        self._http = requests.Session()
        self._http.trust_env = False  # a proxy from the environment has no business on loopback
        self._base = ""

    @classmethod
    def as_administrator(cls, url: str) -> Org:
        """A session with the local org as its administrator, whom no permission set limits.

        The login is ``SANDBOX_SALESFORCE_ADMIN_CLIENT_ID`` and ``…_SECRET``, or the org's documented defaults.
        """
        return cls(
            url,
            os.environ.get("SANDBOX_SALESFORCE_ADMIN_CLIENT_ID", "accord-admin"),
            os.environ.get("SANDBOX_SALESFORCE_ADMIN_CLIENT_SECRET", "local-only-admin-secret"),
        )

    def query(self, soql: str) -> Iterator[dict[str, Any]]:
        """Every row of a query.

        Raises:
            OrgRefused: the org refused the login or the query.
        """
        page = self._call("GET", "query", params={"q": soql})
        yield from page["records"]
        while not page["done"]:
            page = self._call("GET", page["nextRecordsUrl"].rpartition("/services/data/")[2].partition("/")[2])
            yield from page["records"]

    def create(self, records: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
        """Create up to any number of records of one or more objects; one result for each, in their order."""
        yield from self._many("POST", records)

    def update(self, records: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
        """Update records by their `id`; one result for each, in their order."""
        yield from self._many("PATCH", records)

    def _many(self, method: str, records: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
        for start in range(0, len(records), BATCH):
            body = {"allOrNone": False, "records": list(records[start : start + BATCH])}
            yield from self._call(method, "composite/sobjects", json=body)

    def _call(self, method: str, path: str, **how: Any) -> Any:
        if not self._base:
            self._log_in()
        answer = self._http.request(method, f"{self._base}/{path}", timeout=120, **how)
        if not answer.ok:
            raise OrgRefused(f"The org answered {answer.status_code} to {method} {path}: {answer.text[:300]}")
        return answer.json()

    def _log_in(self) -> None:
        try:
            answer = self._http.post(f"{self.url}/services/oauth2/token", data=self._login, timeout=30)
        except requests.ConnectionError:
            raise OrgRefused(f"No org answers at {self.url}: start it with `python -m sandbox.stack up`.") from None
        if not answer.ok:
            raise OrgRefused(
                f"The org refused the login of {self._login['client_id']} ({answer.status_code} {answer.text[:200]}): "
                "check SANDBOX_SALESFORCE_ADMIN_CLIENT_ID and SANDBOX_SALESFORCE_ADMIN_CLIENT_SECRET."
            )
        token = answer.json()
        self._http.headers["Authorization"] = f"Bearer {token['access_token']}"
        versions = self._http.get(f"{self.url}/services/data", timeout=30).json()
        self._base = self.url + versions[-1]["url"]
