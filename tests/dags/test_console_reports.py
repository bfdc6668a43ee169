"""Gate reports are shown to who may see the website, and nothing else of the disk is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient


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
def someone(browser: Callable[..., TestClient]) -> TestClient:
    """A browser of somebody who may look."""
    return browser("viewer")


def test_the_list_names_the_reports_and_links_to_them(someone: TestClient, reports: Path) -> None:
    page = someone.get("reports/")
    assert page.status_code == 200
    assert "<td>customer</td><td>run &lt;1&gt;</td>" in page.text
    assert "Data Docs" not in page.text
    assert someone.get("reports/runs/customer/run%20%3C1%3E/source/index.html").text == "<h1>pass</h1>"
    assert 'href="runs/customer/run%20%3C1%3E/source/index.html"' in page.text


def test_data_docs_are_linked_once_there_are_some(someone: TestClient, reports: Path) -> None:
    (reports / "data_docs").mkdir()
    (reports / "data_docs" / "index.html").write_text("docs")
    assert '<a href="data_docs/index.html">' in someone.get("reports/").text
    assert someone.get("reports/data_docs/index.html").text == "docs"


def test_no_report_yet_is_said(someone: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCORD_REPORTS", str(tmp_path / "none"))
    assert "None yet" in someone.get("reports/").text


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
    answer = someone.get(f"reports/{path}")
    assert answer.status_code == 404
    assert "not yours" not in answer.text


def test_a_page_can_talk_to_nobody(someone: TestClient, reports: Path) -> None:
    answer = someone.get("reports/runs/customer/run%20%3C1%3E/source/index.html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
