"""What a SOQL query says, as a tree. `at` is the offset in the query, for error messages."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Path:
    """A field, possibly of a parent: ``Parent.Owner.Name``."""

    parts: tuple[str, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Call:
    """A function of fields: an aggregate, a date function, ``toLabel``; no argument for ``COUNT()``."""

    name: str
    arguments: tuple["Operand", ...]
    at: int


Operand = Path | Call


@dataclass(frozen=True, slots=True)
class Literal:
    """A value: kind is string (still escaped), number, boolean, null, date, datetime or period (a date literal)."""

    kind: str
    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Compare:
    """``field op value`` with op one of ``= != < <= > >= like includes excludes in``."""

    left: Operand
    operator: str
    values: tuple[Literal, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class SemiJoin:
    """``field [NOT] IN (SELECT ...)``."""

    left: Path
    query: "Query"
    negated: bool


@dataclass(frozen=True, slots=True)
class Logic:
    """``AND``, ``OR`` over terms, or ``NOT`` over one."""

    operator: str
    terms: tuple["Condition", ...]


Condition = Compare | SemiJoin | Logic


@dataclass(frozen=True, slots=True)
class TypeOf:
    """``TYPEOF path WHEN object THEN fields ... ELSE fields END``: each case is (object, its offset, fields)."""

    path: Path
    cases: tuple[tuple[str, int, tuple[Path, ...]], ...]
    otherwise: tuple[Path, ...]

    @property
    def at(self) -> int:
        return self.path.at


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of the SELECT list."""

    what: "Operand | TypeOf | Query"
    alias: str | None


@dataclass(frozen=True, slots=True)
class Order:
    """One entry of ORDER BY."""

    by: Operand
    descending: bool
    nulls_last: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A whole query or a subquery."""

    items: tuple[Item, ...]
    object: str
    object_at: int
    alias: str | None = None
    where: Condition | None = None
    group: tuple[Operand, ...] = ()
    having: Condition | None = None
    order: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0
    at: int = 0
