"""The console as Airflow mounts it, with Airflow's own logins: a browser for nobody, and for each role of its simple auth manager."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from accord_airflow.console.navigation import PREFIX

SITE = "http://testserver"  # the test client's host
ROLES = ("viewer", "user", "op", "admin")


@dataclass(slots=True)
class Console:
    """The application, and who looks at it."""

    app: FastAPI
    mounted: FastAPI

    def browser(self, role: str | None = None, *, origin: str | None = SITE) -> TestClient:
        """A browser with the login of a person of that role, called as the role is; its forms come from pages of `origin`."""
        from airflow.api_fastapi.app import get_auth_manager
        from airflow.api_fastapi.auth.managers.base_auth_manager import COOKIE_NAME_JWT_TOKEN
        from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

        found = TestClient(
            self.mounted, base_url=f"{SITE}{PREFIX}/", raise_server_exceptions=False, follow_redirects=False
        )
        if origin:
            found.headers["origin"] = origin
        if role:
            lifetime = int(timedelta(hours=1).total_seconds())
            token = get_auth_manager().generate_jwt(
                SimpleAuthManagerUser(username=role, role=role), expiration_time_in_seconds=lifetime
            )
            found.cookies.set(COOKIE_NAME_JWT_TOKEN, token)
        return found


@pytest.fixture(scope="session")
def console(metadata: None) -> Console:
    """The console, mounted as in the API server."""
    from airflow.api_fastapi.app import create_auth_manager

    from accord_airflow.console.app import app

    create_auth_manager()
    mounted, served = FastAPI(), app()
    mounted.mount(PREFIX, served)
    return Console(served, mounted)


@pytest.fixture
def browser(console: Console) -> Iterator[Callable[..., TestClient]]:
    """`Console.browser`; what it opened is closed afterwards."""
    opened: list[TestClient] = []

    def make(role: str | None = None, **more: str | None) -> TestClient:
        opened.append(console.browser(role, **more))
        return opened[-1]

    yield make
    for one in opened:
        one.close()
