"""tap-salesforce, Singer's own: discovery, a full and an incremental extraction, by REST."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.outside.tool import Tool, install, login
from tests.salesforce_org import Org


@pytest.fixture
def tap(org: Org, tmp_path: Path) -> Tool:
    config = login(org) | {
        "start_date": "2020-01-01T00:00:00Z",
        "api_type": "REST",
        "select_fields_by_default": "true",
    }
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return Tool(python=install("tap-salesforce"), folder=tmp_path, org=org)


def _read(tap: Tool, *more: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    messages = [json.loads(line) for line in tap.run("tap-salesforce", *_ARGUMENTS, *more).splitlines()]
    states = [message["value"] for message in messages if message["type"] == "STATE"]
    return [message["record"] for message in messages if message["type"] == "RECORD"], states[-1]


_ARGUMENTS = ("--config", "config.json", "--properties", "chosen.json")


def test_it_discovers_and_extracts(tap: Tool, org: Org) -> None:
    admin = org.session(admin=True)
    org.clock(-3600)
    first, second = (admin.create("Account", Name=name, BillingCountryCode="NL") for name in ("A", "B"))
    org.clock(0)
    assert admin.delete(f"/sobjects/Account/{second}").status_code == 204

    catalog = json.loads(tap.run("tap-salesforce", "--config", "config.json", "--discover"))
    described = {item["name"] for item in admin.get("/sobjects").json()["sobjects"]}
    assert {stream["stream"] for stream in catalog["streams"]} == described
    for stream in catalog["streams"]:
        [about] = [item["metadata"] for item in stream["metadata"] if not item["breadcrumb"]]
        about["selected"] = stream["stream"] == "Account"
        about["replication-method"] = "INCREMENTAL"
        about["replication-key"] = "SystemModstamp"
    (tap.folder / "chosen.json").write_text(json.dumps(catalog), encoding="utf-8")

    records, state = _read(tap)
    assert {record["Id"]: record["IsDeleted"] for record in records} == {first: False, second: True}
    assert records[0]["BillingAddress"]["country"] == "Netherlands"
    (tap.folder / "state.json").write_text(json.dumps(state), encoding="utf-8")
    again, _ = _read(tap, "--state", "state.json")
    assert [record["Id"] for record in again] == [second]  # from its bookmark on, inclusive
