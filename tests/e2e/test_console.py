"""The operations console in a browser: from the queue to an exception's resolution, and every page looked at."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
import requests
from playwright.sync_api import Page, expect

from accord.service_levels.settings import CONSOLE
from accord_airflow.console.navigation import PAGES
from sandbox.stack import services
from sandbox.stack.connections import METRICS_TOKEN
from tests.e2e.accessible import faults, keyboard_faults
from tests.e2e.browsing import keep
from tests.e2e.story import CUSTOMERS, Stage

pytestmark = pytest.mark.browser
REPLAY = "replay"


def refused(stage: Stage) -> int:
    """The number of an exception: the legacy ERP has no room for the name. Not the marked one, whose status others look at."""
    marked = next(stage.organization().query("SELECT Id FROM Account WHERE AccountNumber = 'MI-MARK-4'"))["Id"]
    rows = stage.ask(
        services.HUB,
        """SELECT id FROM exception WHERE state = 'open' AND category = 'value too long' AND target = 'legacy' AND key <> %s
           ORDER BY id""",
        [f"salesforce:{marked}"],
    )
    return int(rows[0]["id"])


def test_from_the_queue_to_the_resolution(stage: Stage, there: str, page: Page) -> None:
    number = refused(stage)
    stage.api.unpause(REPLAY)
    page.goto(f"{stage.web.url}/plugin/accord-exceptions")
    console = page.frame_locator("iframe")
    expect(console.get_by_role("button", name="Replay")).to_be_visible()
    expect(page.get_by_role("link", name="Dags").first).to_be_visible()
    keep(stage, page, "exceptions")
    console.get_by_label("Category").select_option("value too long")
    console.get_by_role("button", name="Filter").click()
    console.get_by_role("link", name=str(number), exact=True).click()
    expect(console.get_by_role("heading", name=f"Exception {number}")).to_be_visible()
    expect(console.get_by_text("legacy answered:")).to_be_visible()
    expect(console.get_by_role("region", name="Fields that were sent")).to_contain_text("(personal)")
    keep(stage, page, "exception", height=1700)

    edit = console.get_by_role("group", name="Edit what is sent, until the source changes")
    edit.get_by_label("Field").fill("name")
    edit.get_by_label("Value").fill(f"Short Name {number}")
    edit.get_by_label("Why (kept)").fill("the ERP has no room for more")
    edit.get_by_role("button", name="Edit").click()
    expect(console.get_by_role("status")).to_contain_text("1 field(s) are edited now")

    settle = console.get_by_role("group", name="Settle it")
    settle.get_by_label("Why (kept)").fill("mended")
    settle.get_by_role("button", name="Replay").click()
    told = console.get_by_role("status")
    expect(told).to_contain_text("A replay of 1 was started.")
    expect(told).not_to_contain_text("paused")
    run = told.get_by_role("link").inner_text().removeprefix(f"{REPLAY}/").strip()
    told.get_by_role("link").click()
    page.wait_for_url(re.compile(rf"/dags/{REPLAY}/runs/"))  # the page itself, not what the frame shows
    assert stage.api.wait(REPLAY, run, timeout=120) == "success"

    page.goto(f"{stage.web.url}{CONSOLE}/exceptions/{number}/")
    expect(page.get_by_text("Settled")).to_be_visible()
    assert stage.ask(
        services.LEGACY, "SELECT count(*)::int AS n FROM erp.customer WHERE name = %s", [f"Short Name {number}"]
    ) == [{"n": 1}]
    done = stage.ask(
        services.HUB, "SELECT what, who FROM audit WHERE subject = %s ORDER BY at", [f"exception:{number}"]
    )
    assert [(row["what"], row["who"]) for row in done] == [("record edited", "admin"), ("exception replayed", "admin")]

    # its history leads to the run in Airflow, and that run's tab back
    page.locator(f"a[href*='/dags/{REPLAY}/runs/']").first.click()
    page.wait_for_url(re.compile(rf"/dags/{REPLAY}/runs/"))
    page.goto(f"{page.url.split('?')[0].rstrip('/')}/plugin/accord-run")
    tab = page.frame_locator("iframe")
    expect(tab.get_by_role("heading", name="Exceptions it replayed")).to_be_visible()
    expect(tab.get_by_role("link", name=str(number), exact=True)).to_be_visible()


def test_the_tab_on_a_run_is_dark_where_airflow_is(stage: Stage, there: str, page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto(f"{stage.web.url}/dags/{CUSTOMERS}/runs/{quote(there, safe='')}/plugin/accord-run")
    page.evaluate("localStorage.setItem('theme', 'dark')")
    page.reload()
    tab = page.frame_locator("iframe")
    expect(tab.get_by_role("heading", name="Every record accounted for")).to_be_visible()
    expect(tab.locator("html")).to_have_attribute("data-theme", "dark")
    keep(stage, page, "run", height=1200)
    page.evaluate("localStorage.setItem('theme', 'light')")
    page.emulate_media(color_scheme="light")


def addresses(stage: Stage, run: str) -> list[str]:
    """Every kind of page there is, below the console's own address, with something to show."""
    (sent,) = stage.ask(services.HUB, "SELECT min(key) AS key FROM delivery")
    (gate,) = stage.ask(services.HUB, "SELECT run, gate FROM gate_verdict ORDER BY quarantined DESC, run LIMIT 1")
    (review,) = stage.ask(services.HUB, "SELECT min(id) AS id FROM review")
    return [
        *(one.address.removeprefix("/") for one in PAGES if one.title),
        f"exceptions/{refused(stage)}/",
        f"flows/{CUSTOMERS}/",
        f"flows/{CUSTOMERS}/runs/{run.replace('+', '%2B')}",
        f"trace/?of={sent['key']}",
        f"quality/runs/{gate['run']}/{gate['gate']}/",
        f"quality/reviews/{review['id']}/",
    ]


def test_the_keyboard_reaches_everything_on_every_page(stage: Stage, there: str, page: Page) -> None:
    for address in addresses(stage, there):
        page.goto(f"{stage.web.url}{CONSOLE}/{address}")
        assert keyboard_faults(page) == [], address
        assert page.locator("[data-reached]").count() > 8, address


def test_the_figures_are_scraped_by_the_token_of_the_home(stage: Stage) -> None:
    token = (stage.home / METRICS_TOKEN).read_text()
    answer = requests.get(f"{stage.web.url}{CONSOLE}/metrics", headers={"Authorization": f"Bearer {token}"}, timeout=30)
    assert answer.status_code == 200
    assert "accord_hub_up 1.0" in answer.text


def test_every_page_is_whole(stage: Stage, there: str, page: Page) -> None:
    """Styled, nothing cut off at either width, no dead link, nothing that a screen reader or weak eyes miss; its pictures are kept,
    light and dark."""
    seen: dict[str, str] = {}
    for number, address in enumerate(addresses(stage, there)):
        for width, scheme in ((1440, "light"), (420, "dark")):
            page.set_viewport_size({"width": width, "height": 1000})
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.goto(f"{stage.web.url}{CONSOLE}/{address}")
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
            assert ground == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(12, 13, 16)"), (
                "styled, and of the scheme"
            )
            assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), (
                address,
                width,
            )
            assert faults(page) == [], (address, scheme)
            keep(stage, page, f"console {number} {scheme}")
        links: list[str] = page.eval_on_selector_all("a[href]", "found => found.map(one => one.href.split('#')[0])")
        seen |= {re.sub(r"\d+|=[^&]*", "…", link): link for link in links if f"{CONSOLE}/" in link}  # one of each kind
    page.set_viewport_size({"width": 1440, "height": 1000})
    page.emulate_media(color_scheme="light")
    dead = [link for link in seen.values() if page.request.get(link, max_redirects=0).status != 200]
    assert dead == []
