"""The contract of an object: valid JSON Schema, and every kind of change of it judged."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from accord.objects import CUSTOMER, OBJECTS
from accord.objects.schema_contract import breaking_changes, contract

Schema = dict[str, Any]


@pytest.mark.parametrize("name", OBJECTS)
def test_a_contract_is_a_json_schema(name: str) -> None:
    schema = contract(OBJECTS[name])
    Draft202012Validator.check_schema(schema)
    assert breaking_changes(schema, schema) == []


def test_it_accepts_a_record_and_refuses_a_wrong_one() -> None:
    record = {
        "key": "salesforce:001", "version": "2026-01-01T00:00:00Z", "gone": False, "name": "A", "country": "NL",
        "currency": "EUR", "legal_entities": ["NL01"], "contacts": [{"id": "salesforce:003", "last_name": "B"}],
    }  # fmt: skip
    validator = Draft202012Validator(contract(CUSTOMER))
    assert list(validator.iter_errors(record)) == []
    wrong: dict[str, Any]
    for wrong in ({"country": "Atlantis"}, {"name": None}, {"unheard_of": 1}, {"key": "001"}, {"contacts": [{}]}):
        assert list(validator.iter_errors(record | wrong)), wrong


def _removed(schema: Schema) -> None:
    del schema["properties"]["phone"]


def _shorter(schema: Schema) -> None:
    schema["properties"]["phone"]["maxLength"] = 3


def _longer(schema: Schema) -> None:
    schema["properties"]["phone"]["maxLength"] = 400


def _added(schema: Schema) -> None:
    schema["properties"]["fax"] = {"type": ["string", "null"]}


def _required(schema: Schema) -> None:
    schema["required"].append("phone")


def _optional(schema: Schema) -> None:
    schema["required"].remove("name")


def _new_value(schema: Schema) -> None:
    schema["properties"]["currency"]["enum"].append("XXX")


def _retyped(schema: Schema) -> None:
    schema["properties"]["phone"]["type"] = "integer"


def _other_owner(schema: Schema) -> None:
    schema["properties"]["phone"]["x-owner"] = "erp"


def _part_removed(schema: Schema) -> None:
    del schema["properties"]["contacts"]["items"]["properties"]["email"]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (_added, []),
        (_longer, []),
        (_removed, ["customer.phone was removed"]),
        (_shorter, ["customer.phone became shorter"]),
        (_required, ["customer.phone changed whether it is required"]),
        (_optional, ["customer.name changed whether it is required"]),
        (_new_value, ["customer.currency changed its enum"]),
        (_retyped, ["customer.phone changed its type"]),
        (_other_owner, ["customer.phone changed its owner"]),
        (_part_removed, ["customer.contacts.email was removed"]),
    ],
)
def test_changes(change: Callable[[Schema], None], found: list[str]) -> None:
    old = contract(CUSTOMER)
    new = copy.deepcopy(old)
    change(new)
    assert breaking_changes(old, new) == found
