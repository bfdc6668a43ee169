"""Every link on every page leads somewhere, and everything that can be done can be reached by the keyboard and has a name."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import unquote, urljoin, urlsplit

from fastapi.testclient import TestClient

from accord_airflow.console.navigation import CONSOLE, PAGES
from tests import dag_names
from tests.dags.console import CUSTOMERS, RUN, Browsers
from tests.dags.world import World

AIRFLOW = re.compile(r"/dags/[\w.-]+(/runs/[^/]+(/tasks/[\w.-]+)?)?")  # pages of Airflow's own, as its UI has them
ACTING = ("a", "button", "input", "select", "textarea", "summary")


class Page(HTMLParser):
    """`links`: where it leads, `anchors`: what can be linked to; `acting`: the tag and attributes of what a person acts with, `named`
    whether each has words, a label or aria-label that says what it is."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.acting: list[tuple[str, dict[str, str]]] = []
        self.unnamed: list[str] = []
        self._labelled = 0
        self._open: list[tuple[str, list[str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors.add(given.get("id", ""))
        self._labelled += tag == "label"
        if tag == "a":
            self.links.append(given["href"])
        if tag in ACTING and given.get("type") != "hidden":
            self.acting.append((tag, given))
            if tag in ("a", "button", "summary"):
                self._open.append((tag, [given.get("aria-label", "")]))
            elif not (self._labelled or given.get("aria-label")):
                self.unnamed.append(f"{tag} {given}")

    def handle_data(self, data: str) -> None:
        for _, words in self._open:
            words.append(data.strip())

    def handle_endtag(self, tag: str) -> None:
        self._labelled -= tag == "label"
        if self._open and self._open[-1][0] == tag:
            _, words = self._open.pop()
            if not "".join(words):
                self.unnamed.append(tag)


def walked(somebody: TestClient) -> dict[str, Page]:
    """Every page that can be reached from the overview and the tabs, by address."""
    found: dict[str, Page] = {}
    waiting = [
        f"{CONSOLE}/",
        f"{CONSOLE}/flows/{CUSTOMERS}/runs/{RUN}",
        *(f"{CONSOLE}/flows/{dag}/" for dag in sorted(dag_names.BESIDE_THE_FLOWS)),
    ]
    while waiting:
        place = waiting.pop()
        if place in found:
            continue
        answer = somebody.get(place.removeprefix(f"{CONSOLE}/"))
        assert answer.status_code == 200, place
        found[place] = page = Page(answer.text if "html" in answer.headers["content-type"] else "")
        for link in page.links:
            to = urlsplit(urljoin(place, link))
            assert not to.netloc, "nothing leads outside"
            if to.path.startswith(f"{CONSOLE}/"):
                waiting.append(to._replace(fragment="").geturl())
            elif to.path:
                assert AIRFLOW.fullmatch(unquote(to.path)), (place, link)
            if not to.path or to.path == urlsplit(place).path:
                assert to.fragment in page.anchors | {""}, (place, link)
    return found


def test_no_link_is_dead_and_the_keyboard_reaches_every_action(filled: World, browser: Browsers) -> None:
    pages = walked(browser("admin"))
    kinds = {re.sub(r"\d+", "N", urlsplit(place).path.removeprefix(CONSOLE)) for place in pages}
    listed = {page.address for page in PAGES if page.title}
    assert kinds >= listed | {
        "/exceptions/N/", "/alerts/N/", "/reconciliation/N/", "/quality/reviews/N/", "/quality/runs/N/canonical/",
    }  # fmt: skip
    assert f"{CONSOLE}/exceptions/?flow={CUSTOMERS}&overdue=1" in pages, "alerts lead to what they are about"
    for place, page in pages.items():
        assert page.unnamed == [], place
        for tag, given in page.acting:
            assert not given.get("tabindex", "0").startswith("-"), (place, tag, given)
            assert not {name for name in given if name.startswith("on")}, "nothing needs a script or a mouse"
    assert sum(tag == "button" for page in pages.values() for tag, _ in page.acting) > 15
    for dag in dag_names.BESIDE_THE_FLOWS:
        assert pages[f"{CONSOLE}/flows/{dag}/"].text.count("What it works on is under") == 1, dag
