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
from accord.quality.offline import offline
from accord.quality.report import render, sparkline, write_report
from accord.quality.samples import SAMPLES
from tests.unit.quality.rows import address, customer, judge, judge_customers, report_of, suite, table

SECRET = "Geheimrat Quodlibet"


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
    text = text_of(render(report_of(spoiled, run_name="scheduled__2026-01-01T00:00:00+00:00")))
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
    assert str(verdict) in text_of(render(report_of(judgement)))


def test_names_are_escaped_and_stay_in_their_folder(tmp_path: Path) -> None:
    judgement = judge(suite(CUSTOMER))
    page = Path(
        write_report(report_of(judgement, flow="..", run_name="../<b>/x"), judgement, folder=tmp_path / "reports")
    )
    assert page.is_relative_to(tmp_path / "reports")
    assert ".." not in page.parts
    assert "<b>" not in page.read_text()
    assert {path.name for path in tmp_path.iterdir()} == {"reports"}


def test_nothing_written_holds_a_value(spoiled: Judgement, tmp_path: Path) -> None:
    write_report(report_of(spoiled, run_name="manual__1"), spoiled, folder=tmp_path)
    index = Path(build_docs(tmp_path))
    assert index.exists()
    (page,) = pages(tmp_path)
    assert "country is missing" in text_of(page.read_text())
    assert str(page.relative_to(index.parent)).split("/")[1] in index.read_text()
    for path in tmp_path.rglob("*"):
        if path.suffix in (".html", ".json"):
            assert SECRET not in path.read_text(), path
            known = path.read_text().count("salesforce:1")
            assert known == (0 if "data_docs" in str(path) else 2), f"{path}: only reports name records"


def test_docs_grow_by_what_is_new_and_forget_what_is_old(spoiled: Judgement, tmp_path: Path) -> None:
    for number in range(3):
        write_report(report_of(spoiled, run_name=f"run{number}"), spoiled, folder=tmp_path)
    build_docs(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in pages(tmp_path)}
    assert len(before) == 3
    write_report(report_of(spoiled, run_name="run3"), spoiled, folder=tmp_path)
    build_docs(tmp_path, keep=3)
    after = {path: path.stat().st_mtime_ns for path in pages(tmp_path)}
    assert len(after) == 3
    assert {path for path in before if path not in after} == {path for path in before if "run0" in str(path)}
    assert all(before[path] == after[path] for path in before.keys() & after.keys()), "built pages are left alone"
    index = Path(tmp_path, "data_docs", "index.html").read_text()
    assert set(re.findall(r"run\d", index)) == {"run1", "run2", "run3"}


def test_two_may_build_at_once_and_nothing_new_costs_nothing(spoiled: Judgement, tmp_path: Path) -> None:
    write_report(report_of(spoiled, run_name="run"), spoiled, folder=tmp_path)
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(build_docs, [tmp_path] * 4))) == 1
    assert len(pages(tmp_path)) == 1
    index = tmp_path / "data_docs" / "index.html"
    stamp = index.stat().st_mtime_ns
    build_docs(tmp_path)
    assert index.stat().st_mtime_ns == stamp


class Asked(HTMLParser):
    """What a page asks for: elements and addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.ids: set[str] = set()
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name in ("src", "href", "action"):
                self.addresses.append(value or "")
            if name == "id":
                self.ids.add(value or "")
            if name.startswith("on"):
                self.handlers.append(name)


def test_docs_ask_nobody_for_anything_and_every_link_leads_somewhere(spoiled: Judgement, tmp_path: Path) -> None:
    write_report(report_of(spoiled, run_name="manual__1"), spoiled, folder=tmp_path)
    index = Path(build_docs(tmp_path))
    for page in (index, *pages(tmp_path)):
        text, asked = page.read_text(), Asked()
        asked.feed(text)
        assert not asked.tags & {"script", "link", "img", "iframe", "form"}, page
        assert not asked.handlers
        assert not re.search(r"https?:|url\(|@import", text), page
        assert "prefers-color-scheme:dark" in text, "it is styled"
        assert asked.addresses
        for link in asked.addresses:
            place, _, fragment = link.partition("#")
            assert (page.parent / place).is_file() if place else fragment in asked.ids | {""}, link
    (row,) = re.findall(r"<tr><td>.*?</tr>", index.read_text())
    assert "✗ fails" in row
    assert "customer.canonical" in row
    (page,) = pages(tmp_path)
    told = text_of(page.read_text())
    assert "country is missing" in told
    assert "≈" in told, "what is no letter survives"


def test_what_is_left_out_of_a_page() -> None:
    page = (
        '<!DOCTYPE html><html><head><title>x</title><link href="https://a/b.css"><script src="//a/b.js">bad()</script></head>'
        '<body><style>b{}</style><a onclick="bad()" style="color:red" href="#s" class="k">A &amp; B&nbsp;&#8776;</a>'
        '<a href="https://a/">out</a><br/><img src="x"><p id="s">&lt;b&gt;</p></body></html>'
    )
    kept = offline(page, "T & Q")
    head, _, body = kept.partition("</style></head>")
    assert head.startswith("<!DOCTYPE html><html><head>")
    assert "<title>T &amp; Q</title>" in head
    assert body == (
        '<body><a href="#s" class="k">A &amp; B&nbsp;&#8776;</a><a>out</a><br><p id="s">&lt;b&gt;</p></body></html>'
    )


def test_docs_of_nothing_are_an_empty_site(tmp_path: Path) -> None:
    assert Path(build_docs(tmp_path / "new")).exists()


def test_a_sample_says_what_is_wrong_and_not_who_it_is(spoiled: Judgement) -> None:
    (long,) = [result for result in spoiled.results if result.rule == "phone.length"]
    assert [(one.key, one.fields) for one in long.samples] == [
        ("salesforce:1", (("phone", f"(personal, {3 * len(SECRET)} characters)"),)),
        ("salesforce:2", (("phone", f"(personal, {3 * len(SECRET)} characters)"),)),
    ]
    page = text_of(render(report_of(spoiled)))
    assert f"phone: (personal, {3 * len(SECRET)} characters)" in page
    assert "country: (empty)" in page
    assert "c-1" in page, "the correlation id"


def test_samples_are_few_and_of_different_records() -> None:
    twice = [address("bill_to", country=None), address("bill_to", country=None)]
    found = judge_customers(*(customer(n, addresses=twice) for n in range(SAMPLES + 4)))
    (unique,) = [result for result in found.results if result.rule == "addresses.unique"]
    assert unique.failed == 2 * (SAMPLES + 4)
    assert [one.key for one in unique.samples] == [f"salesforce:{n}" for n in range(SAMPLES)]
    assert unique.samples[0].fields == (("addresses.role", "bill_to"),)


def test_a_trend_can_be_read_without_seeing_it() -> None:
    assert sparkline([3], "failed") == ""
    assert "the last 3 runs, the oldest first: 0, 2, 10" in sparkline([0, 2, 10], "failed")
