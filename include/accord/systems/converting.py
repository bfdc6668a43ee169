"""From staged columns to canonical ones in bulk; what does not convert becomes null and is named, never shown."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from accord.objects.definition import (
    Choice,
    ChoiceSet,
    Day,
    FieldType,
    Flag,
    Instant,
    Money,
    Number,
    Reference,
    Text,
    Whole,
)
from accord.records import INSTANT, arrow_type
from accord.systems import ADAPTERS
from accord.systems.collapsing import flat

_TEXT = pa.string()
_CANONICAL = rf"^({'|'.join(ADAPTERS)}):."
_UNKNOWN = "not a known code"


def prefixed(system: str, ids: pa.Array) -> pa.Array:
    """Canonical ids from native ids of `system`; what is a canonical id already stays as it is."""
    return pc.if_else(
        pc.match_substring_regex(ids, _CANONICAL), ids, pc.binary_join_element_wise(pa.scalar(system), ids, ":")
    )


class Converter:
    """Converts columns of one table of `rows` rows of `system` and remembers per row what did not convert."""

    def __init__(self, system: str, rows: int) -> None:
        self._system, self._rows = system, rows
        self._problems: list[tuple[str, pa.Array]] = []  # (line, the rows it is about)

    def field(self, path: str, kind: FieldType, column: pa.ChunkedArray | pa.Array) -> pa.Array:
        """A column of text as the canonical type of a field; `path` is the field's name in what is said of it."""
        text = flat(column)
        match kind:
            case Text():
                return text
            case Reference():
                return prefixed(self._system, text)
            case Choice():
                return self.choice(path, text, kind.values)
            case ChoiceSet():
                return self.choices(path, text, kind.values)
            case Flag():
                return self.flag(path, text)
            case Money() | Number():
                fraction = rf"(\.\d{{1,{kind.scale}}}0*)?" if kind.scale else r"(\.0+)?"
                pattern = rf"^-?0*\d{{1,{kind.digits - kind.scale}}}{fraction}$"
                reason = "not an amount" if isinstance(kind, Money) else "not a number of its size"
                return self._matching(path, text, pattern, reason).cast(arrow_type(kind), safe=False)
            case Whole():
                whole = pc.replace_substring_regex(text, r"\.0+$", "")
                return self._matching(path, whole, r"^-?\d{1,18}$", "not a whole number").cast(pa.int64())
            case Day():
                return self._parsed(path, text, r"^\d{4}-\d\d-\d\d$", pa.date32(), "not a day")
            case Instant():
                return self.instant(path, text)

    def flag(self, path: str, text: pa.Array) -> pa.Array:
        """`true` and `false`, also as PostgreSQL writes them (`t`, `f`)."""
        clean = self._matching(path, text, "^(true|false|t|f)$", "neither true nor false")
        return pc.if_else(pc.is_valid(clean), pc.starts_with(clean, "t"), pa.scalar(None, pa.bool_()))

    def instant(self, path: str, text: pa.Array) -> pa.Array:
        """ISO 8601 instants with a zone."""
        pattern = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$"
        return self._parsed(path, text, pattern, INSTANT, "not an instant")

    def choice(self, path: str, text: pa.Array, values: tuple[str, ...]) -> pa.Array:
        """One of a closed vocabulary."""
        return self._keep(path, text, pc.is_in(text, value_set=pa.array(values, _TEXT)), _UNKNOWN)

    def choices(self, path: str, text: pa.Array, values: tuple[str, ...]) -> pa.Array:
        """Several of a closed vocabulary, written "A;B", as a sorted list of the known ones; null where there are none."""
        coded = text.dictionary_encode()  # few texts differ: each is looked at once
        sets = [{part.strip() for part in one.split(";")} - {""} for one in coded.dictionary.to_pylist()]
        lists = pa.array([sorted(s & set(values)) or None for s in sets], pa.list_(_TEXT))
        strange = pa.array([bool(s - set(values)) for s in sets], pa.bool_())
        self.problem(path, strange.take(coded.indices), _UNKNOWN)
        return lists.take(coded.indices)

    def problem(self, path: str, bad: pa.Array, reason: str) -> None:
        """Say of the rows that are `bad` (null: they are not) why."""
        self._problems.append((f"{path}: {reason}", pc.fill_null(bad, False)))

    def adopt(self, parts: Converter, owners: pa.Array, roots: pa.Array) -> None:
        """Say of a row what was said of any of its parts: `owners` numbers each part's root (null: none), `roots` each row's."""
        last = pc.max(roots).as_py()
        for line, bad in parts._problems:
            mask = np.zeros(0 if last is None else last + 1, dtype=bool)
            mask[owners.filter(bad).drop_null().to_numpy()] = True
            self._problems.append((line, pa.array(mask).take(roots)))

    def problems(self) -> pa.Array:
        """One list of lines per row, empty where all is well."""
        nothing = pa.scalar(None, _TEXT)
        lines = [pc.if_else(bad, pa.scalar(line), nothing) for line, bad in self._problems if pc.any(bad).as_py()]
        if not lines:
            return pa.array([[]] * self._rows, pa.list_(_TEXT))
        # the "" keeps a row without lines: with only nulls to skip Arrow (26.0) leaves the whole row out
        joined = pc.binary_join_element_wise("", *lines, "\n", null_handling="skip")
        found = pc.split_pattern(pc.utf8_ltrim(joined, characters="\n"), "\n")
        return pc.if_else(pc.equal(joined, ""), pa.scalar([], pa.list_(_TEXT)), found)

    def _matching(self, path: str, text: pa.Array, pattern: str, reason: str) -> pa.Array:
        return self._keep(path, text, pc.match_substring_regex(text, pattern), reason)

    def _parsed(self, path: str, text: pa.Array, pattern: str, kind: pa.DataType, reason: str) -> pa.Array:
        """As `kind`; a text of the right shape may still name no day (30 February)."""
        good = pc.fill_null(pc.match_substring_regex(text, pattern), False)
        values = _cast(pc.if_else(good, text, pa.scalar(None, _TEXT)), kind)
        self.problem(path, pc.and_(pc.is_valid(text), pc.is_null(values)), reason)
        return values

    def _keep(self, path: str, text: pa.Array, good: pa.Array, reason: str) -> pa.Array:
        good = pc.fill_null(good, False)
        self.problem(path, pc.and_(pc.invert(good), pc.is_valid(text)), reason)
        return pc.if_else(good, text, pa.scalar(None, _TEXT))


def _cast(text: pa.Array, kind: pa.DataType) -> pa.Array:
    """`text` as `kind`, null where it can't be."""
    try:
        return text.cast(kind)
    except pa.ArrowInvalid:  # one bad value fails the whole column
        if len(text) == 1:
            return pa.nulls(1, kind)
        half = len(text) // 2
        return pa.concat_arrays([_cast(text[:half], kind), _cast(text[half:], kind)])
