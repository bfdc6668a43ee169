"""Sets of record ids at 8 bytes each: what a read of millions of roots remembers of them."""

from __future__ import annotations

import string
from collections import defaultdict
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from accord.systems.collapsing import flat
from accord.systems.salesforce.ids import long_id

_LENGTH, _TOLD, _FRONT = 18, 15, 6  # of an id; without what is computed of it; what hardly differs: object and instance
_AT_ONCE = 50_000  # ids that are looked at together
_LETTERS = (string.digits + string.ascii_letters).encode()  # six bits each: the nine behind the front are one number
_BITS = 6
_PLACE = np.zeros(256, np.uint64)
_PLACE[np.frombuffer(_LETTERS, np.uint8)] = np.arange(len(_LETTERS), dtype=np.uint64)

_Numbers = npt.NDArray[np.uint64]


class IdSet:
    """Distinct 18-character ids, as Salesforce answers them; nulls are left out."""

    def __init__(self, ids: Iterable[pa.Array] = ()) -> None:
        self._numbers: dict[bytes, _Numbers] = {}  # by front, sorted
        self._added: defaultdict[bytes, list[_Numbers]] = defaultdict(list)
        for some in ids:
            self.add(some)

    def add(self, ids: pa.Array | pa.ChunkedArray) -> None:
        """Add `ids`."""
        for page in _pages(ids):
            for front, numbers, _ in _fronts(page):
                self._added[front].append(numbers)

    def among(self, column: pa.Array | pa.ChunkedArray) -> pa.Array:
        """For each of `column` whether it is one of them."""
        self._sort()
        found = [np.zeros(0, bool)]
        for page in _pages(column):
            mask = np.zeros(len(page), bool)
            for front, numbers, rows in _fronts(page):
                mask[rows] = _in(numbers, self._numbers.get(front))
            found.append(mask)
        return pa.array(np.concatenate(found))

    def without(self, other: IdSet) -> IdSet:
        """Those that are not in `other`."""
        left = IdSet()
        self._sort()
        other._sort()
        for front, numbers in self._numbers.items():
            left._numbers[front] = numbers[~_in(numbers, other._numbers.get(front))]
        return left

    def copy(self) -> IdSet:
        """The same, whatever is added to this one afterwards."""
        return self.without(IdSet())

    def to_pylist(self) -> list[str]:
        """All of them."""
        self._sort()
        return [long_id(front.decode() + _text(int(n))) for front, some in self._numbers.items() for n in some]

    def __len__(self) -> int:
        self._sort()
        return sum(map(len, self._numbers.values()))

    def _sort(self) -> None:
        while self._added:
            front, added = self._added.popitem()
            if front in self._numbers:
                added.append(self._numbers.pop(front))
            numbers, end = np.empty(sum(map(len, added)), np.uint64), 0
            while added:  # one after the other, so that there is not everything twice
                some = added.pop()
                numbers[end : end + len(some)] = some
                end += len(some)
            numbers.sort()
            again = numbers[1:] == numbers[:-1]
            self._numbers[front] = numbers[np.append(True, ~again)] if again.any() else numbers


def _pages(ids: pa.Array | pa.ChunkedArray) -> Iterable[pa.Array]:
    ids = flat(ids)
    return (ids.slice(first, _AT_ONCE) for first in range(0, len(ids), _AT_ONCE))


def _fronts(ids: pa.Array) -> Iterable[tuple[bytes, _Numbers, npt.NDArray[np.intp]]]:
    """(front, what is behind it as numbers, which of `ids` these are)."""
    rows = np.flatnonzero(pc.is_valid(ids).to_numpy(zero_copy_only=False))
    told = np.frombuffer("".join(ids.drop_null().to_pylist()).encode(), np.uint8).reshape(-1, _LENGTH)[:, :_TOLD]
    numbers = np.zeros(len(told), np.uint64)
    for place in range(_FRONT, _TOLD):
        numbers = (numbers << np.uint64(_BITS)) | _PLACE[told[:, place]]
    fronts = np.ascontiguousarray(told[:, :_FRONT]).view(f"S{_FRONT}").ravel()
    for front in np.unique(fronts):
        mine = np.flatnonzero(fronts == front)
        yield bytes(front), numbers[mine], rows[mine]


def _in(numbers: _Numbers, known: _Numbers | None) -> npt.NDArray[np.bool_]:
    if known is None or not len(known):
        return np.zeros(len(numbers), bool)
    places = np.minimum(np.searchsorted(known, numbers), len(known) - 1)
    return np.equal(known[places], numbers)


def _text(number: int) -> str:
    """The nine letters a number stands for."""
    behind = range(_TOLD - _FRONT - 1, -1, -1)
    return bytes(_LETTERS[number >> place * _BITS & (1 << _BITS) - 1] for place in behind).decode()
