# ruff: noqa: S608 - statements are made of names from the schema; values are always parameters
"""A compiled query: its SQL statements, and how its rows become records."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.salesforce.schema.model import Child, Field, Object
from sandbox.salesforce.soql.conditions import Sql

LARGEST_AGGREGATE = 2000


def bare(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return names that lead to a value without the cases of TYPEOF: these are named ``<relationship>:<object>``."""
    return tuple(name.partition(":")[0] for name in names)


@dataclass(frozen=True, slots=True)
class Output:
    """One value of a result row: the SQL for it, where it goes in the record, and its field."""

    sql: str
    names: tuple[str, ...]
    field: Field

    @property
    def conditional(self) -> bool:
        """Whether it belongs to a case of TYPEOF."""
        return bare(self.names) != self.names


@dataclass(frozen=True, slots=True)
class Parent:
    """A parent some outputs belong to: the SQL of its id, the relationships that lead to it, its object.

    `by_prefix` names the objects a polymorphic one may be of.
    """

    sql: str
    names: tuple[str, ...]
    type: str
    by_prefix: Mapping[str, str] = field(default_factory=dict)

    def url(self, record: str) -> str:
        """Return the end of the record's address; a polymorphic parent's id says which object it is of."""
        return f"{self.by_prefix.get(record[:3], self.type)}/{record}"


@dataclass(slots=True, kw_only=True)
class Compiled:
    """A query ready to run. In its result rows the outputs, then the ids of the parents, follow the record's id."""

    object: Object
    table: str
    source: str
    joins: str
    where: Sql
    order: str
    limit: int | None
    offset: int
    outputs: list[Output] = field(default_factory=list)
    parents: list[Parent] = field(default_factory=list)
    children: list["Nested"] = field(default_factory=list)
    counting: bool = False
    aggregate: bool = False
    group: str = ""
    having: Sql = ("", [])

    def _columns(self, *, parents: bool = False) -> str:
        selected = [output.sql for output in self.outputs] + [parent.sql for parent in self.parents if parents]
        return "".join(f", {sql}" for sql in selected)

    def _tail(self) -> str:
        limit = "" if self.limit is None and not self.offset else f" LIMIT {-1 if self.limit is None else self.limit}"
        return f"{self.order}{limit}" + (f" OFFSET {self.offset}" if self.offset else "")

    def ids(self) -> Sql:
        """The ids of all matching records, in order."""
        # SQL text is made of schema names and numbers; every value of the query is a parameter.
        return f"SELECT {self.table}.Id FROM {self.source} WHERE {self.where[0]}{self._tail()}", self.where[1]

    def counted(self) -> Sql:
        """The number of matching records."""
        sql, values = self.ids()
        return f"SELECT count(*) FROM ({sql})", values

    def page(self) -> str:
        """The records of the ids given as a JSON array, in its order."""
        return (
            f'SELECT {self.table}.Id{self._columns(parents=True)} FROM json_each(?) j CROSS JOIN "{self.object.name}" '
            f"{self.table} ON {self.table}.Id = j.value {self.joins} ORDER BY j.key"
        )

    def rows(self, columns: list[str]) -> Sql:
        """All matching records, as these SQL expressions."""
        return f"SELECT {', '.join(columns)} FROM {self.source} WHERE {self.where[0]}{self._tail()}", self.where[1]

    def totals(self) -> Sql:
        """The rows of an aggregate query; the first column is filler, as elsewhere the id."""
        limit = LARGEST_AGGREGATE + 1 if self.limit is None else self.limit
        sql = (
            f"SELECT NULL{self._columns()} FROM {self.source} WHERE {self.where[0]}{self.group}{self.having[0]}"
            f"{self.order} LIMIT {limit}" + (f" OFFSET {self.offset}" if self.offset else "")
        )
        return sql, [*self.where[1], *self.having[1]]


@dataclass(frozen=True, slots=True)
class Nested:
    """A child subquery: its relationship name, how the child points here, and its own plan."""

    name: str
    child: Child
    plan: Compiled

    def sql(self) -> Sql:
        """Return (parent id, child id, columns...) for the parents given as a JSON array, the last parameter."""
        plan = self.plan
        via = f'{plan.table}."{self.child.field.name}"'
        selected = [output.sql for output in plan.outputs] + [parent.sql for parent in plan.parents]
        columns = "".join(f", {sql} AS c{at}" for at, sql in enumerate(selected))
        names = "".join(f", c{at}" for at in range(len(selected)))
        ranked = f"row_number() OVER (PARTITION BY {via}{plan.order or f' ORDER BY {plan.table}.Id'})"
        low, high = plan.offset, None if plan.limit is None else plan.offset + plan.limit
        bounds = f"r > {low}" + ("" if high is None else f" AND r <= {high}")
        return (
            f"SELECT p, i{names} FROM (SELECT {via} AS p, {plan.table}.Id AS i{columns}, {ranked} AS r "
            f"FROM {plan.source} WHERE {plan.where[0]} AND {via} IN (SELECT value FROM json_each(?))) "
            f"WHERE {bounds} ORDER BY p, r"
        ), plan.where[1]
