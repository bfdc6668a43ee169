"""`accord`: its arguments and what it prints."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from accord import migration
from accord.cli import _parser, main
from accord.commands.flows import summary_lines
from accord.migration import Matched, Migration

FLOW = "customer__salesforce_to_erp"


def test_run_takes_a_window_keys_and_switches() -> None:
    asked = _parser().parse_args(
        [
            "run",
            FLOW,
            "--since",
            "2026-01-01",
            "--until",
            "2026-01-02T03:00+01:00",
            "--key",
            "a",
            "--key",
            "b",
            "--dry-run",
        ]
    )
    assert asked.since == datetime(2026, 1, 1, tzinfo=UTC)
    assert asked.until == datetime(2026, 1, 2, 2, tzinfo=UTC)
    assert (asked.keys, asked.dry_run, asked.full_refresh) == (["a", "b"], True, False)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["run"],
        ["run", "nothing"],
        ["run", FLOW, "--since", "yesterday"],
        ["hub"],
        ["reconcile", "nothing"],
        ["reconcile", "customer", "--apply", "--dry-run"],
        ["migrate"],
        ["nothing"],
        ["run", FLOW, "--scheduled", "--key", "1"],
        ["run", FLOW, "--scheduled", "--since", "2026-01-01"],
    ],
)
def test_wrong_arguments(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: accord" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--json", "status"], ["status", "--json"]])
def test_json_may_stand_anywhere(arguments: list[str]) -> None:
    assert _parser().parse_args(arguments).json


def test_no_connection_is_said_with_its_cure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_ACCORD_HUB", raising=False)
    assert main(["status"]) == 1
    assert "Set AIRFLOW_CONN_ACCORD_HUB" in capsys.readouterr().err


def test_a_summary() -> None:
    part = {"counts": {"applied": 1200, "parked": 1}, "amounts": {"applied": {"USD": "2.00", "EUR": "1.00"}}}
    summary = {
        "flow": "f", "run": 7, "dry_run": False, "extracted": 1200, "released": 1, "amounts": {"EUR": "1.00"},
        "targets": {"tryton": part, "legacy": {"counts": {}, "amounts": {}}},
    }  # fmt: skip
    assert summary_lines(summary) == [
        "f (run 7): 1,200 extracted, 1 released (1.00 EUR)",
        "  → tryton: 1,200 applied (1.00 EUR, 2.00 USD), 1 parked",
        "  → legacy: nothing",
    ]
    dry = summary | {"dry_run": True, "released": 0, "targets": {"tryton": {"counts": {"changed": 3}, "amounts": {}}}}
    assert summary_lines(dry) == ["f (run 7, dry): 1,200 extracted (1.00 EUR)", "  → tryton: 3 changed"]


def test_a_migration_is_reported(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    done = Migration(
        entity="GB01", system="legacy", former=("tryton",), dry_run=True,
        matched=[Matched(object="product", former="tryton", fields=("code",), matched=1200, missing=("tryton:7",))],
        left=[{"system": "tryton", "state": "Paid", "orders": 3}],
        waiting=[{"object": "order", "target": "legacy", "category": "still in another ERP", "records": 2}],
    )  # fmt: skip
    monkeypatch.setattr(
        migration, "migrate", lambda accord, code, *, dry_run: done if (code, dry_run) == ("GB01", True) else None
    )
    assert main(["migrate", "GB01", "--dry-run"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "GB01: from tryton to legacy, dry",
        "  product: 1,200 of tryton are known in legacy by code",
        "    1 are not, as tryton:7: orders of them will wait",
        "  tryton still has 3: Paid",
        "       2 wait: order, still in another ERP (legacy)",
    ]
