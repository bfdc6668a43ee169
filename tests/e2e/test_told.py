"""What people see of the runs: documentation, the params form, logs that name run and correlation; never personal data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from accord.flows import FLOWS
from sandbox.stack import services
from tests import dag_names
from tests.e2e.story import CUSTOMERS, PERSONAL, Stage


def test_the_dags_are_those_of_the_registry_with_tags_and_docs(stage: Stage) -> None:
    dags = {dag["dag_id"]: dag for dag in stage.api.get("dags", limit=1000)["dags"]}
    assert dags.keys() == dag_names.ALL
    for name, flow in FLOWS.items():
        details = stage.api.get(f"dags/{name}/details")
        assert {"accord", flow.object} <= {tag["name"] for tag in details["tags"]}
        assert "When it fails" in details["doc_md"]
        assert details["owners"] == [flow.owner]


def test_the_form_of_a_manual_run(stage: Stage) -> None:
    params = stage.api.get(f"dags/{CUSTOMERS}/details")["params"]
    assert params.keys() == {"since", "until", "keys", "full_refresh", "dry_run"}
    for param in params.values():
        assert param["schema"]["title"]
        assert param["schema"]["section"] in ("Window", "How")


def test_logs_name_the_run_and_the_correlation(stage: Stage, there: str) -> None:
    run = stage.hub_run(CUSTOMERS, there)["id"]
    logs: dict[str, str] = {}
    for (task, index), instance in stage.tasks(CUSTOMERS, there).items():
        text = stage.api.log(CUSTOMERS, there, task, attempt=instance["try_number"], map_index=index)
        assert f"run {run} " in text, f"{task}[{index}] does not name its run:\n{text}"
        logs[task] = logs.get(task, "") + text
    rejected = stage.ask(
        services.HUB, "SELECT key, correlation::text FROM exception WHERE kind = 'rejected' AND target = 'legacy'"
    )
    assert rejected
    for row in rejected:
        assert f"{row['correlation']} customer {row['key']} → legacy" in logs["load_legacy"]


def seen_in(stage: Stage, database: str, words: list[str]) -> list[str]:
    """Columns of a database, `schema.table.column`, in which one of the words stands."""
    with psycopg.connect(stage.running.postgres.dsn(database)) as session:
        tables = session.execute(
            "SELECT relnamespace::regnamespace::text, relname FROM pg_class WHERE relkind = 'r'"
            " AND relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        found = []
        for schema, table in tables:
            query = sql.SQL(
                "SELECT DISTINCT c.key FROM {} t, jsonb_each_text(to_jsonb(t)) c WHERE c.value LIKE ANY(%s)"
            ).format(sql.Identifier(schema, table))
            rows = session.execute(query, [[f"%{word}%" for word in words]]).fetchall()
            found += [f"{schema}.{table}.{column}" for (column,) in rows]
        return found


def files_showing(folder: Path, words: list[str]) -> Iterator[Path]:
    """Files below a folder that hold one of the words."""
    sought = [word.encode() for word in words]
    for path in folder.rglob("*"):
        if path.is_file() and any(word in path.read_bytes() for word in sought):
            yield path


@pytest.fixture(scope="module")
def words() -> list[str]:
    return list(PERSONAL.values())


def test_no_personal_data_in_airflow_or_the_hub(stage: Stage, again: dict[str, str], words: list[str]) -> None:
    # an XCom's JSON escapes what is not ASCII: the words are plain on purpose
    assert seen_in(stage, services.AIRFLOW, words) == []
    kept_apart = (
        "public.image.personal",
        "public.change_personal",
    )  # so that a run can be undone; see docs/retention.md
    assert [place for place in seen_in(stage, services.HUB, words) if not place.startswith(kept_apart)] == []
    assert any(place.startswith("erp.customer_contact.") for place in seen_in(stage, services.LEGACY, words))


def test_no_personal_data_in_logs_and_reports(stage: Stage, again: dict[str, str], words: list[str]) -> None:
    logs, reports = stage.home / "airflow" / "logs", stage.home / "reports"
    assert len(list(logs.rglob("*.log"))) > 30
    assert (reports / "data_docs" / "index.html").is_file()
    assert len(list((reports / "runs").rglob("index.html"))) >= 2 * len(again)
    assert list(files_showing(stage.home / "salesforce", words)), "the search would not have found them"
    assert list(files_showing(logs, words)) == []
    assert list(files_showing(reports, words)) == []
    names = ("airflow-api", "airflow-scheduler", "airflow-dag-processor", "airflow-triggerer")
    assert [name for name in names for _ in files_showing(stage.home / "logs", words) if _.stem == name] == []


def test_reports_need_a_login(stage: Stage, back: dict[str, str]) -> None:
    import requests

    assert requests.get(f"{stage.web.url}/accord/reports/", timeout=30).status_code == 401
    page = stage.api._http.get(
        f"{stage.web.url}/accord/reports/", headers={"Authorization": f"Bearer {stage.api._token}"}, timeout=30
    )
    assert page.status_code == 200
    assert CUSTOMERS in page.text
