"""Sets of ids hold what a set of Python's holds."""

import random

import pyarrow as pa

from accord.systems.salesforce.id_set import IdSet
from accord.systems.salesforce.ids import long_id

LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
FRONTS = ("001gK0", "001Qy0", "001gk0")


def some_ids(count: int, seed: int = 7) -> list[str]:
    chosen = random.Random(seed)  # noqa: S311 - nothing is secret
    return [long_id(chosen.choice(FRONTS) + "".join(chosen.choices(LETTERS, k=9))) for _ in range(count)]


def texts(ids: list[str | None]) -> pa.Array:
    return pa.array(ids, pa.string())


def test_what_was_added_is_among_them_and_nothing_else() -> None:
    ids, others = some_ids(500), some_ids(500, seed=8)
    known = IdSet([texts(ids[:300]), texts([*ids[200:], None])])
    column = pa.chunked_array([texts([*others, None]), texts(ids)])
    assert known.among(column).to_pylist() == [False] * 501 + [True] * 500
    assert len(known) == 500
    assert set(known.to_pylist()) == set(ids)


def test_ids_that_differ_by_case_or_by_one_letter_are_different() -> None:
    one, *others = map(
        long_id, ("001gK0000000a1b", "001gK0000000A1b", "001gK0000000a1c", "001gk0000000a1b", "001gK0000000a0b")
    )
    known = IdSet([texts([one])])
    assert known.among(texts([one, *others])).to_pylist() == [True, False, False, False, False]


def test_more_can_be_added_after_it_was_asked() -> None:
    ids = some_ids(100)
    known = IdSet([texts(ids[:50])])
    kept = known.copy()
    assert len(known) == 50
    known.add(texts(ids[40:]))
    assert known.among(texts(ids)).to_pylist() == [True] * 100
    assert set(known.without(kept).to_pylist()) == set(ids[50:])
    assert len(kept) == 50


def test_a_set_of_nothing() -> None:
    nothing = IdSet([texts([]), texts([None])])
    assert (len(nothing), nothing.to_pylist(), nothing.among(texts([])).to_pylist()) == (0, [], [])
    assert nothing.among(texts([*some_ids(1), None])).to_pylist() == [False, False]
    assert len(IdSet([texts(some_ids(3))]).without(nothing)) == 3


def test_sixty_thousand_are_looked_at_page_by_page() -> None:
    ids = list(dict.fromkeys(some_ids(60_001)))
    known = IdSet([texts(ids[::2])])
    assert known.among(texts(ids)).to_pylist() == [n % 2 == 0 for n in range(len(ids))]
