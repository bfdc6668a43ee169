"""The client of Airflow's REST API, against a small server that answers as Airflow 3.3 does."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from sandbox.stack.airflow_api import AirflowApi
from sandbox.stack.errors import ServiceFailed

BEAT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass(slots=True)
class Server:
    """Scripted answers: a path gives its next answer, and the last one again and again."""

    url: str = ""
    answers: dict[str, list[tuple[int, Any]]] = field(default_factory=dict)
    calls: list[tuple[str, str, Any]] = field(default_factory=list)
    tokens: int = 0
    valid: str = ""

    def says(self, path: str, *answers: Any, status: int = 200) -> None:
        self.answers[path] = [(status, answer) for answer in answers]

    def answer(self, method: str, path: str, token: str, body: Any) -> tuple[int, Any]:
        if path == "/auth/token":
            if body["password"] != "right":
                return 401, {"detail": "Invalid credentials"}
            self.tokens += 1
            self.valid = f"token-{self.tokens}"
            return 201, {"access_token": self.valid}
        name = path.removeprefix("/api/v2/").partition("?")[0]
        if name != "monitor/health" and token != f"Bearer {self.valid}":
            return 401, {"detail": "Invalid token"}
        self.calls.append((method, path.removeprefix("/api/v2/"), body))
        known = self.answers.get(name, [(404, {"detail": f"no {name}"})])
        return known.pop(0) if len(known) > 1 else known[0]


@pytest.fixture
def server() -> Iterator[Server]:
    scripted = Server()

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            status, answer = scripted.answer(self.command, self.path, self.headers.get("Authorization", ""), body)
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = handle_any

        def log_message(self, format: str, *args: Any) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    scripted.url = f"http://127.0.0.1:{listening.server_address[1]}"
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield scripted
    listening.shutdown()
    listening.server_close()
    thread.join()


@pytest.fixture
def api(server: Server) -> AirflowApi:
    return AirflowApi(server.url, "admin", "right")


def health(**beats: datetime | None) -> dict[str, Any]:
    parts = {
        name: {"status": "healthy", f"latest_{name}_heartbeat": beat.isoformat() if beat else None}
        for name, beat in beats.items()
    }
    return {"metadatabase": {"status": "healthy"}, **parts}


def tasks(*states: str | None) -> dict[str, Any]:
    found = [{"task_id": f"t{number}", "map_index": -1, "state": state} for number, state in enumerate(states)]
    return {"task_instances": found, "total_entries": len(found)}


def test_one_login_serves_many_calls(server: Server, api: AirflowApi) -> None:
    server.says("pools", {"pools": []})
    api.get("pools")
    api.get("pools")
    assert server.tokens == 1


def test_a_token_that_ran_out_is_fetched_again(server: Server, api: AirflowApi) -> None:
    server.says("pools", {"pools": []})
    api.get("pools")
    server.valid = "another"
    assert api.get("pools") == {"pools": []}
    assert server.tokens == 2


def test_a_refused_login_names_where_the_password_is(server: Server) -> None:
    with pytest.raises(ServiceFailed, match=r"refused the login of admin \(401\).*secrets\.json"):
        AirflowApi(server.url, "admin", "wrong").get("pools")


def test_a_refusal_carries_airflows_reason(server: Server, api: AirflowApi) -> None:
    server.says("dags/x/dagRuns", {"detail": "Forbidden"}, status=403)
    with pytest.raises(ServiceFailed, match=r"403 to POST dags/x/dagRuns.*Forbidden"):
        api.trigger("x")


@pytest.mark.parametrize(
    ("component", "since", "healthy"),
    [
        (None, None, True),
        ("scheduler", None, True),
        ("scheduler", BEAT - timedelta(seconds=1), True),
        ("scheduler", BEAT + timedelta(seconds=1), False),
        ("triggerer", None, True),
        ("triggerer", BEAT, False),
    ],
)
def test_only_a_sign_of_life_since_the_start_counts(
    server: Server, api: AirflowApi, component: str | None, since: datetime | None, healthy: bool
) -> None:
    server.says("monitor/health", health(scheduler=BEAT, triggerer=None))
    assert api.is_healthy(component, since=since) is healthy


def test_an_api_server_without_its_database_is_not_healthy(server: Server, api: AirflowApi) -> None:
    server.says("monitor/health", {"metadatabase": {"status": "unhealthy"}})
    assert not api.is_healthy()


def test_a_run_is_awaited_and_every_change_is_told_once(server: Server, api: AirflowApi) -> None:
    states = ("queued", "running", "running", "success")
    server.says("dags/x/dagRuns/r", *({"state": state} for state in states))
    server.says(
        "dags/x/dagRuns/r/taskInstances", tasks(None), tasks("running"), tasks("running"), tasks("success", "success")
    )
    told: list[tuple[str, list[Any]]] = []
    state = api.wait("x", "r", progress=lambda state, tasks: told.append((state, [task["state"] for task in tasks])))
    assert state == "success"
    assert told == [("queued", [None]), ("running", ["running"]), ("success", ["success", "success"])]


def test_a_run_that_takes_too_long_names_its_page(server: Server, api: AirflowApi) -> None:
    server.says("dags/x/dagRuns/r", {"state": "running"})
    server.says("dags/x/dagRuns/r/taskInstances", tasks("running"))
    with pytest.raises(ServiceFailed, match=r"x was still running after 0 s.*/dags/x/runs/r"):
        api.wait("x", "r", timeout=0)


def test_all_pages_of_a_long_list_are_read(server: Server, api: AirflowApi) -> None:
    page = {"task_instances": [{"task_id": "t"}] * 100, "total_entries": 250}
    server.says("dags/x/dagRuns/r/taskInstances", page, page, {**page, "task_instances": [{"task_id": "t"}] * 50})
    assert len(api.tasks("x", "r")) == 250


def test_a_dag_that_does_not_import_says_why(server: Server, api: AirflowApi) -> None:
    server.says("dags", {"dags": [{"dag_id": "y"}]})
    server.says("importErrors", {"import_errors": [{"filename": "x.py", "stack_trace": "NameError: nope"}]})
    with pytest.raises(ServiceFailed, match=r"does not know x\..*x\.py:\s+NameError: nope"):
        api.wait_for_dags(["x", "y"])


def test_dags_are_awaited(server: Server, api: AirflowApi) -> None:
    server.says("importErrors", {"import_errors": []})
    server.says("dags", {"dags": []}, {"dags": [{"dag_id": "x"}]})
    api.wait_for_dags(["x"])


def test_only_a_paused_dag_is_unpaused(server: Server, api: AirflowApi) -> None:
    server.says("dags/x", {"is_paused": True}, {"is_paused": False})
    assert api.unpause("x")
    assert not api.unpause("x")
    assert [(method, body) for method, _, body in server.calls] == [
        ("GET", None),
        ("PATCH", {"is_paused": False}),
        ("GET", None),
    ]
