"""The files other tools read are whole and agree with each other: locks, compose, Astro, Docker, CI."""

import json
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

from accord.flows import ERPS, SALESFORCE

ROOT = Path(__file__).resolve().parents[3]
ASKED_FOR = {
    "apache-airflow",
    "apache-airflow-providers-postgres",
    "apache-airflow-providers-salesforce",
    "great-expectations",
    "pandas",
}
AIRFLOW_SERVICES = {"apiserver", "scheduler", "worker", "dag-processor", "triggerer", "init"}


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def requirements(name: str) -> dict[str, Requirement]:
    lines = (line.split(" #")[0].strip() for line in read(name).splitlines())
    found = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {one.name.lower().replace("_", "-"): one for one in found}


def pins(name: str) -> dict[str, set[Version]]:
    """Locked versions; a universal lock may hold one per Python version."""
    found: dict[str, set[Version]] = {}
    for match in re.finditer(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;]+)", read(name), re.MULTILINE):
        found.setdefault(match[1].lower().replace("_", "-"), set()).add(Version(match[2]))
    return found


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return dict(yaml.safe_load(read("docker-compose.yaml")))


def test_what_was_asked_for_is_required() -> None:
    assert set(requirements("requirements.txt")) >= ASKED_FOR


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_every_requirement_is_locked_within_its_range(lock: str) -> None:
    locked = pins(lock)
    for name, wanted in requirements("requirements.txt").items():
        assert locked.get(name), f"{name} is not in {lock}: run `make lock`"
        outside = [str(version) for version in locked[name] if version not in wanted.specifier]
        assert not outside, f"{lock} has {name} {outside}, requirements.txt wants {wanted.specifier}: run `make lock`"


def test_development_runs_on_the_versions_of_production() -> None:
    production, development = pins("requirements.lock"), pins("requirements-dev.lock")
    assert {name: development.get(name) for name in production} == production


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_names_no_place_to_get_it_from(lock: str) -> None:
    assert not re.search(r"(?m)^\s*(--|-i\b|-f\b)|https?://|file:", read(lock))


def test_development_tools_are_declared_and_locked() -> None:
    groups = tomllib.loads(read("pyproject.toml"))["dependency-groups"]
    wanted = {Requirement(entry).name.lower() for group in groups.values() for entry in group if isinstance(entry, str)}
    assert "pytest" in wanted
    assert wanted <= set(pins("requirements-dev.lock"))


def test_compose_has_airflows_own_services_and_the_hub(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert {f"airflow-{name}" for name in AIRFLOW_SERVICES} | {"postgres", "redis", "hub"} <= set(services)
    assert {"salesforce", "tryton"} <= {name for name, body in services.items() if body.get("profiles") == ["sandbox"]}


def test_workers_of_compose_preload_and_share_what_is_staged(compose: dict[str, Any]) -> None:
    worker = compose["services"]["airflow-worker"]
    assert worker["environment"]["AIRFLOW__CORE__EXECUTOR"] == "CeleryExecutor"
    (mounted,) = worker["configs"]
    assert mounted["target"] == "/opt/airflow/config/airflow_local_settings.py"
    settings: dict[str, Any] = {}
    exec(compose["configs"][mounted["source"]]["content"], settings)  # noqa: S102 - the project's own file
    assert settings["__all__"] == []
    staged = worker["environment"]["ACCORD_STAGING"].removeprefix("file://")
    shared = [mount.split(":")[1] for mount in worker["volumes"] if mount.split(":")[0] in compose["volumes"]]
    assert any(staged.startswith(f"{folder}/") for folder in shared)


def test_helm_values_keep_no_secret_and_stage_where_every_pod_reaches() -> None:
    values = yaml.safe_load(read("docs/examples/helm-values.yaml"))
    assert values["executor"] == "KubernetesExecutor"
    environment = {one["name"]: one["value"] for one in values["env"]}
    assert "://" in environment["ACCORD_STAGING"]
    assert not environment["ACCORD_STAGING"].startswith("file:")
    assert environment["ACCORD_REPORTS"] in [mount["mountPath"] for mount in values["volumeMounts"]]
    assert {values["data"]["metadataSecretName"], values["fernetKeySecretName"], values["jwtSecretName"]} != {""}
    assert str(max(pins("requirements.lock")["apache-airflow"])) == values["airflowVersion"]


def test_helm_values_set_the_pools_and_upgrade_the_hub_with_the_database() -> None:
    values = yaml.safe_load(read("docs/examples/helm-values.yaml"))
    script = values["migrateDatabaseJob"]["args"][-1]
    assert {"airflow db migrate", "python -m accord.cli hub upgrade"} <= set(script.splitlines())
    pools = yaml.safe_load(read("airflow_settings.yaml"))["airflow"]["pools"]
    assert dict(re.findall(r"airflow pools set (\w+) (\d+) ", script)) == {
        pool["pool_name"]: str(pool["pool_slot"]) for pool in pools
    }


def test_compose_refers_only_to_what_it_defines(compose: dict[str, Any]) -> None:
    services, volumes = compose["services"], compose["volumes"]
    for name, body in services.items():
        assert set(body.get("depends_on", {})) <= set(services), name
        shares = body.get("network_mode", "service:hub").removeprefix("service:")
        assert shares in services, name
        for mount in body.get("volumes", []):
            source = mount.split(":")[0]
            assert source in volumes or (ROOT / source).exists(), f"{name} mounts {source}"


def test_compose_waits_for_health_only_where_it_is_checked(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for name, body in services.items():
        for other, how in body.get("depends_on", {}).items():
            assert how["condition"] != "service_healthy" or "healthcheck" in services[other], (
                f"{name} waits for {other}"
            )


def test_compose_asks_tryton_what_it_answers(compose: dict[str, Any]) -> None:
    asked = compose["services"]["tryton"]["healthcheck"]["test"]
    assert json.loads(asked[asked.index("--json") + 1])["method"] == "common.server.version"
    assert asked[-1].endswith("/rpc/")


def test_what_shares_the_workers_network_starts_again_with_it(compose: dict[str, Any]) -> None:
    for name in ("salesforce", "tryton"):
        body = compose["services"][name]
        assert body["depends_on"][body["network_mode"].removeprefix("service:")]["restart"] is True


def test_compose_builds_the_image_once(compose: dict[str, Any]) -> None:
    assert [name for name, body in compose["services"].items() if "build" in body] == ["airflow-init"]


def test_compose_listens_on_loopback_only(compose: dict[str, Any]) -> None:
    published = [port for body in compose["services"].values() for port in body.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_compose_keeps_no_password() -> None:
    for line in read("docker-compose.yaml").splitlines():
        if re.search(r"(PASSWORD|SECRET|KEY)\w*: ", line):
            assert re.search(r"\$\{\w+:[?-]", line) or "PASSWORDS_FILE" in line or "PGPASSWORD" in line, line


def test_compose_knows_every_connection(compose: dict[str, Any]) -> None:
    environment = compose["services"]["airflow-scheduler"]["environment"]
    assert {f"AIRFLOW_CONN_{name.upper()}" for name in connection_ids()} <= set(environment)


def connection_ids() -> Iterator[str]:
    yield "accord_hub"
    for system in (SALESFORCE, *ERPS):
        yield f"accord_{system}"


def test_airflow_settings_declare_the_connections_and_pools_without_secrets() -> None:
    settings = yaml.safe_load(read("airflow_settings.yaml"))["airflow"]
    assert {one["conn_id"] for one in settings["connections"]} == set(connection_ids())
    assert not [one["conn_id"] for one in settings["connections"] if one["conn_password"]]
    assert {one["pool_name"] for one in settings["pools"]} == {f"accord_{system}" for system in (SALESFORCE, *ERPS)}
    assert all(one["pool_slot"] > 0 for one in settings["pools"])


def test_the_image_is_a_build_argument() -> None:
    lines = [line for line in read("Dockerfile").splitlines() if line and not line.startswith("#")]
    assert re.fullmatch(r"ARG BASE_IMAGE=\S+/runtime:3\.3-\d+", lines[0])
    assert lines[1] == "FROM ${BASE_IMAGE}"
    copied = [word for line in lines if line.startswith("COPY") for word in line.split()[1:-1] if word[0] != "-"]
    assert {"dags", "plugins", "include", "requirements.txt"} <= set(copied)
    assert [name for name in copied if not (ROOT / name).exists()] == []


def test_the_astro_files_are_there() -> None:
    assert yaml.safe_load(read(".astro/config.yaml"))["project"]["name"] == "accord"
    for name in ("packages.txt", ".astro/dag_integrity_exceptions.txt", ".astro/test_dag_integrity_default.py"):
        assert (ROOT / name).is_file(), name


def test_ci_runs_the_whole_suite() -> None:
    run = ROOT / ".ci" / "run"
    assert os.access(run, os.X_OK)
    assert re.search(r"^make .*\btest$", run.read_text(encoding="utf-8"), re.MULTILINE)


def test_every_command_of_the_makefile_says_what_it_does() -> None:
    makefile = read("Makefile")
    described = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
    assert {"install", "demo", "down", "test", "lint", "format", "lock", "clean", "help"} <= described
