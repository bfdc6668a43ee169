"""A reconciliation's first look: whether both sides say the same of a record, held against the hash a flow would keep of it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from accord.flows import flow
from accord.objects import CUSTOMER
from accord.objects.definition import Owner
from accord.pipeline.reconcile.sides import Pair
from accord.records import content_hash
from tests.tables import canonical

NAMES = frozenset({"name", "phone", "parent", "contacts"})
PAIR = Pair(
    SimpleNamespace(  # type: ignore[arg-type] - as much of it as a pair asks before it reads anything
        hub=SimpleNamespace(stream=lambda *_: 1),
        system=lambda _: SimpleNamespace(side=Owner.SALESFORCE),
        target=lambda _: SimpleNamespace(keeps=lambda _: NAMES),
    ),
    flow("customer__salesforce_to_erp"),
    "legacy",
)

texts = st.sampled_from([None, "", "a", "b"])
contacts = st.none() | st.lists(st.fixed_dictionaries({"id": st.sampled_from("xy"), "email": texts}), max_size=2)
rows = st.fixed_dictionaries(
    {"name": texts, "phone": texts, "parent": texts, "contacts": contacts, "gone": st.booleans()}
)


def table(*of: dict[str, Any]) -> pa.Table:
    return canonical(CUSTOMER, [{"key": str(n)} | row for n, row in enumerate(of)])


@given(rows, rows)
@settings(max_examples=150, deadline=None, print_blob=True)
def test_the_same_is_what_hashes_the_same_gone_or_not(one: dict[str, Any], other: dict[str, Any]) -> None:
    same, alone = PAIR.same(table(one), table(other), pa.array([0], pa.int32()))
    live = [table(row | {"gone": False}) for row in (one, other)]
    for found, names in ((same, NAMES), (alone, NAMES - {"parent"})):
        mine, theirs = (content_hash(CUSTOMER, side, names)[0] for side in live)
        assert found.to_pylist() == [mine == theirs]


def test_rows_are_held_against_the_ones_at_their_places_and_what_is_not_there_is_not_the_same() -> None:
    same, alone = PAIR.same(
        table({"name": "a"}, {"name": "b"}, {}), table({"name": "b"}), pa.array([0, 0, None], pa.int32())
    )
    assert same.to_pylist() == alone.to_pylist() == [False, True, False]
