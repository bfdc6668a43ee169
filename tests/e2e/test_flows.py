"""Customers through the real scheduler, both directions, against both ERPs; and once more, when nothing is left to do."""

from __future__ import annotations

from accord.flows import FLOWS
from accord.pipeline.settle import IN, OUT
from sandbox.company.flaws import DECLARED
from sandbox.company.records import Flaw
from sandbox.stack import services
from tests.e2e.story import CUSTOMERS, MARKED, TO_SALESFORCE, Stage


def balances(stage: Stage, flow: str, run: str) -> dict[str, dict[str, int]]:
    """Per target what became of a run's records, after checking that all are accounted for."""
    row = stage.hub_run(flow, run)
    assert row["state"] == "succeeded"
    came = sum(row["counts"].get(bucket, 0) for bucket in IN)
    told = {}
    for target in FLOWS[flow].targets:
        found = stage.ask(
            services.HUB,
            """SELECT bucket, sum(n)::int AS n FROM (
                 SELECT c.key AS bucket, c.value::int AS n FROM comparison p JOIN stream s ON s.id = p.stream, jsonb_each_text(p.counts) c
                 WHERE p.run = %(run)s AND s.target = %(target)s AND s.object = %(object)s AND c.key <> 'changed'
                 UNION ALL
                 SELECT c.key, c.value::int FROM dispatch d JOIN stream s ON s.id = d.stream, jsonb_each_text(d.counts) c
                 WHERE d.run = %(run)s AND s.target = %(target)s AND s.object = %(object)s) b GROUP BY bucket""",
            {"run": row["id"], "target": target, "object": FLOWS[flow].object},
        )
        told[target] = {entry["bucket"]: entry["n"] for entry in found}
        if twice := row["counts"].get(
            "superseded"
        ):  # read by the window and released too, before any target is looked at
            told[target]["superseded"] = told[target].get("superseded", 0) + twice
        assert told[target].keys() <= set(OUT)
        assert sum(told[target].values()) == came
    return told


def test_customers_reach_both_erps_by_the_schedule(stage: Stage, there: str) -> None:
    told = balances(stage, CUSTOMERS, there)
    parties, customers = stage.arrived
    assert told["tryton"]["applied"] == parties["n"] > 50
    assert told["legacy"]["applied"] == customers["n"] == customers["keys"] > 50
    row = stage.hub_run(CUSTOMERS, there)
    assert row["kind"] == "scheduled"
    assert (
        stage.ask(services.HUB, "SELECT watermark FROM flow WHERE name = %s", [CUSTOMERS])[0]["watermark"]
        >= row["win_to"]
    )


def test_what_is_flawed_waits_with_a_reason(stage: Stage, there: str) -> None:
    waiting = stage.ask(
        services.HUB,
        "SELECT category, count(DISTINCT key)::int AS n, bool_and(message <> '') AS said FROM exception GROUP BY category",
    )
    found = {row["category"]: row["n"] for row in waiting}
    assert all(row["said"] for row in waiting)
    assert found["no legal entity"] == DECLARED[Flaw.NO_ENTITY]
    assert found["missing value"] == DECLARED[Flaw.MISSING_COUNTRY] + 2  # the marked ones without a country
    assert found["possible duplicate"] == DECLARED[Flaw.SAME_REGISTRATION] + DECLARED[Flaw.SAME_NAME] + 1
    assert found["value too long"] == DECLARED[Flaw.TOO_LONG] + 1
    assert found["waits for its parent"] == DECLARED[Flaw.UNDER_FLAWED]
    statuses = stage.organization().query("SELECT AccountNumber, ERP_Sync_Status__c FROM Account")
    shown = {account["AccountNumber"]: account["ERP_Sync_Status__c"] for account in statuses}
    assert [shown[row.number] for row in MARKED] == ["Synced", "Held", "Held", "Rejected", "Held"]


def test_mapped_loads_have_names(stage: Stage, there: str) -> None:
    tasks = stage.tasks(CUSTOMERS, there)
    for target in ("tryton", "legacy"):
        names = [
            task["rendered_map_index"] for (task_id, _), task in sorted(tasks.items()) if task_id == f"load_{target}"
        ]
        assert len(names) > 1
        assert all(name.startswith(f"{target} {n}/{len(names)} · ") for n, name in enumerate(names, start=1)), names


def test_what_finance_decided_comes_back(stage: Stage, back: dict[str, str]) -> None:
    for flow in TO_SALESFORCE:
        assert balances(stage, flow, back[flow])["salesforce"]["applied"] > 50
        row = stage.hub_run(flow, back[flow])
        assert row["amounts"]["came"], "balances are counted in money too"
    rows = list(stage.organization().query("SELECT Account__c, Legal_Entity__c, Balance__c FROM ERP_Account__c"))
    assert len({(row["Account__c"], row["Legal_Entity__c"]) for row in rows}) == len(rows)
    marked = next(stage.organization().query("SELECT ERP_Accounts__c FROM Account WHERE AccountNumber = 'MI-MARK-1'"))
    assert marked["ERP_Accounts__c"] == 2


def test_a_second_time_nothing_is_written(stage: Stage, again: dict[str, str]) -> None:
    assert stage.rewritten == [[], {}, {}]
    for flow, run in again.items():
        for told in balances(stage, flow, run).values():
            assert told.get("applied", 0) == 0
            assert told["unchanged"] > 50
        assert {
            task["state"] for (task_id, _), task in stage.tasks(flow, run).items() if task_id.startswith("load_")
        } == {"skipped"}


def test_a_backfill_leaves_the_watermark(stage: Stage, again: dict[str, str]) -> None:
    flow, _ = stage.backfills[0]
    (run,) = stage.backfilled(flow)
    row = stage.hub_run(flow, run["dag_run_id"])
    assert (row["kind"], row["state"]) == ("backfill", "succeeded")
    (moved,) = stage.ask(services.HUB, "SELECT watermark, moved_by FROM flow WHERE name = %s", [flow])
    (mover,) = stage.ask(services.HUB, "SELECT kind, win_to FROM run WHERE id = %s", [moved["moved_by"]])
    assert mover == {"kind": "scheduled", "win_to": moved["watermark"]}
    assert row["win_to"] < moved["watermark"]
