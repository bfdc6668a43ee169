"""Everything at once, in a home of its own: the systems, the sample company, Airflow; then the story the tests look at.

The story is told once a session, in three parts that build on one another: `there` (the schedule's own run takes the
customers to the ERPs), `back` (finance's accounts come to Salesforce), `again` (everything once more, and a backfill).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.erp.finance import finance
from sandbox.erp.legacy.install import finance as legacy_finance
from sandbox.stack import airflow
from sandbox.stack.home import default_home
from sandbox.stack.processes import Processes
from tests.e2e.browsing import page as page
from tests.e2e.story import CUSTOMERS, EVERYTHING, TO_SALESFORCE, Stage, raise_curtain
from tests.stack import in_use

CHUNK_ROWS = "50"  # so that the sample company makes several chunks


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    """Everything is up, nothing has run."""
    home = Path(os.environ.get("ACCORD_TEST_HOME") or default_home() / "test").resolve() / "e2e"
    Processes(home).stop_all()  # what a session that was killed left behind
    shutil.rmtree(home, ignore_errors=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACCORD_CHUNK_ROWS", CHUNK_ROWS)
        with in_use(home):
            try:
                yield raise_curtain(home, shared=default_home())
            finally:
                airflow.stop(home)


@pytest.fixture(scope="session")
def there(stage: Stage) -> str:
    """The run by which the scheduler took the customers to the ERPs."""
    for flow in (CUSTOMERS, *TO_SALESFORCE):
        stage.api.unpause(flow)
    run = stage.scheduled(CUSTOMERS)
    stage.count_arrived()
    return run


@pytest.fixture(scope="session")
def back(stage: Stage, there: str) -> dict[str, str]:
    """The runs, by flow, that brought what finance decided to Salesforce."""
    assert finance(stage.running.erp) > 0
    assert legacy_finance(stage.legacy) > 0
    return stage.play(TO_SALESFORCE, EVERYTHING)


@pytest.fixture(scope="session")
def again(stage: Stage, back: dict[str, str]) -> dict[str, str]:
    """Second runs of everything, with nothing new to tell, and beside them a backfill."""
    stage.forget()
    stage.backfill(TO_SALESFORCE[-1])
    runs = stage.play((CUSTOMERS, *TO_SALESFORCE), EVERYTHING)
    stage.wait_for_backfills()
    stage.rewritten = [stage.org_writes(), stage.written("tryton"), stage.written("legacy")]
    return runs


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # the first test that asks for a part of the story waits until it is told: minutes, beside other tests
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(900))
