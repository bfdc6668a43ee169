"""Operators say at once what is wrong with how they are used, and each error meets the retry it asks for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.sdk import RetryAction

from accord import errors
from accord.errors import AccordError, Stop
from accord.flows import FLOWS
from accord_airflow.connections import connection, renamed
from accord_airflow.operators import (
    AcknowledgeOperator,
    CompareOperator,
    ErpExtractOperator,
    ErpUpsertOperator,
    QualityGateOperator,
    SalesforceExtractOperator,
    SalesforceUpsertOperator,
    SettleOperator,
    TransformOperator,
)
from accord_airflow.retries import RETRY_POLICY

OUT, BACK = "customer__salesforce_to_erp", "customer_account__tryton_to_salesforce"
CHUNK = {
    "run": 1,
    "attempt": 1,
    "flow": OUT,
    "target": "tryton",
    "object": "customer",
    "chunk": 0,
    "chunks": 1,
    "rows": 1,
}


def test_an_unknown_flow_is_named_with_the_known_ones() -> None:
    with pytest.raises(KeyError, match=f"unknown flow 'customers'; known: {OUT}"):
        SalesforceExtractOperator(task_id="extract", flow="customers")


@pytest.mark.parametrize("name", FLOWS)
def test_an_extraction_is_for_its_side(name: str) -> None:
    right, wrong = SalesforceExtractOperator, ErpExtractOperator
    if FLOWS[name].source != "salesforce":
        right, wrong = ErpExtractOperator, SalesforceExtractOperator
    assert right(task_id="extract", flow=name).flow is FLOWS[name]
    with pytest.raises(ValueError, match=f"{name} reads from .*: use {right.__name__}"):
        wrong(task_id="extract", flow=name)


@pytest.mark.parametrize(
    "operator",
    [
        QualityGateOperator(task_id="t", batch={}),
        TransformOperator(task_id="t", batch={}),
        CompareOperator(task_id="t", batch={}, target="tryton"),
        AcknowledgeOperator(task_id="t", batch={}),
    ],
    ids=lambda operator: type(operator).__name__,
)
def test_a_task_that_was_given_no_batch_says_so(operator: Any) -> None:
    with pytest.raises(Stop, match=r"Task t was given no batch\. Give it the \.output of the task before"):
        operator.work({})


@pytest.mark.parametrize(
    ("operator", "target"), [(SalesforceUpsertOperator, "tryton"), (ErpUpsertOperator, "salesforce")]
)
def test_a_load_is_for_its_side(operator: Any, target: str) -> None:
    with pytest.raises(Stop, match=f"{operator.__name__} can't load into {target}"):
        operator(task_id="load", chunk=CHUNK | {"target": target}).work({})


def test_a_load_that_was_given_no_chunk_says_so() -> None:
    with pytest.raises(Stop, match=r"Task load was given no chunk\. Map it over what a CompareOperator hands on"):
        ErpUpsertOperator(task_id="load", chunk=None).work({})  # type: ignore[arg-type]


def decision(error: Exception) -> tuple[RetryAction, timedelta | None]:
    found = RETRY_POLICY.evaluate(error, 1, 3)
    return found.action, found.retry_delay


@pytest.mark.parametrize(
    "kind",
    [e for e in vars(errors).values() if isinstance(e, type) and issubclass(e, AccordError) and e is not AccordError],
    ids=lambda kind: kind.__name__,
)
def test_every_error_has_one_answer(kind: type[AccordError]) -> None:
    told = {"system": "tryton", "why": errors.Shut.OUTAGE, "until": datetime.now(UTC), "now": datetime.now(UTC)}
    action, delay = decision(kind("It went wrong.", **told if kind is errors.SystemShut else {}))
    if issubclass(kind, errors.InDoubt):
        assert (action, delay) == (RetryAction.RETRY, timedelta(minutes=1))
    elif issubclass(kind, errors.Retry):
        assert (action, delay) == (RetryAction.RETRY, None), "the task's own delay and back-off"
    elif issubclass(kind, errors.Hold):
        assert action is RetryAction.DEFAULT
    else:
        assert action is RetryAction.FAIL


def test_an_error_nobody_meant_is_airflow_s_to_retry() -> None:
    assert decision(RuntimeError("a bug"))[0] is RetryAction.DEFAULT


def test_connections_are_airflow_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "AIRFLOW_CONN_SALES_ORG",
        '{"conn_type": "salesforce", "login": "integration@x.example", "password": "pw", "extra": {"domain": "test"}}',
    )
    found = renamed({"accord_salesforce": "sales_org"})("accord_salesforce")
    assert (found.id, found.kind, found.login, found.password) == (
        "sales_org",
        "salesforce",
        "integration@x.example",
        "pw",
    )
    assert found.extra == {"domain": "test"}
    assert "pw" not in repr(found)


def test_a_connection_that_is_not_there_is_named_with_the_cure(metadata: None) -> None:
    with pytest.raises(
        Stop, match=r"There is no connection accord_moon\. Add it under Admin → Connections, or set AIRFLOW_CONN_"
    ):
        connection("accord_moon")


def test_settle_and_acknowledge_run_whatever_came_before() -> None:
    assert SettleOperator(task_id="settle", batch={}).trigger_rule == "all_done"
    assert AcknowledgeOperator(task_id="acknowledge", batch={}).trigger_rule == "all_done"
