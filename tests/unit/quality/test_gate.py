"""Verdicts, completeness and merging over chunks."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from accord.categories import Category
from accord.objects import CUSTOMER
from accord.quality.gate import FAILURES, Judgement, Verdict
from accord.quality.rule import IN_SET, Rule, Severity, Suite, Threshold
from tests.unit.quality.rows import (
    LATER,
    customer,
    failing,
    judge,
    judge_customers,
    lenient,
    problems,
    suite,
    table,
)


def rule(name: str, **changed: object) -> Rule:
    """A rule that every name be short, changed as told."""
    base = Rule(
        name=name,
        title="names are short",
        finding="the name is long",
        consequence="none",
        category=Category.TOO_LONG,
        needs=("name",),
        expectation="expect_column_value_lengths_to_be_between",
        arguments={"column": "name", "max_value": 5},
    )
    if "holds" in changed:
        base = replace(base, expectation=IN_SET)
    return replace(base, **changed)  # type: ignore[arg-type]  # any field of Rule


def only(*rules: Rule, total: float = 1.0) -> Suite:
    return Suite(object=CUSTOMER, stage="canonical", rules=rules, total=Threshold(share=total))


def named(*names: str | None, first: int = 0) -> pa.Table:
    return table(CUSTOMER, [customer(first + place, name=name) for place, name in enumerate(names)])


def explode(rows: pa.Table) -> pa.Array:
    raise RuntimeError(f"secret {rows['name'][0]}")


def result(judgement: Judgement, name: str) -> tuple[int, int, bool]:
    one = next(one for one in judgement.results if one.rule == name)
    return one.checked, one.failed, one.errored


def test_nothing_to_judge_passes() -> None:
    for judgement in (judge(suite(CUSTOMER)), judge(suite(CUSTOMER), table(CUSTOMER, []))):
        assert (judgement.verdict, judgement.records, len(judgement.failures)) == (Verdict.PASS, 0, 0)
        assert judgement.failures.schema == FAILURES


def test_chunks_merge_into_one_complete_result() -> None:
    chunks = [named(*("too long" if n % 3 == 0 else "ok" for n in range(1000)), first=1000 * c) for c in range(3)]
    judgement = judge(only(rule("short")), *chunks)
    expected = {f"salesforce:{1000 * c + n}" for c in range(3) for n in range(0, 1000, 3)}
    assert {key for key, _ in failing(judgement)} == expected
    assert result(judgement, "short") == (3000, len(expected), False)
    assert judgement.quarantined == len(expected)


def test_a_record_with_several_failing_parts_fails_a_rule_once() -> None:
    parts = [{"id": f"salesforce:c{n}", "last_name": None} for n in range(3)]
    judgement = judge(lenient(suite(CUSTOMER)), table(CUSTOMER, [customer(1, contacts=parts), customer(2)]))
    assert failing(judgement) == {("salesforce:1", "contacts.last_name.required")}
    assert result(judgement, "contacts.last_name.required") == (4, 3, False)


def test_a_deleted_record_is_exempt_from_everything_but_its_identity() -> None:
    bare = {"key": "salesforce:7", "gone": True}
    assert failing(judge_customers(bare)) == set()
    assert judge_customers(bare | {"version": None}).failures["rule"].to_pylist() == ["version.required"]


def test_only_the_newest_of_a_key_is_judged() -> None:
    bad, good = customer(1, country=None), customer(1, version=LATER)
    assert failing(judge_customers(bad, good, customer(2))) == set()
    spoiled = customer(1, country=None, version=LATER)
    judgement = judge_customers(customer(1), spoiled, customer(2))
    assert failing(judgement) == {("salesforce:1", "country.required")}
    assert judgement.records == 2


def test_the_same_key_twice_in_one_version_fails() -> None:
    judgement = judge_customers(customer(1), customer(2), customer(1, name="Other"), customer(2, version=LATER))
    assert failing(judgement) == {("salesforce:1", "key.unique")}


def test_a_record_without_an_id_stops_the_batch() -> None:
    for key in (None, "no origin", ":x", "salesforce:"):
        judgement = judge_customers(customer(1), customer(2) | {"key": key})
        assert judgement.verdict is Verdict.STOP
        assert None not in judgement.failures["key"].to_pylist()


def test_too_many_failures_stop_the_batch() -> None:
    strict = only(rule("short", threshold=Threshold(share=0.1, least=20)))
    names = ["ok"] * 18 + ["too long"] * 2
    assert judge(strict, named(*names)).verdict is Verdict.QUARANTINE
    stopped = judge(strict, named(*names), named("too long", first=20))
    assert stopped.verdict is Verdict.STOP
    assert stopped.reasons == ("names are short: 3 of 21: the name is long.",)
    assert judge(strict, named(*["too long"] * 19)).verdict is Verdict.QUARANTINE, "shares of a few rows say nothing"


def test_the_total_counts_records_not_findings() -> None:
    twice = only(rule("a", threshold=Threshold(share=1.0)), rule("b", threshold=Threshold(share=1.0)), total=0.5)
    half = named(*["ok", "too long"] * 30)
    assert judge(twice, half).verdict is Verdict.QUARANTINE
    assert judge(twice, half, named("too long", first=60)).verdict is Verdict.STOP


def test_a_warning_is_counted_and_holds_nothing_back() -> None:
    judgement = judge(
        only(rule("short", severity=Severity.WARNING, threshold=Threshold(share=0, least=0))), named("too long")
    )
    assert (judgement.verdict, len(judgement.failures)) == (Verdict.PASS, 0)
    assert result(judgement, "short") == (1, 1, False)


def test_what_could_not_be_checked_is_not_what_failed() -> None:
    broken = {
        "raises": rule("raises", holds=explode),
        "no column": rule("no column", needs=("nowhere",), arguments={"column": "nowhere", "max_value": 5}),
        "refused": rule("refused", needs=("key",), expectation="expect_column_values_to_be_between",
                        arguments={"column": "key", "max_value": 3}),
    }  # fmt: skip
    broken["mistaken"] = rule("mistaken", arguments={"column": "name", "maximum": 5})
    for name, one in broken.items():
        judgement = judge(only(one, rule("short")), named("too long", "ok"))
        assert judgement.verdict is Verdict.UNCHECKED, name
        assert result(judgement, name) == (0, 0, True)
        assert failing(judgement) == {("salesforce:0", "short")}, "the other rules are applied all the same"
        assert "secret" not in repr(judgement)
        assert "Traceback" not in repr(judgement)
    stopping = rule("short", threshold=Threshold(share=0, least=0))
    assert judge(only(broken["raises"], stopping), named("too long")).verdict is Verdict.STOP


def test_a_rule_is_an_expectation_or_a_function() -> None:
    with pytest.raises(ValueError, match="keep one"):
        replace(rule("both"), holds=explode)


def test_an_error_in_one_chunk_only_still_counts() -> None:
    def sometimes(rows: pa.Table) -> pa.Array:
        return explode(rows) if len(rows) == 1 else pc.is_valid(rows["name"])

    judgement = judge(only(rule("sometimes", holds=sometimes)), named("a", "b"), named("c", first=2))
    assert judgement.verdict is Verdict.UNCHECKED
    assert result(judgement, "sometimes") == (2, 0, True)


def test_a_value_that_could_not_be_converted_is_reported_as_that_alone() -> None:
    rows = [customer(1, country=None, currency=None), customer(2, country=None), customer(3)]
    reasons = problems(["country: not a known code", "currency: not a known code"], None, [])
    judgement = judge(suite(CUSTOMER), table(CUSTOMER, rows, problems=reasons))
    assert failing(judgement) == {("salesforce:1", "conversion"), ("salesforce:2", "country.required")}
    said = dict(zip(judgement.failures["rule"].to_pylist(), judgement.failures["message"].to_pylist(), strict=True))
    assert said["conversion"] == "country: not a known code; currency: not a known code"
    assert result(judgement, "country.required") == (3, 1, False)


def test_a_sudden_drop_against_history_stops_the_batch() -> None:
    rows = table(CUSTOMER, [customer(n) for n in range(30)])
    usual = [60, 2, 900, 60, 61]
    assert judge(suite(CUSTOMER), rows, history=usual).verdict is Verdict.PASS
    dropped = judge(suite(CUSTOMER), rows.slice(1), history=usual)
    assert dropped.verdict is Verdict.STOP
    assert dropped.reasons == (
        "about as many records as usual: far fewer records than in earlier runs, which had 60 in the middle (29 rows).",
    )
    assert result(dropped, "count") == (29, 1, False)
    assert judge(suite(CUSTOMER), history=usual).verdict is Verdict.STOP, "nothing at all is a drop too"


@pytest.mark.parametrize(
    "history", [[], [900] * 4, [49] * 5, [49] * 20 + [900] * 30], ids=["none", "too short", "quiet", "of long ago"]
)
def test_what_is_no_drop(history: list[int]) -> None:
    assert judge(suite(CUSTOMER), table(CUSTOMER, [customer(1)]), history=history).verdict is Verdict.PASS


@pytest.mark.parametrize("spoil", ["drop", "retype"])
def test_a_missing_or_retyped_column_stops_the_batch_and_is_named(spoil: str) -> None:
    good = table(CUSTOMER, [customer(1)])
    place = good.column_names.index("country")
    bad = good.remove_column(place) if spoil == "drop" else good.set_column(place, "country", pa.array([31]))
    judgement = judge(suite(CUSTOMER), good, bad)
    assert judgement.verdict is Verdict.STOP
    assert "country: text" in judgement.reasons[0]
    assert not any(one.errored for one in judgement.results)


def test_failing_values_appear_nowhere() -> None:
    hidden = "Sensitive Person-Name"
    judgement = judge_customers(
        customer(1, phone=hidden * 3, contacts=[{"id": "salesforce:c", "last_name": hidden * 9}])
    )
    assert judgement.quarantined == 1
    assert hidden not in repr(judgement.results) + repr(judgement.failures.to_pylist()) + repr(judgement.reasons)
