"""From staged text to canonical columns in bulk; what does not convert becomes null and is named, never shown."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from accord.objects.definition import Money
from accord.records import INSTANT, arrow_type
from accord.systems.collapsing import flat


class Converter:
    """Converts text columns of one table and remembers per row what did not convert."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._problems: list[pa.Array] = []

    def money(self, name: str, text: pa.ChunkedArray, kind: Money) -> pa.Array:
        """Decimal amounts; more digits than `kind` has is a problem."""
        whole = kind.digits - kind.scale
        pattern = rf"^-?0*\d{{1,{whole}}}(\.\d{{1,{kind.scale}}}0*)?$"
        return self._where(name, flat(text), pattern, "not an amount").cast(arrow_type(kind), safe=False)

    def flag(self, name: str, text: pa.ChunkedArray) -> pa.Array:
        """`true` and `false`, also as PostgreSQL writes them (`t`, `f`)."""
        clean = self._where(name, flat(text), "^(true|false|t|f)$", "neither true nor false")
        return pc.if_else(pc.is_valid(clean), pc.starts_with(clean, "t"), pa.scalar(None, pa.bool_()))

    def instant(self, name: str, text: pa.ChunkedArray) -> pa.Array:
        """ISO 8601 instants with a zone."""
        pattern = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$"
        return self._where(name, flat(text), pattern, "not an instant").cast(INSTANT)

    def choice(self, name: str, text: pa.ChunkedArray, values: tuple[str, ...]) -> pa.Array:
        """One of a closed vocabulary."""
        column = flat(text)
        return self._keep(name, column, pc.is_in(column, value_set=pa.array(values, pa.string())), "not a known code")

    def problems(self) -> pa.Array:
        """One list of lines per row, empty where all is well."""
        lines = [pc.fill_null(line, "") for line in self._problems]
        joined = pc.binary_join_element_wise(*lines, "\n") if lines else pa.array([""] * self._rows, pa.string())
        trimmed = pc.replace_substring_regex(pc.utf8_trim(joined, characters="\n"), "\n+", "\n")
        lists = pc.split_pattern(trimmed, "\n")
        return pc.if_else(pc.equal(trimmed, ""), pa.scalar([], pa.list_(pa.string())), lists)

    def _where(self, name: str, column: pa.Array, pattern: str, reason: str) -> pa.Array:
        return self._keep(name, column, pc.match_substring_regex(column, pattern), reason)

    def _keep(self, name: str, column: pa.Array, good: pa.Array, reason: str) -> pa.Array:
        good = pc.fill_null(good, False)
        bad = pc.and_(pc.invert(good), pc.is_valid(column))
        self._problems.append(pc.if_else(bad, pa.scalar(f"{name}: {reason}"), pa.scalar(None, pa.string())))
        return pc.if_else(good, column, pa.scalar(None, pa.string()))
