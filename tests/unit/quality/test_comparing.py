"""Loops, pairs, lists and registrations, each against a plain way of finding the same."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from accord.quality.comparing import all_within, pairs_differ
from accord.quality.frames import newest, repeats
from accord.quality.hierarchy import outside_loops
from accord.quality.registrations import could_be_issued
from sandbox.company.registrations import COUNTRIES

SMALL = st.integers(min_value=0, max_value=12)


def climbs_back(number: int, above: dict[int, int | None]) -> bool:
    """Whether going up from `number` comes back to it."""
    at = above.get(number)
    for _ in above:
        if at == number:
            return True
        at = above.get(at) if at is not None else None
    return False


@settings(deadline=None)  # the machine may be busy
@given(st.dictionaries(SMALL, st.none() | SMALL))
def test_loops_are_those_one_finds_by_walking(above: dict[int, int | None]) -> None:
    keys = pa.chunked_array([pa.array([str(n) for n in above], pa.string())])
    parents = pa.chunked_array([pa.array([None if up is None else str(up) for up in above.values()], pa.string())])
    assert outside_loops(keys, parents).to_pylist() == [not climbs_back(n, above) for n in above]


@settings(deadline=None)  # the machine may be busy
@given(st.lists(st.tuples(st.integers(0, 3), st.none() | st.sampled_from("ab"))))
def test_pairs_differ_as_a_count_says(pairs: list[tuple[int, str | None]]) -> None:
    left, right = pa.array([a for a, _ in pairs], pa.int64()), pa.array([b for _, b in pairs], pa.string())
    assert pairs_differ(left, right).to_pylist() == [pairs.count(pair) == 1 for pair in pairs]


@settings(deadline=None)  # the machine may be busy
@given(st.lists(st.none() | st.sampled_from("abc")))
def test_repeats_are_those_a_count_finds(keys: list[str | None]) -> None:
    assert repeats(pa.array(keys, pa.string())).to_pylist() == [k is not None and keys.count(k) > 1 for k in keys]


@settings(deadline=None)  # the machine may be busy
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5)), min_size=1))
def test_the_newest_of_each_key_stays_in_place(rows: list[tuple[str, int]]) -> None:
    stamps = pa.array([version for _, version in rows], pa.int64()).cast(pa.timestamp("us", "UTC"))
    table = pa.table({"key": [key for key, _ in rows], "version": stamps, "read_at": stamps})
    kept = newest(table)
    assert dict(zip(kept["key"].to_pylist(), kept["version"].to_pylist(), strict=True)) == {
        key: max(
            stamp for k, stamp in zip(table["key"].to_pylist(), table["version"].to_pylist(), strict=True) if k == key
        )
        for key, _ in rows
    }
    assert len(kept) == len({key for key, _ in rows})


def test_a_set_holds_known_codes_only() -> None:
    column = pa.chunked_array([pa.array([["a", "b"], [], None, ["a", "x"], [None], ["b"]], pa.list_(pa.string()))])
    assert all_within(column, ("a", "b")).to_pylist() == [True, True, None, False, False, True]
    assert all_within(column.slice(3), ("a", "b")).to_pylist() == [False, False, True]


def issued(*pairs: tuple[str | None, str | None]) -> list[bool | None]:
    countries, numbers = (pa.chunked_array([pa.array(side, pa.string())]) for side in zip(*pairs, strict=True))
    found: list[bool | None] = could_be_issued(countries, numbers).to_pylist()
    return found


def test_registrations_are_judged_by_their_country() -> None:
    good = "NL004495445B01"
    assert issued(("NL", good), ("NL", "nl 0044.95.445 b01"), ("DE", good), ("BE", good), (None, good), ("NL", None), ("AQ", "x")) == [
        True, True, False, False, None, None, None,
    ]  # fmt: skip
    assert issued(("US", "91-1144442"), ("US", "??-000"), ("JP", "T5835678256246"), ("JP", "T5835678256247")) == [
        True,
        False,
        True,
        False,
    ]


@settings(deadline=None, max_examples=50)
@given(st.sampled_from(COUNTRIES), st.text(max_size=30))
def test_no_text_trips_a_check(country: str, number: str) -> None:
    assert issued((country, number))[0] in (True, False)
