"""The suites are worth something only if they fail: each fault here is one they must notice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from accord.categories import Category
from accord.errors import Recovery
from accord.objects.definition import BusinessObject
from accord.ports import Sending
from accord.systems.results import Outcome, results
from tests.contract.test_fake_target import TestFakeTarget as Suite
from tests.fakes import FakeSending, FakeTarget


class Faulty(FakeTarget):
    """Behaves like the fake except for one thing."""

    def send(self, definition: BusinessObject, changes: pa.Table, sending: Sending) -> pa.Table:
        return super().send(definition, self.spoil(changes), sending)

    def spoil(self, changes: pa.Table) -> pa.Table:
        return changes


class Forgetful(Faulty):
    def send(self, definition: BusinessObject, changes: pa.Table, sending: Sending) -> pa.Table:
        answers = super().send(definition, changes, sending)
        return answers.slice(1)


class Lossy(Faulty):
    def spoil(self, changes: pa.Table) -> pa.Table:
        return changes.set_column(
            changes.column_names.index("website"), "website", pa.nulls(changes.num_rows, pa.string())
        )


class Seeding(Faulty):
    def _writable(self, definition: BusinessObject, *, creating: bool) -> frozenset[str]:
        return super()._writable(definition, creating=True)


class Orphaning(Faulty):
    def _parent_here(self, definition: BusinessObject, parent: str) -> bool:
        return True


class Ignoring(Faulty):
    def spoil(self, changes: pa.Table) -> pa.Table:
        return changes.set_column(changes.column_names.index("gone"), "gone", pa.array([False] * changes.num_rows))


class Collective(Faulty):
    def send(self, definition: BusinessObject, changes: pa.Table, sending: Sending) -> pa.Table:
        if self.rejects:
            reject = Outcome(outcome=Recovery.REJECT, category=Category.REFUSED, message="The batch was refused.")
            return results((key, reject) for key in changes["key"].to_pylist())
        return super().send(definition, changes, sending)


class Talkative(Faulty):
    def send(self, definition: BusinessObject, changes: pa.Table, sending: Sending) -> pa.Table:
        answers = super().send(definition, changes, sending)
        names = pa.array([f"refused: {name}" for name in changes["name"].to_pylist()])
        return answers.set_column(answers.column_names.index("answer"), "answer", names)


class Late(Faulty):
    def send(self, definition: BusinessObject, changes: pa.Table, sending: Sending) -> pa.Table:
        return super().send(definition, changes, FakeSending())


class Blind(Faulty):
    def find_matches(self, definition: BusinessObject, candidates: pa.Table) -> pa.Table:
        return super().find_matches(definition, candidates).slice(0, 0)


CASES: tuple[tuple[Callable[[], FakeTarget], str], ...] = (
    (lambda: FakeTarget(enforces_key=False), "test_sending_a_create_twice_is_harmless"),
    (lambda: FakeTarget(enforces_key=False), "test_eight_at_once_create_one"),
    (Forgetful, "test_gives_exactly_one_result_per_key"),
    (Lossy, "test_holds_what_a_create_sent"),
    (Lossy, "test_null_clears_and_empty_is_what_collapse_says"),
    (Seeding, "test_a_seed_is_not_written_again"),
    (Orphaning, "test_a_child_without_its_parent_is_held"),
    (Ignoring, "test_gone_deactivates_and_counts_as_applied"),
    (Ignoring, "test_gone_and_never_there_creates_nothing"),
    (Collective, "test_one_bad_record_fails_alone"),
    (Talkative, "test_an_answer_quotes_no_value"),
    (Late, "test_sends_nothing_after_the_deadline"),
    (Late, "test_asks_before_every_request"),
    (Blind, "test_finds_the_same_tax_registration"),
    (Blind, "test_finds_the_same_name_in_the_same_country"),
)


def run(name: str, target: FakeTarget) -> None:
    """One test of the suite on `target`."""
    code = getattr(Suite, name).__code__
    given: dict[str, Any] = {"target": target, "open_target": lambda: target}
    getattr(Suite(), name)(**{a: given[a] for a in code.co_varnames[: code.co_argcount] if a in given})


@pytest.mark.parametrize(("make", "name"), CASES, ids=[name for _, name in CASES])
def test_a_fault_is_noticed(make: Callable[[], FakeTarget], name: str) -> None:
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        run(name, make())


@pytest.mark.parametrize("name", sorted({name for _, name in CASES}))
def test_without_a_fault_it_passes(name: str) -> None:
    run(name, FakeTarget())
