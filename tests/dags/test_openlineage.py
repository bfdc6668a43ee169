"""What tasks tell OpenLineage: through the provider's own extractor and adapter, into the file its events are written to."""

from __future__ import annotations

import importlib.util
import json
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from accord_airflow import openlineage
from accord_airflow.operators import (
    ErpUpsertOperator,
    SalesforceExtractOperator,
    SalesforceUpsertOperator,
    extract,
    upsert,
)

CHUNK = {
    "run": 1,
    "object": "customer",
    "target": "tryton",
    "flow": "customer__salesforce_to_erp",
    "chunk": 0,
    "chunks": 1,
}


def told(task: Any, folder: Path) -> dict[str, Any]:
    """The event of the task that has ended well."""
    from airflow.providers.openlineage.extractors.manager import ExtractorManager
    from airflow.providers.openlineage.plugins.adapter import OpenLineageAdapter
    from airflow.utils.state import TaskInstanceState
    from openlineage.client import OpenLineageClient
    from openlineage.client.transport.file import FileConfig, FileTransport

    lineage = ExtractorManager().extract_metadata(
        dagrun=SimpleNamespace(run_id="r"),
        task=task,
        task_instance_state=TaskInstanceState.SUCCESS,
        task_instance=SimpleNamespace(),
    )
    file = folder / f"{task.task_id}.json"
    transport = FileTransport(FileConfig(log_file_path=str(file), append=True))
    OpenLineageAdapter(client=OpenLineageClient(transport=transport)).complete_task(
        run_id=str(uuid.uuid4()), job_name=f"dag.{task.task_id}", end_time=datetime.now(UTC).isoformat(), task=lineage,
        nominal_start_time=None, nominal_end_time=None, owners=None, tags=None, job_description=None,
    )  # fmt: skip
    event: dict[str, Any] = json.loads(file.read_text())
    return event


def test_an_extraction_tells_what_it_reads(tmp_path: Path) -> None:
    task = SalesforceExtractOperator(task_id="extract", flow="customer__salesforce_to_erp")
    (read,) = told(task, tmp_path)["inputs"]
    assert (read["namespace"], read["name"]) == ("accord://salesforce", "customer")
    names = [field["name"] for field in read["facets"]["schema"]["fields"]]
    assert {"Account.Phone", "Contact.Email"} <= set(names)
    assert len(names) == len(set(names))


def test_a_load_tells_from_which_column_each_column_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accord.pipeline.load.load", lambda accord, chunk: {"applied": 3, "rejected": 1})
    task = ErpUpsertOperator(task_id="load", chunk=CHUNK | {"rows": 4})
    task.work({})
    event = told(task, tmp_path)
    assert [(one["namespace"], one["name"]) for one in event["inputs"]] == [("accord://salesforce", "customer")]
    (written,) = event["outputs"]
    assert (written["namespace"], written["name"]) == ("accord://tryton", "customer")
    assert written["outputFacets"]["outputStatistics"]["rowCount"] == 3
    fields = written["facets"]["columnLineage"]["fields"]
    (number,) = fields["party.identifier.code"]["inputFields"]
    assert (number["namespace"], number["name"]) == ("accord://salesforce", "customer")
    assert number["field"] == "Account.Tax_Registration__c"
    assert number["transformations"] == [
        {
            "type": "DIRECT",
            "subtype": "IDENTITY",
            "description": "customer.tax_registration: as it is",
            "masking": False,
        }
    ]
    cities = {one["field"] for one in fields["party.address.city"]["inputFields"]}
    assert cities == {"Account.BillingCity", "Account.ShippingCity"}
    (name,) = fields["party.party.name"]["inputFields"]
    assert name["transformations"][0]["subtype"] == "TRANSFORMATION"
    assert name["transformations"][0]["description"].endswith("when the record is created, and never after")
    assert set(fields) <= {field["name"] for field in written["facets"]["schema"]["fields"]}


def test_only_the_flow_s_own_source_is_told(tmp_path: Path) -> None:
    chunk = CHUNK | {"object": "invoice", "target": "salesforce", "flow": "invoice__legacy_to_salesforce"}
    event = told(SalesforceUpsertOperator(task_id="load", chunk=chunk), tmp_path)
    assert {one["namespace"] for one in event["inputs"]} == {"accord://legacy"}
    (net,) = event["outputs"][0]["facets"]["columnLineage"]["fields"]["ERP_Invoice__c.Net__c"]["inputFields"]
    assert (net["namespace"], net["field"]) == ("accord://legacy", "outbound.invoice.net")


def test_of_somebody_s_own_object_the_dataset_is_told(tmp_path: Path) -> None:
    event = told(ErpUpsertOperator(task_id="load", chunk=CHUNK | {"object": "dragon", "flow": "dragons"}), tmp_path)
    assert [(one["namespace"], one["name"]) for one in event["outputs"]] == [("accord://tryton", "dragon")]


def test_a_task_that_was_given_no_chunk_tells_nothing(tmp_path: Path) -> None:
    assert told(ErpUpsertOperator(task_id="load", chunk=None), tmp_path)["outputs"] == []


@pytest.mark.parametrize("module", [openlineage, extract, upsert], ids=lambda module: module.__name__)
def test_without_the_client_everything_else_works(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    for absent in ("openlineage", "airflow.providers.openlineage", "airflow.providers.openlineage.extractors"):
        monkeypatch.setitem(sys.modules, absent, None)
    assert module.__file__
    spec = importlib.util.spec_from_file_location("once_more", module.__file__)
    assert spec is not None
    assert spec.loader is not None
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
