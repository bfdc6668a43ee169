"""The contract with the ERP's owners: the document names what the adapter needs, and every answer becomes a result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from accord.objects import CUSTOMER
from accord.systems.erp import all_needs
from accord.systems.interface_tables.adapter import InterfaceTables
from accord.systems.interface_tables.contract import CALL, CODES, COMPANIES
from accord.systems.interface_tables.customer.mapping import KEEPS
from accord.systems.interface_tables.sending import _ANSWERS, _results
from tests.tables import by_key, changes

DOCUMENT = (Path(__file__).resolve().parents[4] / "docs" / "interface-tables.md").read_text(encoding="utf-8")


def test_the_document_names_every_relation_column_and_code() -> None:
    handlers = [*InterfaceTables.TARGETS.values(), *InterfaceTables.SOURCES.values()]
    needs = COMPANIES | all_needs(handlers)
    words = [*(name.removesuffix(CALL) for name in needs), *CODES, *(c for columns in needs.values() for c in columns)]
    assert {"inbound.post_customers", "outbound.customer_account"} < set(words)
    assert [word for word in words if f"`{word}" not in DOCUMENT] == []


def test_what_is_kept_is_what_the_definition_has() -> None:
    names = {f.name for f in CUSTOMER.fields} | {c.name for c in CUSTOMER.constituents}
    assert names - KEEPS == {"legal_entities"}
    assert names >= KEEPS


def answered(*answers: dict[str, Any]) -> dict[str, dict[str, Any]]:
    rows = [{"key": key, "name": key, "native": None} for key in ("k1", "k2")]
    schema = pa.schema([(name, pa.string()) for name in _ANSWERS])
    return by_key(_results(changes(CUSTOMER, rows), pa.Table.from_pylist(list(answers), schema=schema), CODES))


def test_a_row_the_erp_did_not_answer_is_in_doubt() -> None:
    outcomes = answered(
        {"external_ref": "k1", "status": "accepted", "answered_number": "L-1"}, {"external_ref": "k2", "status": "new"}
    )
    assert (outcomes["k1"]["outcome"], outcomes["k1"]["native"]) == ("applied", "L-1")
    assert outcomes["k2"]["outcome"] == "unknown"
    assert answered()["k1"]["outcome"] == "unknown"


def test_a_code_nobody_declared_is_a_refusal() -> None:
    row = answered({"external_ref": "k1", "status": "rejected", "code": "NEW_CODE", "reason": "something"})["k1"]
    assert (row["outcome"], row["category"], row["answer"]) == (
        "reject",
        "refused by the system",
        "NEW_CODE: something",
    )


def test_a_held_row_says_what_it_waits_for() -> None:
    row = answered(
        {
            "external_ref": "k1",
            "status": "rejected",
            "code": "PARENT_UNKNOWN",
            "reason": "r",
            "awaits": "salesforce:p",
        }
    )["k1"]
    assert (row["outcome"], row["awaits"]) == ("hold", "salesforce:p")
    other = answered(
        {"external_ref": "k1", "status": "rejected", "code": "STALE", "reason": "r", "awaits": "salesforce:p"}
    )["k1"]
    assert other["awaits"] is None
