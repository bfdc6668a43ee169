"""The oracle itself: evidence made up by hand, each class of harm once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.faults.simulator.oracle import (
    DUPLICATED,
    LOST,
    OUT_OF_ORDER,
    UNACCOUNTED,
    Account,
    Evidence,
    Note,
    judge,
)

KEY = ("customer", "salesforce:1")


def said(phone: str, **more: Any) -> dict[str, Any]:
    return {
        "gone": False,
        "name": "A",
        "country": "NL",
        "legal_entities": ["NL01"],
        "phone": phone,
        "parent": None,
    } | more


def held(phone: str, **more: Any) -> dict[str, Any]:
    return {"gone": False, "name": "A", "country": "NL", "website": None, "phone": phone, "parent": None} | more


def note(phone: str, *, created: bool = False) -> Note:
    return Note(object=KEY[0], key=KEY[1], created=created, fields=held(phone))


GOOD = Evidence(
    said={KEY: [said("1"), said("2"), said("1")]},
    told={"customer": ("tryton",)},
    held={"tryton": {KEY: [held("1")]}},
    noted={"tryton": [note("1", created=True), note("2"), note("1")]},
    accounts=[Account(run="a", target="tryton", accounted=1, gave=frozenset({1}))],
    unsettled=[],
    watermarks=[("customers", [1, 2])],
    written_last=0,
)
HARM: dict[str, tuple[str, Evidence]] = {
    "never arrived": (LOST, replace(GOOD, held={"tryton": {}}, noted={"tryton": []})),
    "an older one stayed": (LOST, replace(GOOD, held={"tryton": {KEY: [held("2")]}})),
    "lives on": (LOST, replace(GOOD, said={KEY: [said("1"), said("2"), said("1"), said("1", gone=True)]})),
    "below nobody": (
        LOST,
        replace(
            GOOD,
            said={
                KEY: [said("1"), said("2"), said("1", parent="salesforce:2")],
                ("customer", "salesforce:2"): [said("1", legal_entities=["NL01"])],
            },
        ),
    ),
    "there twice": (DUPLICATED, replace(GOOD, held={"tryton": {KEY: [held("1"), held("1")]}})),
    "told twice": (DUPLICATED, replace(GOOD, noted={"tryton": [note("1", created=True), note("1")]})),
    "created twice": (DUPLICATED, replace(GOOD, noted={"tryton": [note("1", created=True), note("2", created=True)]})),
    "written for nothing": (DUPLICATED, replace(GOOD, written_last=1)),
    "older after newer": (
        OUT_OF_ORDER,
        replace(
            GOOD,
            said={KEY: [said("0"), said("2"), said("1")]},
            noted={"tryton": [note("2", created=True), note("0"), note("1")]},
        ),
    ),
    "the watermark went back": (OUT_OF_ORDER, replace(GOOD, watermarks=[("customers", [2, 1])])),
    "never said": (UNACCOUNTED, replace(GOOD, noted={"tryton": [note("3", created=True)]})),
    "nobody made it": (
        UNACCOUNTED,
        replace(GOOD, held={"tryton": {KEY: [held("1")], ("customer", "salesforce:9"): [held("1")]}}),
    ),
    "miscounted": (
        UNACCOUNTED,
        replace(GOOD, accounts=[Account(run="a", target="tryton", accounted=1, gave=frozenset({2}))]),
    ),
    "still claimed": (UNACCOUNTED, replace(GOOD, unsettled=["salesforce:1 is claimed"])),
}


def test_all_is_well() -> None:
    assert judge(GOOD).well, str(judge(GOOD))


@pytest.mark.parametrize("name", HARM)
def test_harm_is_found(name: str) -> None:
    kind, evidence = HARM[name]
    assert judge(evidence).counts[kind] > 0
