"""Every route of the console, walked by everybody: nobody gets in without a login, nothing is done without the right to, or from
another site's page; and everything that may be done is in the audit, or the ledger, with who did it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute

from accord_airflow import scraping
from accord_airflow.console.navigation import CONSOLE, PAGES, views
from tests.dags.console import CUSTOMERS, ROLES, RUN, Browsers, Console, runs
from tests.dags.world import World

# where a route's address has a place for something, what is there
PLACES = {
    "path": "none.html",
    "name": "console.css",
    "number": "1",
    "system": "tryton",
    "dag": CUSTOMERS,
    "run": RUN,
    "gate": "canonical",
}
# what a form of each route says; a new one has to be added here
FORMS: dict[str, dict[str, Any]] = {
    "exceptions/1/compare": {"values": "1"},
    "exceptions/1/edit": {"field": "website", "value": "two.example", "why": "known"},
    "exceptions/2/decide": {"answer": "refuse", "why": "it is right"},
    "exceptions/act": {"action": "assigned", "ids": "1", "to": "ann"},
    "trace/": {"of": "salesforce:1"},
    "reconciliation/start": {"pair": f"{CUSTOMERS} tryton"},
    "reconciliation/1/decide": {"answer": "approve", "keys": "salesforce:1"},
    "quality/reviews/1/act": {"action": "acknowledge"},
    "systems/tryton/hold": {"hours": "1", "why": "an import"},
    "systems/tryton/release": {"why": "done"},
    "alerts/1/acknowledge": {"why": "on it"},
    "alerts/1/close": {"why": "over"},
}


def routes(console: Console) -> Iterator[tuple[str, str]]:
    """Method and address of everything the application answers."""
    for route in console.app.routes:
        if getattr(route, "path", "") == scraping.PATH:
            continue  # by a token, not by a login: test_scraping
        assert isinstance(route, APIRoute), "no mount, no generated documentation: those would bypass the login"
        address = route.path.replace(":path", "").format(**PLACES).removeprefix("/")
        if route.path.endswith("{number}/decide") and route.path.startswith("/exceptions"):
            address = address.replace("/1/", "/2/")  # the one that waits for a decision
        yield from ((method, address) for method in route.methods)


def test_every_page_and_every_form_is_walked(console: Console) -> None:
    walked = list(routes(console))
    assert {page.address.removeprefix("/") for page in PAGES if page.title} <= {a for m, a in walked if m == "GET"}
    assert {address for method, address in walked if method != "GET"} == set(FORMS)


def test_nobody_gets_in_without_a_login(console: Console, browser: Browsers) -> None:
    stranger = browser()
    for method, address in routes(console):
        answer = stranger.request(method, address, data=FORMS.get(address))
        assert answer.status_code == 401, (method, address)
        assert "Not authenticated" in answer.text


def test_a_forged_login_is_none(console: Console, browser: Browsers) -> None:
    stranger = browser()
    stranger.headers["authorization"] = "Bearer eyJhbGciOiJub25lIn0.e30."
    for method, address in routes(console):
        assert stranger.request(method, address, data=FORMS.get(address)).status_code == 403, (method, address)


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null", "http://testserver.elsewhere.example", None])
def test_forms_of_other_sites_are_refused(console: Console, browser: Browsers, origin: str | None) -> None:
    lured = browser("admin", origin=origin)
    for address, form in FORMS.items():
        answer = lured.post(address, data=form)
        assert answer.status_code == 403, address
        assert "pages of this Airflow only" in answer.text


def test_everybody_with_a_login_may_look(console: Console, browser: Browsers, filled: World) -> None:
    for role in ROLES:
        somebody = browser(role)
        for method, address in routes(console):
            if method != "GET" or address == "reports/none.html":
                continue
            answer = somebody.get(address)
            assert answer.status_code == 200, (role, address, answer.text)
            assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "555 019" not in answer.text, "personal values are masked"
            assert role != "viewer" or 'method="post"' not in answer.text, f"{address} offers what a viewer may not do"
    viewer, before = browser("viewer"), kept(filled)
    for address, form in FORMS.items():
        answer = viewer.post(address, data=form)
        assert answer.status_code == 403, address
        assert "ou may not start" in answer.text
    assert kept(filled) == before


def kept(world: World) -> list[dict[str, Any]]:
    """Everything that is kept of what people did."""
    return [
        *world.hub("SELECT who, what FROM audit ORDER BY at"),
        *world.hub("SELECT who, rule FROM approval"),
        *world.hub("SELECT who, state FROM alert WHERE who IS NOT NULL"),
        *world.hub("SELECT id, assignee FROM exception WHERE assignee IS NOT NULL OR state = 'closed'"),
    ]


def test_who_may_start_runs_may_act_and_it_is_kept(browser: Browsers, filled: World, parsed: None) -> None:
    user = browser("user")
    for address, form in FORMS.items():
        answer = user.post(address, data=form)
        assert answer.status_code in (200, 303), (address, answer.text)
    assert {row["who"] for row in filled.hub("SELECT who FROM audit WHERE who <> 'accord'")} == {"user"}
    deeds = {row["what"] for row in filled.hub("SELECT what FROM audit")}
    assert deeds >= {
        "values looked at", "record edited", "exception assigned", "system held", "system released", "acknowledge", "close",
    }  # fmt: skip
    assert {row["who"] for row in filled.hub("SELECT who FROM approval")} == {"user"}
    assert {who for _, who, _ in runs("reconciliation")} == {"user"}


def test_who_may_not_see_a_flow_sees_nothing_of_it(
    browser: Browsers, filled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An auth manager with permissions by DAG: this one keeps the customers from everybody."""
    from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager

    usual = SimpleAuthManager.is_authorized_dag

    def but_customers(self: Any, *, details: Any = None, **asked: Any) -> bool:
        return details.id != CUSTOMERS and usual(self, details=details, **asked)

    monkeypatch.setattr(SimpleAuthManager, "is_authorized_dag", but_customers)
    somebody = browser("admin")
    for address in ("", "exceptions/", "reconciliation/", "alerts/", "systems/", "quality/"):
        answer = somebody.get(address)
        assert answer.status_code == 200
        for trace in ("salesforce:1", "customers are late", f"/flows/{CUSTOMERS}/", "/exceptions/1/"):
            assert trace not in answer.text, (address, trace)
    for address in ("exceptions/1/", "trace/?of=salesforce:1", "reconciliation/1/", "alerts/1/", f"flows/{CUSTOMERS}/",
                    "quality/runs/1/canonical/", "quality/reviews/1/"):  # fmt: skip
        assert somebody.get(address).status_code == 403, address
    for address, form in FORMS.items():
        if address != "exceptions/act":
            assert somebody.post(address, data=form).status_code == 403, address
    every = somebody.post("exceptions/act", data={"action": "discarded", "ids": "1", "why": "x"})
    assert every.status_code == 303
    assert filled.hub("SELECT FROM exception WHERE state = 'closed'") == []


def test_the_stylesheet_and_nothing_beside_it_is_served(browser: Browsers) -> None:
    somebody = browser("viewer")
    assert "--ground" in somebody.get("static/console.css").text
    for name in ("app.py", "..%2fapp.py", "none.css"):
        assert somebody.get(f"static/{name}").status_code == 404


def test_without_the_hub_a_page_names_the_cure(
    browser: Browsers, filled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ACCORD_HUB", '{"conn_type": "postgres", "host": "127.0.0.1", "port": 1}')
    answer = browser("viewer").get("exceptions/")
    assert answer.status_code == 503
    assert "Start PostgreSQL" in answer.text


def test_airflows_menu_has_every_page() -> None:
    nav = [view["href"] for view in views() if view["destination"] == "nav"]
    assert nav == [f"{CONSOLE}{page.address}" for page in PAGES if page.title]
    assert len({view["url_route"] for view in views()}) == len(views())
    assert {view["destination"] for view in views()} == {"nav", "dag", "dag_run"}
