"""Building SOQL: names are checked, values escaped; nothing is concatenated as it comes.

Grammar and escapes: SOQL and SOSL Reference, "Quoted String Escape Sequences", "Date Formats and Date Literals".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from urllib.parse import quote_plus

Value = str | bool | int | Decimal | datetime | date | None

_NAME = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)*", re.ASCII)
_ESCAPES = str.maketrans(
    {"\\": "\\\\", "'": "\\'", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
)
_OPERATORS = frozenset({"=", "!=", "<", "<=", ">", ">="})


def name(text: str) -> str:
    """A field, relationship path or object name. Raises ValueError for anything else."""
    if not _NAME.fullmatch(text):
        raise ValueError(f"{text!r} is no Salesforce name")
    return text


def literal(value: Value) -> str:
    """`value` as SOQL writes it. Instants are cut to milliseconds, which is Salesforce's precision."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return f"'{value.translate(_ESCAPES)}'"
        case datetime():
            if value.tzinfo is None:
                raise ValueError("an instant needs a time zone")
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03}Z"
        case date():
            return value.isoformat()
        case Decimal():
            return format(value, "f")
        case _:
            return str(value)


def compare(field: str, operator: str, value: Value) -> str:
    """`field operator value`. Raises ValueError for an operator SOQL does not have."""
    if operator not in _OPERATORS:
        raise ValueError(f"{operator!r} is no SOQL comparison")
    return f"{name(field)} {operator} {literal(value)}"


def within(field: str, since: datetime | None, until: datetime | None) -> tuple[str, ...]:
    """Conditions that `field` lies in [since, until); None leaves that side open."""
    lower = (compare(field, ">=", _ceiling(since)),) if since else ()
    return lower + ((compare(field, "<", _ceiling(until)),) if until else ())


def _ceiling(instant: datetime) -> datetime:
    """The first whole millisecond not before `instant`: Salesforce has none between, so the bound stays the same."""
    return instant + timedelta(microseconds=-instant.microsecond % 1000)


def one_of(field: str, values: Iterable[str]) -> str:
    """`field IN (…)`."""
    return f"{name(field)} IN ({','.join(literal(v) for v in values)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Select:
    """A query of one object: columns, conditions joined by AND, and an order."""

    sobject: str
    columns: tuple[str, ...]
    where: tuple[str, ...] = ()
    order: str = ""

    @property
    def text(self) -> str:
        """The query's SOQL."""
        return self._written(", ".join(name(column) for column in self.columns), self.order)

    @property
    def count(self) -> str:
        """SOQL that counts the rows."""
        return self._written("count()", "")

    def also(self, *conditions: str) -> Select:
        """The same query with more conditions."""
        return replace(self, where=(*self.where, *conditions))

    def _written(self, columns: str, order: str) -> str:
        where = f" WHERE {' AND '.join(self.where)}" if self.where else ""
        order = f" ORDER BY {name(order)}" if order else ""
        return f"SELECT {columns} FROM {name(self.sobject)}{where}{order}"  # noqa: S608  # names checked, values escaped


def by_lists(select: Select, field: str, values: Sequence[str], *, limit: int) -> Iterator[Select]:
    """`select` restricted to `values` of `field`, as often as needed so that no query is longer than `limit` bytes
    when URL-encoded."""
    taken: list[str] = []
    room = spare = limit - len(quote_plus(select.also(one_of(field, ())).text))
    for value in values:
        size = len(quote_plus(literal(value) + ","))
        if taken and size > room:
            yield select.also(one_of(field, taken))
            taken, room = [], spare
        taken.append(value)
        room -= size
    if taken:
        yield select.also(one_of(field, taken))
