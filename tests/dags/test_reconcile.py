"""The reconciliation's task: what of its form it heeds, and what it hands on."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from accord.flows import flow
from accord.objects import CUSTOMER
from accord.pipeline import flow_run
from accord_airflow.operators import ReconcileOperator
from accord_airflow.runtime import opened
from tests.dags.world import World

CUSTOMERS = "customer__salesforce_to_erp"


def context(**params: Any) -> Any:
    form = {"object": "all", "target": "all", "keys": [], "apply": "auto"} | params
    return {"params": form, "dag_run": SimpleNamespace(triggering_user_name="somebody")}


def task(**how: Any) -> ReconcileOperator:
    return ReconcileOperator(task_id="reconcile", flow=CUSTOMERS, target="tryton", **how)


def test_it_puts_right_what_its_form_asks_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow_run, "gate", lambda *_: {})
    key = world.customer("001")
    with opened({}) as accord:
        flow_run.run_flow(accord, flow(CUSTOMERS))
    native = world.tryton.native(CUSTOMER, key)
    assert native
    world.tryton.edit(CUSTOMER, native, phone="+31 20 555 0100")
    world.salesforce.now += timedelta(days=1)

    looked = task(apply="none").work(context())  # what the task is given counts before the form
    assert looked["outcomes"] == {"found": 1}
    assert task().work(context(object="customer", target="tryton", keys=["001"])) == {
        "reconciliation": 2,
        "looked_at": 1,
        "differences": {"field differs": 1},
        "outcomes": {"corrected": 1},
        "at_risk": {},
    }
    assert world.tryton.held(CUSTOMER, key)[0]["phone"] is None
    assert world.hub("SELECT who, mode, keys FROM reconciliation ORDER BY id") == [
        {"who": "somebody", "mode": "none", "keys": None},
        {"who": "somebody", "mode": "auto", "keys": 1},
    ]


@pytest.mark.parametrize("asked", [{"object": "invoice"}, {"target": "legacy"}])
def test_a_task_that_was_not_asked_is_skipped(asked: dict[str, str]) -> None:
    with pytest.raises(AirflowSkipException):
        task().work(context(**asked))


@pytest.mark.parametrize(
    ("asked", "why"), [({"keys": ["001"]}, "Keys are those of one object"), ({"apply": "some"}, "no way to apply")]
)
def test_a_form_that_makes_no_sense(asked: dict[str, Any], why: str) -> None:
    with pytest.raises(AirflowFailException, match=why):
        task().work(context(**asked))


def test_a_target_the_flow_does_not_have() -> None:
    with pytest.raises(ValueError, match=f"{CUSTOMERS} has no target moon"):
        ReconcileOperator(task_id="reconcile", flow=CUSTOMERS, target="moon")
