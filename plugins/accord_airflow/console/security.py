"""Who may do what in the console: one login, the permissions of Airflow's DAGs, and no other site's forms.

Seeing a flow's exceptions, runs and records takes the right to read its DAG's runs, doing something about them the right to start
one: a flow is the DAG of its name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import urlsplit

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import AccessView, DagAccessEntity, DagDetails
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_view
from airflow.models.dag import DagModel
from airflow.sdk import conf
from fastapi import Depends, HTTPException, Request

if TYPE_CHECKING:
    from airflow.api_fastapi.auth.managers.models.base_user import BaseUser

login = requires_access_view(AccessView.WEBSITE)
_READS = ("GET", "HEAD")


def own_origin(request: Request) -> None:
    """Refuse what another site's page sends: the browser adds the login's cookie whoever made the form.

    A browser names the page's origin with everything but reads (https://fetch.spec.whatwg.org/#origin-header).
    """
    if request.method in _READS:
        return
    origin = urlsplit(request.headers.get("origin", "")).netloc
    if not origin or origin not in (request.headers.get("host"), _site()):
        raise HTTPException(HTTPStatus.FORBIDDEN, "Forms are taken from pages of this Airflow only.")


def _site() -> str | None:
    """Where Airflow says it is, for a proxy that does not hand on the host's name."""
    return urlsplit(conf.get("api", "base_url", fallback="") or "").netloc or None


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks."""

    user: BaseUser

    @property
    def name(self) -> str:
        """By which Airflow knows them; it goes to the audit."""
        return str(self.user.get_name())

    def may_read(self, flows: Iterable[str]) -> list[str]:
        """Those of `flows` whose runs they may see."""
        return self._allowed("GET", flows)

    def may_run(self, flows: Iterable[str]) -> list[str]:
        """Those of `flows`, or other DAGs, they may start a run of."""
        return self._allowed("POST", flows)

    def must_read(self, *flows: str) -> None:
        """Raises HTTPException (403) naming the DAGs they may not see."""
        self._must(flows, self.may_read(flows), "see the runs")

    def must_run(self, *flows: str) -> None:
        """Raises HTTPException (403) naming the DAGs they may not start."""
        self._must(flows, self.may_run(flows), "start runs")

    def _must(self, flows: Sequence[str], allowed: Sequence[str], what: str) -> None:
        if refused := sorted(set(flows) - set(allowed)):
            raise HTTPException(HTTPStatus.FORBIDDEN, f"You may not {what} of {', '.join(refused)}.")

    def _allowed(self, method: Literal["GET", "POST"], dags: Iterable[str]) -> list[str]:
        wanted, manager = list(dict.fromkeys(dags)), get_auth_manager()
        teams = DagModel.get_dag_id_to_team_name_mapping(wanted) if conf.getboolean("core", "multi_team") else {}
        return [
            dag
            for dag in wanted
            if manager.is_authorized_dag(
                method=method,
                access_entity=DagAccessEntity.RUN,
                details=DagDetails(id=dag, team_name=teams.get(dag)),
                user=self.user,
            )
        ]


def person(user: GetUserDep) -> Person:
    """Who asks, by their login."""
    return Person(user)


Signed = Annotated[Person, Depends(person)]
