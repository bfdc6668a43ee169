"""The reviewer's page and the Data Docs."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from pathlib import Path

import pytest

from accord.objects import CUSTOMER
from accord.quality.docs import build_docs
from accord.quality.gate import Judgement, Verdict
from accord.quality.report import render, write_report
from tests.unit.quality.rows import customer, judge, judge_customers, suite, table

SECRET = "Geheimrat Quodlibet"
FLOW = "customer__salesforce_to_erp"


@pytest.fixture(scope="module")
def spoiled() -> Judgement:
    """Two of three customers fail; every text of theirs is a secret."""
    hidden = {"phone": SECRET * 3, "website": SECRET}
    return judge_customers(customer(1, name=SECRET, **hidden), customer(2, country=None, **hidden), customer(3))


class Text(HTMLParser):
    """The text of a page, and the tags that stay open."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def text_of(page: str) -> str:
    parser = Text()
    parser.feed(page)
    return " ".join(" ".join(parser.text).split())


def pages(folder: Path) -> list[Path]:
    return sorted((folder / "data_docs" / "validations").rglob("*.html"))


def test_the_page_shows_failures_first_with_all_a_reviewer_needs(spoiled: Judgement) -> None:
    text = text_of(render(spoiled, flow=FLOW, run_name="scheduled__2026-01-01T00:00:00+00:00"))
    assert "pass with quarantine" in text
    assert "3 records checked, 2 fail." in text
    assert text.index("country is missing") < text.index("What holds") < text.index("the tax registration is one")
    for word in (
        "sales operations",
        "critical",
        "missing value",
        "The other side needs it",
        "scheduled__2026-01-01T00:00:00+00:00",
    ):
        assert word in text


@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_has_its_banner(verdict: Verdict) -> None:
    judgement = Judgement(
        object="customer", gate="source", verdict=verdict, records=0, results=(), failures=table(CUSTOMER, [])
    )
    assert str(verdict) in text_of(render(judgement, flow=FLOW, run_name="x"))


def test_names_are_escaped_and_stay_in_their_folder(tmp_path: Path) -> None:
    judgement = judge(suite(CUSTOMER))
    page = Path(write_report(judgement, flow="..", run_name="../<b>/x", folder=tmp_path / "reports"))
    assert page.is_relative_to(tmp_path / "reports")
    assert ".." not in page.parts
    assert "<b>" not in page.read_text()
    assert {path.name for path in tmp_path.iterdir()} == {"reports"}


def test_nothing_written_holds_a_value(spoiled: Judgement, tmp_path: Path) -> None:
    write_report(spoiled, flow=FLOW, run_name="manual__1", folder=tmp_path)
    index = Path(build_docs(tmp_path))
    assert index.exists()
    (page,) = pages(tmp_path)
    assert "country is missing" in text_of(page.read_text())
    assert str(page.relative_to(index.parent)).split("/")[1] in index.read_text()
    for path in tmp_path.rglob("*"):
        if path.suffix in (".html", ".json"):
            assert SECRET not in path.read_text(), path
            assert "salesforce:1" not in path.read_text(), path


def test_docs_grow_by_what_is_new_and_forget_what_is_old(spoiled: Judgement, tmp_path: Path) -> None:
    for number in range(3):
        write_report(spoiled, flow=FLOW, run_name=f"run{number}", folder=tmp_path)
    build_docs(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in pages(tmp_path)}
    assert len(before) == 3
    write_report(spoiled, flow=FLOW, run_name="run3", folder=tmp_path)
    build_docs(tmp_path, keep=3)
    after = {path: path.stat().st_mtime_ns for path in pages(tmp_path)}
    assert len(after) == 3
    assert {path for path in before if path not in after} == {path for path in before if "run0" in str(path)}
    assert all(before[path] == after[path] for path in before.keys() & after.keys()), "built pages are left alone"
    index = Path(tmp_path, "data_docs", "index.html").read_text()
    assert set(re.findall(r"run\d", index)) == {"run1", "run2", "run3"}


def test_two_may_build_at_once_and_nothing_new_costs_nothing(spoiled: Judgement, tmp_path: Path) -> None:
    write_report(spoiled, flow=FLOW, run_name="run", folder=tmp_path)
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(build_docs, [tmp_path] * 4))) == 1
    assert len(pages(tmp_path)) == 1
    index = tmp_path / "data_docs" / "index.html"
    stamp = index.stat().st_mtime_ns
    build_docs(tmp_path)
    assert index.stat().st_mtime_ns == stamp


def test_docs_of_nothing_are_an_empty_site(tmp_path: Path) -> None:
    assert Path(build_docs(tmp_path / "new")).exists()
