"""What an Airflow run asks of a flow, for every way a run comes about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pendulum
import pytest
from airflow.sdk.api.datamodels._generated import DagRunType

from accord.errors import Stop
from accord.pipeline.runs import RunKind
from accord_airflow.window import Asked, asked, chosen, flag, instant, words

TWO, THREE = datetime(2026, 5, 1, 2, tzinfo=UTC), datetime(2026, 5, 1, 3, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    run_type: DagRunType
    run_id: str = "r1"
    dag_id: str = "customer__salesforce_to_erp"


def context(kind: DagRunType, **interval: datetime) -> Any:
    return {"dag_run": Run(run_type=kind), **interval}


@pytest.mark.parametrize(
    ("run_type", "kind"),
    [
        (DagRunType.SCHEDULED, RunKind.SCHEDULED),
        (DagRunType.BACKFILL, RunKind.BACKFILL),
        (DagRunType.ASSET_TRIGGERED, RunKind.EVENT),
        (DagRunType.MANUAL, RunKind.MANUAL),
        (DagRunType.OPERATOR_TRIGGERED, RunKind.MANUAL),
        (DagRunType.ASSET_MATERIALIZATION, RunKind.MANUAL),
    ],
)
def test_every_way_a_run_starts_has_a_kind(run_type: DagRunType, kind: RunKind) -> None:
    assert RunKind(asked(context(run_type)).kind) is kind


def test_no_way_a_run_starts_was_forgotten() -> None:
    assert all(RunKind(asked(context(run_type)).kind) for run_type in DagRunType)


def test_an_interval_is_plain_utc() -> None:
    found = asked(
        context(
            DagRunType.SCHEDULED, data_interval_start=pendulum.instance(TWO), data_interval_end=pendulum.instance(THREE)
        )
    )
    assert found == Asked(engine_run="customer__salesforce_to_erp/r1", kind="scheduled", interval=(TWO, THREE))
    assert found.interval is not None
    assert [type(moment) for moment in found.interval] == [datetime, datetime]


def test_absent_keys_mean_no_interval() -> None:
    assert asked(context(DagRunType.MANUAL)).interval is None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, None),
        ("", None),
        ("2026-05-01T02:00:00Z", TWO),
        ("2026-05-01T04:00:00+02:00", TWO),
        ("2026-05-01 02:00", TWO),
        (TWO.astimezone(timezone(timedelta(hours=-5))), TWO),
        (TWO.replace(tzinfo=None), TWO),
    ],
)
def test_an_instant_is_utc_however_it_is_written(given: Any, expected: datetime | None) -> None:
    assert instant("since", given) == expected


def test_what_is_no_instant_is_said_with_its_name() -> None:
    with pytest.raises(Stop, match=r"since is not an instant: 'yesterday'\. Write it like 2026"):
        instant("since", "yesterday")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, ()),
        ([], ()),
        ("", ()),
        (["001A", " 001B ", "", "001A"], ("001A", "001B")),
        ("001A\n001B, 001C\n", ("001A", "001B", "001C")),
    ],
)
def test_keys_come_as_a_list_or_as_text(given: Any, expected: tuple[str, ...]) -> None:
    assert words(given) == expected


@pytest.mark.parametrize(
    ("given", "expected"), [(True, True), ("True", True), ("no", False), (None, False), (0, False)]
)
def test_a_flag_is_what_it_says(given: Any, expected: bool) -> None:
    assert flag("dry_run", given) is expected


def test_a_flag_is_not_guessed() -> None:
    with pytest.raises(Stop, match="dry_run is neither true nor false: 'maybe'"):
        flag("dry_run", "maybe")


def test_an_argument_comes_before_the_run_s_param() -> None:
    assert chosen("dry_run", None, {"dry_run": True}) is True
    assert chosen("dry_run", False, {"dry_run": True}) is False
    assert chosen("dry_run", None, {}) is None
