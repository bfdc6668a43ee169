"""Airflow's REST API (``/api/v2``) as the demo and the tests use it: unpause, trigger, wait, read."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

import requests

from sandbox.stack.errors import ServiceFailed

FINISHED = frozenset({"success", "failed"})


class AirflowApi:
    """A logged-in client. The token is fetched at first use and again when it has run out.

    Args:
        url: where the API server listens, such as ``http://127.0.0.1:8080``.
        user: a login of Airflow's simple auth manager.
        password: its password.
    """

    def __init__(self, url: str, user: str, password: str) -> None:
        self.url = url.rstrip("/")
        self._login = {"username": user, "password": password}
        self._token = ""
        self._http = requests.Session()
        self._http.trust_env = False  # a proxy from the environment has no business on loopback

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """GET ``/api/v2/<path>``.

        Raises:
            ServiceFailed: Airflow refused; the message carries its reason.
            OSError: nobody answered.
        """
        return self._call("GET", path, params=query)

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """POST a JSON body; errors as in :meth:`get`."""
        return self._call("POST", path, json=dict(body))

    def patch(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """PATCH with a JSON body; errors as in :meth:`get`."""
        return self._call("PATCH", path, json=dict(body))

    def is_healthy(self, component: str | None = None, *, since: datetime | None = None) -> bool:
        """Whether Airflow, or one component of it, is up.

        Args:
            component: ``scheduler``, ``dag_processor`` or ``triggerer``; the API server itself when not given.
            since: the component must have given a sign of life after this instant, so that the last one of a process
                that was just ended does not count.
        """
        answer = self._http.get(f"{self.url}/api/v2/monitor/health", timeout=10)
        if answer.status_code != 200:
            return False
        health = answer.json()
        if component is None:
            return bool(health["metadatabase"]["status"] == "healthy")
        beat = health[component][f"latest_{component}_heartbeat"]
        fresh = since is None or (beat is not None and datetime.fromisoformat(beat) >= since)
        return bool(health[component]["status"] == "healthy" and fresh)

    def wait_for_dags(self, dag_ids: list[str], *, timeout: float = 90) -> None:
        """Wait until the DAG processor has read these DAGs.

        Raises:
            ServiceFailed: it has not, in ``timeout`` seconds; the message carries the import errors.
        """
        deadline = time.monotonic() + timeout
        while missing := set(dag_ids) - {dag["dag_id"] for dag in self.get("dags", limit=1000)["dags"]}:
            errors = self.get("importErrors")["import_errors"]
            if time.monotonic() > deadline or errors:
                reasons = "\n".join(f"{e['filename']}:\n{e['stack_trace']}" for e in errors)
                raise ServiceFailed(
                    f"Airflow does not know {', '.join(sorted(missing))}. {reasons or 'No import error.'}"
                )
            time.sleep(0.5)

    def unpause(self, dag_id: str) -> bool:
        """Let the scheduler run a DAG. Returns whether it was paused."""
        if not self.get(f"dags/{dag_id}")["is_paused"]:
            return False
        self.patch(f"dags/{dag_id}", {"is_paused": False})
        return True

    def pause(self, dag_id: str) -> None:
        """Keep the scheduler from starting runs of a DAG."""
        self.patch(f"dags/{dag_id}", {"is_paused": True})

    def trigger(self, dag_id: str, conf: Mapping[str, Any] | None = None, *, logical_date: str | None = None) -> str:
        """Start a run now, with these params. Returns its run id."""
        body = {"logical_date": logical_date, "conf": dict(conf or {})}
        return str(self.post(f"dags/{dag_id}/dagRuns", body)["dag_run_id"])

    def begin(self, dag_id: str, conf: Mapping[str, Any] | None = None) -> str:
        """Unpause a DAG and start a run now, with these params. Returns its run id.

        A DAG that never ran gets this one run, in the place of its schedule's newest interval: unpaused, the scheduler
        would make another of that interval, which finds nothing to do and holds this one up.
        """
        dag = self.get(f"dags/{dag_id}")
        first = dag["is_paused"] and not self.runs(dag_id, limit=1)
        run = self.trigger(dag_id, conf, logical_date=dag["next_dagrun_logical_date"] if first else None)
        self.unpause(dag_id)
        return run

    def wait(
        self,
        dag_id: str,
        run_id: str,
        *,
        timeout: float = 600,
        progress: Callable[[str, list[dict[str, Any]]], None] = lambda _state, _tasks: None,
    ) -> str:
        """Wait for a run to finish.

        Args:
            progress: told the run's state and its task instances each time one of them changes.

        Returns:
            ``success`` or ``failed``.

        Raises:
            ServiceFailed: it took longer than ``timeout`` seconds.
        """
        deadline = time.monotonic() + timeout
        seen: object = None
        while True:
            state = str(self.get(f"dags/{dag_id}/dagRuns/{run_id}")["state"])
            tasks = self.tasks(dag_id, run_id)
            now = (state, sorted((task["task_id"], task["map_index"], str(task["state"])) for task in tasks))
            if now != seen:
                progress(state, tasks)
                seen = now
            if state in FINISHED:
                return state
            if time.monotonic() > deadline:
                raise ServiceFailed(
                    f"{dag_id} was still {state} after {timeout:.0f} s: look at it in {self.run_url(dag_id, run_id)}"
                )
            time.sleep(0.5)

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """A run's task instances, mapped ones included."""
        return list(self._pages(f"dags/{dag_id}/dagRuns/{run_id}/taskInstances", "task_instances"))

    def runs(self, dag_id: str, *, limit: int = 100) -> list[dict[str, Any]]:
        """A DAG's runs, the newest first."""
        return list(self.get(f"dags/{dag_id}/dagRuns", limit=limit, order_by="-run_after")["dag_runs"])

    def log(self, dag_id: str, run_id: str, task_id: str, *, attempt: int = 1, map_index: int = -1) -> str:
        """What a task attempt wrote, as lines of text."""
        path = f"dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{attempt}"
        content = self.get(path, map_index=map_index, full_content="true")["content"]
        return "\n".join(str(entry.get("event", entry)) if isinstance(entry, dict) else str(entry) for entry in content)

    def run_url(self, dag_id: str, run_id: str) -> str:
        """The page of a run in Airflow's UI."""
        return f"{self.url}/dags/{dag_id}/runs/{run_id}"

    def _pages(self, path: str, key: str, *, size: int = 100) -> Iterator[dict[str, Any]]:
        offset = 0
        while True:
            page = self.get(path, limit=size, offset=offset)
            yield from page[key]
            offset += size
            if offset >= page["total_entries"]:
                return

    def _call(self, method: str, path: str, **how: Any) -> dict[str, Any]:
        for attempt in (1, 2):
            if not self._token:
                self._token = self._new_token()
            answer = self._http.request(
                method,
                f"{self.url}/api/v2/{path}",
                headers={"Authorization": f"Bearer {self._token}"},
                timeout=30,
                **how,
            )
            if answer.status_code != 401 or attempt == 2:
                break
            self._token = ""
        if not answer.ok:
            raise ServiceFailed(f"Airflow answered {answer.status_code} to {method} {path}: {answer.text[:400]}")
        return dict(answer.json()) if answer.content else {}

    def _new_token(self) -> str:
        answer = self._http.post(f"{self.url}/auth/token", json=self._login, timeout=30)
        if not answer.ok:
            raise ServiceFailed(
                f"Airflow refused the login of {self._login['username']} ({answer.status_code}): the password is "
                "in secrets.json of the sandbox home; if another Airflow listens here, move one with ACCORD_PORT_AIRFLOW."
            )
        return str(answer.json()["access_token"])
