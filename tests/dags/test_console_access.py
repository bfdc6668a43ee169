"""Every route of the console, walked by everybody: nobody gets in without a login, nothing is done without the right to, or from
another site's page."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from accord_airflow import scraping
from accord_airflow.console.navigation import PAGES, PREFIX, views
from tests.dags.console import ROLES, Console
from tests.dags.world import World

Browsers = Callable[..., TestClient]
PLACES = {"path": "runs/none/index.html", "name": "console.css"}


def routes(console: Console) -> Iterator[tuple[str, str]]:
    """Method and address of everything the application answers."""
    for route in console.app.routes:
        if getattr(route, "path", "") == scraping.PATH:
            continue  # by a token, not by a login: test_scraping
        assert isinstance(route, APIRoute), "no mount, no generated documentation: those would bypass the login"
        address = route.path.replace(":path", "").format(**PLACES).removeprefix("/")
        yield from ((method, address) for method in route.methods)


def test_every_page_is_walked(console: Console) -> None:
    walked = {address for method, address in routes(console) if method == "GET"}
    assert {page.address.removeprefix("/") for page in PAGES} <= walked


def test_nobody_gets_in_without_a_login(console: Console, browser: Browsers) -> None:
    stranger = browser()
    for method, address in routes(console):
        answer = stranger.request(method, address)
        assert answer.status_code == 401, (method, address)
        assert "Not authenticated" in answer.text


def test_a_forged_login_is_none(console: Console, browser: Browsers) -> None:
    stranger = browser()
    stranger.headers["authorization"] = "Bearer eyJhbGciOiJub25lIn0.e30."
    for method, address in routes(console):
        assert stranger.request(method, address).status_code == 403, (method, address)


@pytest.mark.parametrize("role", ROLES)
def test_everybody_with_a_login_may_look(console: Console, browser: Browsers, world: World, role: str) -> None:
    somebody = browser(role)
    for page in PAGES:
        answer = somebody.get(page.address.removeprefix("/"))
        assert answer.status_code == 200, page
        assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "no-store" in answer.headers["cache-control"]


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null", "http://testserver.elsewhere.example", None])
def test_forms_of_other_sites_are_refused(console: Console, browser: Browsers, origin: str | None) -> None:
    lured = browser("admin", origin=origin)
    for method, address in routes(console):
        if method != "GET":
            answer = lured.request(method, address)
            assert answer.status_code == 403, (method, address)
            assert "pages of this Airflow only" in answer.text


def test_the_stylesheet_and_nothing_beside_it_is_served(browser: Browsers) -> None:
    somebody = browser("viewer")
    assert "--ground" in somebody.get("static/console.css").text
    for name in ("app.py", "..%2fapp.py", "none.css"):
        assert somebody.get(f"static/{name}").status_code == 404


def test_airflows_menu_has_every_page() -> None:
    assert [view["href"] for view in views()] == [f"{PREFIX}{page.address}" for page in PAGES if page.title]
    assert len({view["url_route"] for view in views()}) == len(views())
