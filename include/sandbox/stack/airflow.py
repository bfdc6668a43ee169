"""Airflow for the sandbox: four processes, each under the keeper, with the metadata in the home's PostgreSQL.

Separate processes instead of ``airflow standalone``: they come up at the same time, each has its log, and ending one
ends all of it. Everything is configured by environment variables made here; no ``airflow.cfg`` is written or needed.
The log servers are left out (``--skip-serve-logs``): they listen on every interface, and the API server finds the log
files of this machine by itself.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import yaml

from sandbox.stack import connections
from sandbox.stack.airflow_api import AirflowApi
from sandbox.stack.errors import ServiceFailed
from sandbox.stack.home import CHECKOUT, folder, locked, secret, write_whole
from sandbox.stack.ports import LOOPBACK, Ports
from sandbox.stack.postgres import Server
from sandbox.stack.processes import Processes, inherited

DATABASE = "airflow"
# One login per role a person may have, so that what each may do can be tried.
USERS: Mapping[str, str] = {"admin": "admin", "operator": "op", "viewer": "viewer"}
API = "airflow-api"
# The rest, with the name each has in Airflow's health report.
WORKERS: Mapping[str, str] = {
    "airflow-scheduler": "scheduler",
    "airflow-dag-processor": "dag_processor",
    "airflow-triggerer": "triggerer",
}
# settings somebody's shell has for another Airflow are no business of this one
OTHERS = ("AIRFLOW_",)
NAMES = (API, *WORKERS)
# LocalExecutor forks its tasks from the scheduler; Airflow imports this file in each of its processes.
_PRELOAD = """\
from accord.preload import preload_in

__all__ = []
preload_in("scheduler")
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Airflow:
    """A running Airflow. Its ``repr`` shows no password."""

    url: str
    passwords: Mapping[str, str] = field(repr=False)

    def api(self, user: str = "admin") -> AirflowApi:
        """The REST API, logged in as one of the users."""
        return AirflowApi(self.url, user, self.passwords[user])


def ensure_running(
    home: Path,
    server: Server,
    *,
    dags: Path = CHECKOUT / "dags",
    plugins: Path = CHECKOUT / "plugins",
    free_port: bool = False,
    tell: Callable[[str], None] = lambda _: None,
) -> Airflow:
    """Have Airflow run: database migrated, four processes healthy, pools made. Running already: a second or two.

    Args:
        home: the sandbox home; Airflow's own files go to ``<home>/airflow``, its connections come from the home's file.
        server: the PostgreSQL that holds the metadata.
        dags: the folder of DAG files.
        plugins: the plugins folder.
        free_port: take any free port instead of the configured one.
        tell: hears, in words, what takes long.

    Raises:
        PortTaken: another program holds the port.
        ServiceFailed: the migration failed or a process did not become healthy.
    """
    keeper = Processes(home)
    port = Ports(home, free=free_port).get("airflow", held=keeper.is_running(API))
    running = Airflow(url=f"http://{LOOPBACK}:{port}", passwords=passwords(home))
    environment = _settings(home, server, port, dags, plugins) | connections.read(home)
    with locked(home, "airflow-database"):
        _migrate(home, server, environment, tell)

    def start(name: str, *words: str) -> None:
        since = None if keeper.is_running(name) else datetime.now(UTC)
        component = WORKERS.get(name)
        keeper.start(
            name,
            [sys.executable, "-m", "airflow", *words],
            env=environment,
            without=OTHERS,
            cwd=folder(home, "airflow"),
            ready=lambda: running.api().is_healthy(component, since=since),
            timeout=180,
            ports={"airflow": port} if name == API else {},
        )

    with ThreadPoolExecutor(max_workers=len(NAMES)) as together:
        jobs = [
            together.submit(start, API, "api-server"),
            together.submit(start, "airflow-scheduler", "scheduler", "--skip-serve-logs"),
            together.submit(start, "airflow-dag-processor", "dag-processor"),
            together.submit(start, "airflow-triggerer", "triggerer", "--skip-serve-logs"),
        ]
    for job in jobs:
        job.result()
    _make_pools(running.api())
    return running


def stop(home: Path) -> list[str]:
    """End Airflow's processes. Returns the names of those that ran."""
    keeper = Processes(home)
    with ThreadPoolExecutor(max_workers=len(NAMES)) as together:
        ended = list(together.map(keeper.stop, NAMES))
    return [name for name, ran in zip(NAMES, ended, strict=True) if ran]


def declared_pools(path: Path = CHECKOUT / "airflow_settings.yaml") -> list[dict[str, object]]:
    """The pools of ``airflow_settings.yaml`` (the Astro CLI's file), in the REST API's words."""
    declared = yaml.safe_load(path.read_text(encoding="utf-8"))["airflow"].get("pools") or []
    return [
        {
            "name": pool["pool_name"],
            "slots": pool["pool_slot"],
            "description": pool.get("pool_description") or "",
            "include_deferred": False,
        }
        for pool in declared
    ]


def _make_pools(api: AirflowApi) -> None:
    known = {pool["name"] for pool in api.get("pools", limit=1000)["pools"]}
    for pool in declared_pools():
        if pool["name"] not in known:
            api.post("pools", pool)


def passwords(home: Path) -> dict[str, str]:
    """The generated password of each user."""
    return {user: secret(home, f"airflow_{user}", size=9) for user in USERS}


def _settings(home: Path, server: Server, port: int, dags: Path, plugins: Path) -> dict[str, str]:
    """Airflow's configuration as environment variables, with the secrets of this home."""
    own = folder(home, "airflow")
    url = f"http://{LOOPBACK}:{port}"
    known = own / "passwords.json"
    content = json.dumps(passwords(home))
    if not known.exists() or known.read_text(encoding="utf-8") != content:
        write_whole(known, content, mode=0o600)
    write_whole(folder(own, "config") / "airflow_local_settings.py", _PRELOAD)
    sections: dict[str, dict[str, str]] = {
        "core": {
            "executor": "LocalExecutor",
            "parallelism": "4",
            "dags_folder": str(dags),
            "plugins_folder": str(plugins),
            "load_examples": "false",
            "fernet_key": secret(home, "airflow_fernet", size=32) + "=",  # 32 bytes in padded base64
            "auth_manager": "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager",
            "simple_auth_manager_users": ",".join(f"{user}:{role}" for user, role in USERS.items()),
            "simple_auth_manager_passwords_file": str(known),
            "execution_api_server_url": f"{url}/execution/",
            "default_timezone": "utc",
        },
        "database": {"sql_alchemy_conn": server.dsn(DATABASE).replace("postgresql://", "postgresql+psycopg://", 1)},
        "api": {
            "host": LOOPBACK,
            "port": str(port),
            "base_url": url,
            "workers": "1",
            "instance_name": "Accord sandbox",
            "secret_key": secret(home, "airflow_api", size=48),
        },
        "api_auth": {"jwt_secret": secret(home, "airflow_jwt", size=64)},
        "logging": {"base_log_folder": str(folder(home, "airflow") / "logs")},
        # A new or changed DAG file shows within seconds; an unchanged one is not parsed again all the time.
        "dag_processor": {"refresh_interval": "10", "min_file_process_interval": "60", "parsing_processes": "1"},
        # how long a task that is over may go unnoticed: by default a second, as long as most of the sample company's tasks take
        "scheduler": {"scheduler_idle_sleep_time": "0.2"},
        "usage_data_collection": {"enabled": "false"},
    }
    settings = {
        f"AIRFLOW__{section}__{name}".upper(): value
        for section, values in sections.items()
        for name, value in values.items()
    }
    return settings | {
        "AIRFLOW_HOME": str(own),
        "PYTHONPATH": f"{CHECKOUT / 'include'}:{plugins}",
        "PYTHONUNBUFFERED": "1",
        "ACCORD_HOME": str(home),
        "NO_PROXY": f"{LOOPBACK},localhost",
        "no_proxy": f"{LOOPBACK},localhost",
    }


def _migrate(home: Path, server: Server, environment: Mapping[str, str], tell: Callable[[str], None]) -> None:
    """Bring the metadata to this version's schema; a note beside it saves the 10 s of finding out that it is."""
    note = folder(home, "airflow") / "migrated"
    made = server.create_database(DATABASE)
    wanted = version("apache-airflow-core")
    if not made and note.exists() and note.read_text(encoding="utf-8") == wanted:
        return
    note.unlink(missing_ok=True)
    tell("preparing Airflow's database")
    done = run_airflow(environment, "db", "migrate")
    if done.returncode:
        raise ServiceFailed(f"Airflow's database could not be prepared: {(done.stderr or done.stdout).strip()[-800:]}")
    write_whole(note, wanted)


def run_airflow(environment: Mapping[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """Run one `airflow …` command with these settings and hand back its output."""
    return subprocess.run(  # noqa: S603 - our own interpreter and words
        [sys.executable, "-m", "airflow", *words],
        env=inherited(OTHERS) | dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
