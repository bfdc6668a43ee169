"""A person's answer is kept and the record goes on; what waits becomes one run each."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pyarrow.compute as pc
import pytest

from accord.categories import Category
from accord.quality.rule import Rule, Threshold
from accord.quality.rules import customer as rules
from accord_airflow.operators.approval import APPROVE, REFUSE, DecideOperator, PendingApprovalsOperator
from tests.dags.conftest import ROOT, dags_of
from tests.dags.test_running import Ran
from tests.dags.world import World

pytestmark = pytest.mark.usefixtures("metadata")


@pytest.fixture
def waiting(world: World, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A customer that waits for an approval, as `pending` hands it on."""
    rule = Rule(
        name="website.small", title="big ones are approved", finding="a big one", consequence="Somebody has to look.",
        category=Category.REFUSED, needs=("website",), holds=lambda table: pc.not_equal(table["website"], "big.example"),
        threshold=Threshold(share=1.0), approvable=True,
    )  # fmt: skip
    monkeypatch.setattr(rules, "CANONICAL_RULES", (*rules.CANONICAL_RULES, rule))
    world.customer("1", website="big.example")
    Ran(dags_of(ROOT / "dags" / "customer.py")["customer__salesforce_to_erp"])
    (asked,) = PendingApprovalsOperator(task_id="pending").work({})
    assert asked["trigger_run_id"] == f"{asked['conf']['key']}__{asked['conf']['version']}"
    assert asked["conf"]["reasons"] == "- a big one\n"
    return dict(asked["conf"])


def decided(waiting: dict[str, Any], chosen: str, **more: Any) -> dict[str, Any]:
    answer = {
        "chosen_options": [chosen],
        "params_input": {"why": "known"},
        "responded_by_user": {"id": "1", "name": "ann"},
    }
    ask = DecideOperator(task_id="decide", key=waiting["key"], version=waiting["version"], answer=answer | more)
    return ask.work({})


def test_the_answer_is_kept_and_the_record_goes_on(world: World, waiting: dict[str, Any]) -> None:
    assert decided(waiting, APPROVE) == {"key": waiting["key"], "decision": "Approve", "matters": 1}
    assert [write.key for write in world.tryton.writes] == [waiting["key"]]
    assert world.hub("SELECT approved, who, why FROM approval") == [{"approved": True, "who": "ann", "why": "known"}]
    assert decided(waiting, APPROVE)["matters"] == 0, "what is settled is left alone"


def test_without_an_answer_in_time_it_is_refused(world: World, waiting: dict[str, Any]) -> None:
    decided(waiting, REFUSE, responded_by_user=None, params_input={})
    assert not world.tryton.writes
    assert world.hub("SELECT approved, who FROM approval") == [{"approved": False, "who": "nobody in time"}]
    assert [row["kind"] for row in world.hub("SELECT kind FROM exception WHERE state <> 'closed'")] == ["quarantined"]


def test_the_question_waits_two_days_without_a_worker_and_then_is_refused() -> None:
    ask = dags_of(ROOT / "dags" / "approval.py")["approval"].task_dict["ask"]
    assert (ask.response_timeout, ask.defaults, ask.options) == (timedelta(days=2), [REFUSE], [APPROVE, REFUSE])
