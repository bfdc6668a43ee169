"""The replay DAG: its form chooses, its task replays, and what it hands on names no record."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from accord.categories import Category
from tests.dags.conftest import ROOT, dags_of
from tests.dags.console import Browsers
from tests.dags.test_running import Ran
from tests.dags.world import World

if TYPE_CHECKING:
    from airflow.sdk import DAG

pytestmark = pytest.mark.usefixtures("metadata")
FLOW = "customer__salesforce_to_erp"
OPEN = "SELECT id, key, state FROM exception WHERE state <> 'closed' ORDER BY id"


def replayed(**asked: Any) -> Ran:
    """A run of the DAG with this form, parsed afresh as Airflow does: a run in this process leaves its form in the DAG."""
    return Ran(dags_of(ROOT / "dags" / "replay.py")["replay"], run_conf=asked)


@pytest.fixture
def refused(world: World) -> tuple[str, str]:
    """Two customers Tryton refused and would take now."""
    keys = world.customer("1"), world.customer("2")
    world.tryton.rejects = dict.fromkeys(keys, Category.REFUSED)
    Ran(dags_of(ROOT / "dags" / "customer.py")[FLOW])
    world.tryton.rejects = {}
    return keys


def test_its_form_says_what_may_be_chosen(dags: dict[str, DAG]) -> None:
    dag = dags["replay"]
    for heading in ("**Who owns it**", "**What it does.**", "**When it fails**", "**By hand.**"):
        assert heading in (dag.doc_md or "")
    dag.params.validate()
    for name in dag.params:
        assert dag.params.get_param(name).schema["title"]
    taken = {"dry_run" if name == "dry" else name for name in dag.task_dict["replay"].template_fields}
    assert set(dag.params) == taken - {"connections"}


def test_it_replays_what_the_form_names_and_nothing_else(world: World, refused: tuple[str, str]) -> None:
    first, second = world.hub(OPEN)
    tried = replayed(owner_queue="master data", dry_run=True)
    assert tried.state == "success"
    assert world.hub(OPEN) == [first, second]
    ran = replayed(ids=[str(first["id"])])
    assert ran.handed_on("replay") == {
        "dry_run": False,
        "flows": {FLOW: {"taken": 1, "settled": 1, "waiting": 0}},
        "left": {},
    }
    assert [write.key for write in world.tryton.writes] == [first["key"]]
    assert world.hub(OPEN) == [second]


def test_an_exception_and_the_run_that_replayed_it_link_to_each_other(
    world: World, refused: tuple[str, str], browser: Browsers
) -> None:
    first, second = world.hub(OPEN)
    ran = replayed(ids=[str(first["id"])])
    somebody, run = browser("viewer"), quote(ran.run_id, safe="")
    exception = somebody.get(f"exceptions/{first['id']}/").text
    assert f'<a href="/dags/replay/runs/{run}" data-airflow>' in exception, "in its history"
    (hub_run,) = world.hub("SELECT id, engine_run, started_in FROM run WHERE kind = 'replay'")
    assert hub_run["started_in"] == f"replay/{ran.run_id}"

    tab = somebody.get(f"flows/replay/runs/{run}").text
    assert f'href="/accord/exceptions/{first["id"]}/"' in tab
    assert f'href="/accord/exceptions/{second["id"]}/"' not in tab
    (page,) = re.findall(rf'href="/accord/(flows/{FLOW}/runs/replay__[^"]+)">{hub_run["id"]}, replay<', tab)
    started = somebody.get(page).text
    assert "1 extracted" in started
    assert f'started in <a href="/dags/replay/runs/{run}" data-airflow>' in started.replace("\n", "")
    assert f'href="/accord/{page}"' in somebody.get(f"flows/{FLOW}/").text
    assert f'<a href="/dags/replay/runs/{run}" data-airflow>replay</a>' in somebody.get("").text, (
        "the last run of the overview"
    )


def test_without_a_choice_nothing_is_replayed(world: World, refused: tuple[str, str]) -> None:
    assert replayed().state == "failed"
    assert replayed(object="customer", most=1).state == "failed"
    assert len(world.hub(OPEN)) == 2


def test_a_flow_that_fails_fails_the_run_and_gives_everything_back(world: World, refused: tuple[str, str]) -> None:
    world.salesforce.bad_login = True
    ran = replayed(object="customer")
    assert ran.state == "failed"
    assert {row["state"] for row in world.hub(OPEN)} == {"open"}
