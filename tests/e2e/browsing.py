"""A browser in which the administrator has logged in, as a person does; and pictures for whoever wants to look."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, ViewportSize, expect, sync_playwright

from tests.e2e.story import Stage

CHROMIUM = Path("/usr/bin/chromium")
_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
WINDOW: ViewportSize = {"width": 1440, "height": 1000}
_PATIENCE = 30_000  # milliseconds until something must be seen


@pytest.fixture(scope="session")
def page(stage: Stage) -> Iterator[Page]:
    """The browser's only page."""
    if not CHROMIUM.exists():
        pytest.fail(f"The browser tests need {CHROMIUM}: apt-get install chromium.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(_QUIET))
        page = browser.new_page(viewport=WINDOW)
        page.set_default_timeout(_PATIENCE)
        expect.set_options(timeout=_PATIENCE)
        page.goto(stage.web.url)
        page.fill("input[name=username]", "admin")
        page.fill("input[name=password]", stage.web.passwords["admin"])
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("link", name="Dags").first).to_be_visible()
        yield page
        browser.close()


def keep(stage: Stage, page: Page, name: str, *, height: int | None = None) -> None:
    """Keep a picture, of a window of another height in pixels if that is given: a frame shows no more than fits."""
    folder = stage.home / "screenshots"
    folder.mkdir(exist_ok=True)
    before = page.viewport_size or WINDOW
    if height:
        page.set_viewport_size({"width": before["width"], "height": height})
    page.screenshot(path=folder / f"{name}.png")
    page.set_viewport_size(before)
