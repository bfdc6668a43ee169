"""What is derived from a definition and from a source."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from accord.objects import CUSTOMER, CUSTOMER_STATUS, OBJECTS
from accord.objects.definition import Field, Owner, Text, Whole
from accord.quality.gate import ChunkView, Gate, Judgement, Verdict
from accord.quality.rule import SOURCE, Severity
from accord.quality.structure import kind
from accord.quality.suites import suite_for
from tests.fakes.source import FakeSource
from tests.unit.quality.rows import failing, judge, suite, table

REQUIRED = {"Account": {"Id": pa.string(), "Stamp": pa.timestamp("us", "UTC")}, "Contact": {"Id": pa.string()}}


class Requiring(FakeSource):
    """A source that says what it requires."""

    def required_columns(self, definition: object) -> dict[str, dict[str, pa.DataType]]:
        return REQUIRED


def staged(**parts: list[dict[str, object]]) -> Judgement:
    gate = Gate(suite_for(CUSTOMER, SOURCE, Requiring()))
    stamp = pa.timestamp("ms", "UTC")
    schemas = {
        "Account": pa.schema(
            [("_root", pa.string()), ("Id", pa.large_string()), ("Stamp", stamp), ("Extra", pa.int8())]
        ),
        "Contact": pa.schema([("_root", pa.string()), ("Id", pa.string())]),
    }
    gate.chunk(
        ChunkView(
            number=0, parts={name: pa.Table.from_pylist(rows, schema=schemas[name]) for name, rows in parts.items()}
        )
    )
    return gate.finish()


NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("definition", OBJECTS.values(), ids=str)
def test_every_rule_says_all_a_reviewer_needs(definition: object) -> None:
    for stage in ("source", "canonical"):
        rules = suite_for(definition, stage, FakeSource()).rules  # type: ignore[arg-type]  # values of the registry
        assert rules
        assert not [name for name, count in Counter(rule.name for rule in rules).items() if count > 1]
        for rule in rules:
            assert rule.title, rule.name
            assert rule.finding, rule.name
            assert rule.consequence.endswith("."), rule.name
            assert rule.severity in Severity
            assert rule.queue


def test_an_unknown_stage_is_named() -> None:
    with pytest.raises(ValueError, match="unknown stage 'changes'; known: source, canonical"):
        suite_for(CUSTOMER, "changes", FakeSource())


def test_every_limit_of_a_definition_becomes_a_rule() -> None:
    fields = (
        Field(name="code", type=Text(limit=3, pattern="^[A-Z]+$"), owner=Owner.SALESFORCE, meaning="A code."),
        Field(name="rank", type=Whole(least=1), owner=Owner.SALESFORCE, meaning="A rank."),
    )
    definition = replace(CUSTOMER_STATUS, name="sample", fields=fields)
    rows = [
        {"key": f"salesforce:{n}", "code": code, "rank": rank}
        for n, (code, rank) in enumerate((("ABC", 1), ("ABCD", 1), ("a", 1), ("A", 0), (None, None)))
    ]
    expected = {("salesforce:1", "code.length"), ("salesforce:2", "code.pattern"), ("salesforce:3", "rank.range")}
    assert failing(judge(suite(definition), table(definition, rows))) == expected


def test_a_sound_staged_batch_passes() -> None:
    judgement = staged(
        Account=[{"_root": "1", "Id": "1", "Stamp": NOW}, {"_root": "2", "Id": "2", "Stamp": NOW}],
        Contact=[{"_root": "1"}],
    )
    assert (judgement.verdict, judgement.records) == (Verdict.PASS, 2)
    without = staged(Account=[{"_root": "1", "Id": "1", "Stamp": NOW}])
    assert (without.verdict, without.records) == (Verdict.PASS, 1), "no contact came, and that is no fault"


def test_a_staged_record_needs_its_instant() -> None:
    judgement = staged(
        Account=[{"_root": "1", "Id": "1", "Stamp": None}, {"_root": "2", "Id": "2", "Stamp": NOW}], Contact=[]
    )
    assert failing(judgement) == {("1", "Account.Stamp.required")}


def test_a_staged_row_without_its_root_stops_the_batch() -> None:
    for root in (None, "", "a b"):
        assert (
            staged(Account=[{"_root": "1", "Id": "1", "Stamp": NOW}], Contact=[{"_root": root}]).verdict is Verdict.STOP
        )


def test_kinds_are_blind_to_width_and_unit() -> None:
    assert kind(pa.string()) == kind(pa.large_string()) == kind(pa.dictionary(pa.int8(), pa.string())) == "text"
    assert kind(pa.timestamp("ms")) == kind(pa.timestamp("us", "UTC")) == "instant"
    assert kind(pa.decimal128(18, 2)) == kind(pa.decimal256(40, 2)) == "decimal"
    assert kind(pa.list_(pa.string())) == "list of text"
    assert kind(pa.list_(pa.struct([("a", pa.string())]))) == "parts"
    assert (
        len({kind(t) for t in (pa.string(), pa.bool_(), pa.int64(), pa.float64(), pa.date32(), pa.timestamp("us"))})
        == 6
    )
