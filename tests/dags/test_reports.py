"""Gate reports are shown to who may see the website, and nothing else of the disk is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from accord_airflow.reports import app


@pytest.fixture
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "reports"
    page = root / "runs" / "customer" / "run <1>" / "source" / "index.html"
    page.parent.mkdir(parents=True)
    page.write_text("<h1>pass</h1>")
    (tmp_path / "secret.txt").write_text("not yours")
    (root / "way_out.txt").symlink_to(tmp_path / "secret.txt")
    monkeypatch.setenv("ACCORD_REPORTS", str(root))
    return root


@pytest.fixture
def served(metadata: None) -> FastAPI:
    return app()


@pytest.fixture
def someone(served: FastAPI) -> Iterator[TestClient]:
    """A client whose login the dependency accepts."""
    for dependency in served.router.dependencies:
        assert dependency.dependency is not None
        served.dependency_overrides[dependency.dependency] = lambda: None
    yield TestClient(served)
    served.dependency_overrides.clear()


def test_every_route_asks_for_a_login(served: FastAPI, reports: Path) -> None:
    from airflow.api_fastapi.app import create_auth_manager

    create_auth_manager()
    served.state.auth_manager = None
    stranger = TestClient(served, raise_server_exceptions=False)
    routes = [route for route in served.routes if isinstance(route, APIRoute)]
    assert {route.path for route in routes} == {"/reports/", "/reports/{path:path}"}
    assert len(routes) == len(served.routes), "no mount, no generated documentation: those would bypass the login"
    for route in routes:
        answer = stranger.get(route.path.replace("{path:path}", "runs/customer/run <1>/source/index.html"))
        assert answer.status_code == 401, route.path
        assert "pass" not in answer.text


def test_the_list_names_the_reports_and_links_to_them(someone: TestClient, reports: Path) -> None:
    page = someone.get("/reports/")
    assert page.status_code == 200
    assert "<td>customer</td><td>run &lt;1&gt;</td>" in page.text
    assert "Data Docs" not in page.text
    assert someone.get("/reports/runs/customer/run%20%3C1%3E/source/index.html").text == "<h1>pass</h1>"
    assert 'href="runs/customer/run%20%3C1%3E/source/index.html"' in page.text


def test_data_docs_are_linked_once_there_are_some(someone: TestClient, reports: Path) -> None:
    (reports / "data_docs").mkdir()
    (reports / "data_docs" / "index.html").write_text("docs")
    assert '<a href="data_docs/index.html">' in someone.get("/reports/").text
    assert someone.get("/reports/data_docs/index.html").text == "docs"


def test_no_report_yet_is_said(someone: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCORD_REPORTS", str(tmp_path / "none"))
    assert "None yet" in someone.get("/reports/").text


@pytest.mark.parametrize(
    "path",
    [
        "../secret.txt",
        "%2e%2e/secret.txt",
        "..%2fsecret.txt",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "way_out.txt",
        "customer",
        "x",
    ],
)
def test_nothing_outside_the_folder_is_served(someone: TestClient, reports: Path, path: str) -> None:
    answer = someone.get(f"/reports/{path}")
    assert answer.status_code == 404
    assert "not yours" not in answer.text


def test_a_page_can_talk_to_nobody(someone: TestClient, reports: Path) -> None:
    answer = someone.get("/reports/runs/customer/run%20%3C1%3E/source/index.html")
    assert "connect-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
