# ruff: noqa: S608 - statements are made of names from the schema; values are always parameters
"""Where names in a query lead: fields, parents by joins, functions; each as SQL with its type."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date

from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.schema import formula
from sandbox.salesforce.schema.model import NAME, NUMBER_TYPES, TEXT_TYPES, Field, FieldType, Object, Schema
from sandbox.salesforce.schema.permissions import Actor
from sandbox.salesforce.soql.lexer import refuse
from sandbox.salesforce.soql.tree import Call, Operand, Path, TypeOf
from sandbox.salesforce.store import collation

_HINT_FIELD = (
    " If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. "
    "Please reference your WSDL or the describe call for the appropriate names."
)
_HINT_ENTITY = _HINT_FIELD.replace("custom field name", "entity name").replace("custom field", "custom object")
_HINT_RELATION = (
    " If you are attempting to use a custom relationship, be sure to append the '__r' after the custom "
    "relationship name. Please reference your WSDL or the describe call for the appropriate names."
)
AGGREGATES = frozenset({"count", "count_distinct", "sum", "avg", "min", "max"})
_DATE_PARTS = {
    "calendar_year": "CAST(substr({0}, 1, 4) AS INTEGER)",
    "fiscal_year": "CAST(substr({0}, 1, 4) AS INTEGER)",
    "calendar_month": "CAST(substr({0}, 6, 2) AS INTEGER)",
    "fiscal_month": "CAST(substr({0}, 6, 2) AS INTEGER)",
    "calendar_quarter": "(CAST(substr({0}, 6, 2) AS INTEGER) + 2) / 3",
    "fiscal_quarter": "(CAST(substr({0}, 6, 2) AS INTEGER) + 2) / 3",
    "day_in_month": "CAST(substr({0}, 9, 2) AS INTEGER)",
    "hour_in_day": "CAST(substr({0}, 12, 2) AS INTEGER)",
    "day_in_week": "strftime('%w', {0}) + 1",
    "day_in_year": "CAST(strftime('%j', {0}) AS INTEGER)",
    "week_in_year": "(CAST(strftime('%j', {0}) AS INTEGER) + 6) / 7",
    "week_in_month": "(CAST(substr({0}, 9, 2) AS INTEGER) + 6) / 7",
    "day_only": "substr({0}, 1, 10)",
}


@dataclass(frozen=True, slots=True)
class Expression:
    """An SQL expression, the field that tells its type, and the names that lead to it from the queried object."""

    sql: str
    field: Field
    names: tuple[str, ...]
    aggregate: bool = False

    @property
    def ordered(self) -> str:
        """The expression as it is sorted and grouped: text without regard to case."""
        return f"{self.sql} COLLATE NOCASE" if self.field.type in TEXT_TYPES else self.sql

    @property
    def compared(self) -> str:
        """The expression as it is compared."""
        return f"{self.sql} COLLATE {collation(self.field)}" if self.field.type in TEXT_TYPES else self.sql


def _any_of(objects: Iterable[Object]) -> str:
    selects = (
        f'SELECT Id, "{o.name_field or "Id"}" AS "Name", \'{o.name}\' AS "Type" FROM "{o.name}"' for o in objects
    )
    return "(" + " UNION ALL ".join(selects) + ")"


class Scope:
    """The names one query level can use. `prefix` keeps the table aliases of nested levels apart."""

    def __init__(
        self,
        text: str,
        schema: Schema,
        actor: Actor,
        name: str,
        at: int,
        alias: str | None,
        new_alias: Callable[[], str],
        *,
        today: date,
    ) -> None:
        self.today = today
        self.text, self.schema, self.actor = text, schema, actor
        self.object = self._object(name, at)
        self.alias = alias
        self._new_alias = new_alias
        self.table = new_alias()
        self._joins: dict[tuple[str, ...], tuple[str, Object]] = {(): (self.table, self.object)}
        self._join_sql: list[str] = []

    def _object(self, name: str, at: int) -> Object:
        found = self.schema.object(name)
        if found is None or not self.actor.permissions.allows(found, "read"):
            raise refuse(self.text, at, f"sObject type '{name}' is not supported.{_HINT_ENTITY}", "INVALID_TYPE")
        return found

    @property
    def source(self) -> str:
        """The FROM clause without the word: the object's table and the joins the names needed."""
        return " ".join([f'"{self.object.name}" {self.table}', *self._join_sql])

    @property
    def joins(self) -> str:
        """Only the joins."""
        return " ".join(self._join_sql)

    def no_column(self, name: str, obj: Object, at: int) -> ApiError:
        """Return the refusal of a field name."""
        return refuse(self.text, at, f"No such column '{name}' on entity '{obj.name}'.{_HINT_FIELD}", "INVALID_FIELD")

    def walk(self, parts: tuple[str, ...], at: int) -> tuple[str, Object, tuple[str, ...]]:
        """Follow parent relationships; return table alias, object and the relationships' proper names."""
        names: tuple[str, ...] = ()
        for part in parts:
            if (*names, part) in self._joins:
                names = (*names, part)
                continue
            field, targets = self._relation(names, part, at)
            names = (*names, field.relationship or "")
            if names not in self._joins:
                self._join(names, field, targets, NAME if field.polymorphic else targets[0])
        table, obj = self._joins[names]
        return table, obj, names

    def _relation(self, names: tuple[str, ...], part: str, at: int) -> tuple[Field, list[Object]]:
        obj = self._joins[names][1]
        for field in obj.fields.values():
            same = field.relationship and field.relationship.lower() == part.lower()
            if same and self.actor.permissions.reads(obj, field):
                targets = [o for name in field.reference_to if (o := self._readable(name))]
                if targets:
                    return field, targets
        raise refuse(
            self.text, at, f"Didn't understand relationship '{part}' in field path.{_HINT_RELATION}", "INVALID_FIELD"
        )

    def _join(self, names: tuple[str, ...], field: Field, targets: list[Object], shown: Object) -> None:
        """Join a parent of one of some objects under these names; what is selected of it are fields of `shown`."""
        alias, table = self._new_alias(), self._joins[names[:-1]][0]
        source = _any_of(targets) if shown is NAME else f'"{shown.name}"'
        self._joins[names] = (alias, shown)
        self._join_sql.append(f'LEFT JOIN {source} {alias} ON {alias}.Id = {table}."{field.name}"')

    def narrowed(self, typeof: TypeOf) -> list[Path]:
        """Return the paths of a TYPEOF; each case is a parent of its own, named ``<relationship>:<object>``.

        Source: SOQL and SOSL Reference, "TYPEOF".
        """
        parts = self.strip(typeof.path)
        _, _, above = self.walk(parts[:-1], typeof.at)
        field, targets = self._relation(above, parts[-1], typeof.at)
        if not field.polymorphic:
            raise refuse(
                self.text, typeof.at, f"{field.relationship} is not a polymorphic relationship", "INVALID_FIELD"
            )
        found: list[Path] = []
        left = {target.name.lower(): target for target in targets}
        for name, at, paths in typeof.cases:
            shown = left.pop(name.lower(), None)
            names = (*above, f"{field.relationship}:{name.lower()}")
            if shown is None or names in self._joins:
                message = f"{name} is no object {field.relationship} may refer to, or was named before"
                raise refuse(self.text, at, message, "INVALID_TYPE")
            self._join(names, field, [shown], shown)
            found += [Path((*names, *path.parts), path.at) for path in paths]
        if typeof.otherwise and left:
            names = (*above, f"{field.relationship}:")
            self._join(names, field, list(left.values()), NAME)
            found += [Path((*names, *path.parts), path.at) for path in typeof.otherwise]
        return found

    def _readable(self, name: str) -> Object | None:
        found = self.schema.object(name)
        return found if found is not None and self.actor.permissions.allows(found, "read") else None

    def strip(self, path: Path) -> tuple[str, ...]:
        """Return the parts of a path without the alias or object name some queries put in front."""
        parts = path.parts
        if len(parts) > 1 and parts[0].lower() in ((self.alias or "").lower(), self.object.name.lower()):
            known = any(
                f.relationship and f.relationship.lower() == parts[0].lower() for f in self.object.fields.values()
            )
            if not known:
                return parts[1:]
        return parts

    def path(self, path: Path) -> Expression:
        """Resolve a field path."""
        parts = self.strip(path)
        if len(parts) > 6:
            raise refuse(self.text, path.at, "A field path may have at most five relationships", "INVALID_FIELD")
        table, obj, names = self.walk(parts[:-1], path.at)
        field = self.actor.field(obj, parts[-1])
        if field is None:
            raise self.no_column(parts[-1], obj, path.at)
        own = f'{table}."{field.name}"'
        sql = own if field.formula is None else formula.field_sql(self.schema, obj, field, table, self.today)
        return Expression(sql, field, (*names, field.name))

    def operand(self, operand: Operand, *, aggregates: bool = False) -> Expression:
        """Resolve a field path or function."""
        if isinstance(operand, Path):
            return self.path(operand)
        return self._call(operand, aggregates)

    def _call(self, call: Call, aggregates: bool) -> Expression:
        integer = Field(name=call.name, label=call.name, type=FieldType.INT, precision=9)
        if call.name in AGGREGATES:
            if not aggregates:
                raise refuse(self.text, call.at, f"aggregate function {call.name.upper()} is not allowed here")
            if not call.arguments and call.name == "count":
                return Expression("count(*)", integer, (), aggregate=True)
            inner = self._argument(call)
            if not inner.field.filterable:
                raise refuse(
                    self.text,
                    call.at,
                    f"field {inner.field.name} does not support aggregate operator {call.name.upper()}",
                )
            if call.name in ("count", "count_distinct"):
                distinct = "DISTINCT " if call.name == "count_distinct" else ""
                return Expression(f"count({distinct}{inner.ordered})", integer, (), aggregate=True)
            if call.name in ("sum", "avg") and inner.field.type not in NUMBER_TYPES:
                raise refuse(
                    self.text,
                    call.at,
                    f"field {inner.field.name} does not support aggregate operator {call.name.upper()}",
                )
            type = FieldType.DOUBLE if call.name == "avg" else inner.field.type
            return Expression(f"{call.name}({inner.ordered})", replace(inner.field, type=type), (), aggregate=True)
        if call.name in _DATE_PARTS:
            inner = self._argument(call)
            if inner.field.type not in (FieldType.DATE, FieldType.DATETIME):
                raise refuse(
                    self.text, call.at, f"function {call.name.upper()} needs a date or dateTime field", "INVALID_FIELD"
                )
            type = FieldType.DATE if call.name == "day_only" else FieldType.INT
            return Expression(_DATE_PARTS[call.name].format(inner.sql), replace(integer, type=type), ())
        if call.name in ("tolabel", "converttimezone"):
            # Values are their own labels here, and users' time zone is UTC.
            return self._argument(call)
        raise refuse(self.text, call.at, f"function {call.name} is not covered by the local org")

    def _argument(self, call: Call) -> Expression:
        if len(call.arguments) != 1:
            raise refuse(self.text, call.at, f"function {call.name.upper()} takes one field")
        return self.operand(call.arguments[0])
