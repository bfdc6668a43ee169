"""What a person sees in Airflow's pages: a login, the DAGs with tags and documentation, a green run, the form of a manual run."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from accord.flows import FLOWS
from tests import dag_names
from tests.e2e.browsing import keep
from tests.e2e.story import CUSTOMERS, Stage

pytestmark = pytest.mark.browser


def test_the_list_of_dags(stage: Stage, again: dict[str, str], page: Page) -> None:
    page.goto(f"{stage.web.url}/dags?tags=accord")
    for name, flow in FLOWS.items():
        expect(page.get_by_role("link", name=name, exact=True).first).to_be_visible()
        expect(page.get_by_text(f"from {flow.source}").first).to_be_visible()
    expect(page.get_by_text(f"{len(dag_names.ALL)} Dags")).to_be_visible()
    keep(stage, page, "dags")


def test_the_documentation(stage: Stage, again: dict[str, str], page: Page) -> None:
    page.goto(f"{stage.web.url}/dags/{CUSTOMERS}")
    page.get_by_role("button", name="Dag Docs").click()
    expect(page.get_by_role("heading", name="This flow")).to_be_visible()
    expect(page.get_by_text("When it fails")).to_be_visible()
    keep(stage, page, "documentation")


def test_a_run_is_green_and_its_loads_have_names(stage: Stage, there: str, page: Page) -> None:
    page.goto(f"{stage.web.url}/dags/{CUSTOMERS}/runs/{quote(there, safe='')}")
    expect(page.get_by_role("heading", name=there)).to_be_visible()
    expect(page.get_by_text("Success").first).to_be_visible()
    expect(page.get_by_text(re.compile(r"^tryton 1/\d+ · \d+ records$"))).to_be_visible()
    expect(page.get_by_text("Failed")).to_have_count(0)
    keep(stage, page, "run")


def test_the_graph(stage: Stage, there: str, page: Page) -> None:
    page.goto(f"{stage.web.url}/dags/{CUSTOMERS}/runs/{quote(there, safe='')}")
    page.get_by_role("button", name="Show Graph").click()
    tasks = {task for task, _ in stage.tasks(CUSTOMERS, there)}
    assert {"extract", "gate_source", "compare_tryton", "load_legacy", "settle"} < tasks
    for task in tasks:
        node = page.locator(".react-flow__node").filter(has=page.get_by_text(re.compile(rf"^{task}( \[\d+\])?$")))
        expect(node.get_by_text("success")).to_be_visible()
    keep(stage, page, "graph")


def test_the_form_of_a_manual_run(stage: Stage, again: dict[str, str], page: Page) -> None:
    page.goto(f"{stage.web.url}/dags/{CUSTOMERS}")
    page.get_by_role("button", name="Trigger").first.click()
    dialog = page.get_by_role("dialog")
    for section, labels in {
        "Window": ("Changed since", "Changed before", "Keys"),
        "How": ("Full refresh", "Dry run"),
    }.items():
        dialog.get_by_role("button", name=section, exact=True).click()
        for label in labels:
            expect(dialog.get_by_role("group").filter(has_text=label).first).to_be_visible()
        keep(stage, page, f"form {section}")
