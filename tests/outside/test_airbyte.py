"""Airbyte's Salesforce source: an incremental extraction by Bulk API 2.0 query jobs."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.outside.tool import Tool, install, login
from tests.salesforce_org import Org


@pytest.fixture
def source(org: Org, tmp_path: Path) -> Tool:
    config = login(org) | {
        "start_date": "2026-01-01T00:00:00Z",
        "stream_slice_step": "P3650D",
        "force_use_bulk_api": True,
        "streams_criteria": [{"criteria": "exacts", "value": "Account"}],
    }
    stream = {
        "name": "Account",
        "json_schema": {},
        "supported_sync_modes": ["full_refresh", "incremental"],
        "source_defined_cursor": True,
        "default_cursor_field": ["SystemModstamp"],
        "source_defined_primary_key": [["Id"]],
    }
    chosen = {
        "stream": stream,
        "sync_mode": "incremental",
        "destination_sync_mode": "append",
        "cursor_field": ["SystemModstamp"],
    }
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (tmp_path / "catalog.json").write_text(json.dumps({"streams": [chosen]}), encoding="utf-8")
    return Tool(python=install("airbyte"), folder=tmp_path, org=org)


def test_it_reads_by_bulk_jobs(source: Tool, org: Org) -> None:
    admin = org.session(admin=True)
    rows = [{"attributes": {"type": "Account"}, "Name": f'"{n}",\nÅ', "AnnualRevenue": n} for n in range(200)]
    assert admin.post("/composite/sobjects", json={"records": rows}).ok
    printed = source.run("source-salesforce", "read", "--config", "config.json", "--catalog", "catalog.json")
    messages: list[dict[str, Any]] = [json.loads(line) for line in printed.splitlines()]
    records = [message["record"]["data"] for message in messages if message["type"] == "RECORD"]
    assert {(record["Name"], record["AnnualRevenue"]) for record in records} == {
        (row["Name"], row["AnnualRevenue"]) for row in rows
    }
    assert {call["path"].split("/")[4] for call in org.calls() if "/jobs/" in call["path"]} == {"jobs"}
    assert any(call["path"].endswith("/results") for call in org.calls())
