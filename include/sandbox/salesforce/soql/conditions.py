# ruff: noqa: S608 - statements are made of names from the schema; values are always parameters
"""WHERE and HAVING as SQL. SOQL knows no third truth value: every comparison here is true or false, never unknown."""

import json
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from sandbox.salesforce import ids
from sandbox.salesforce.clock import exact
from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.schema.model import ID_TYPES, NUMBER_TYPES, TEXT_TYPES, FieldType
from sandbox.salesforce.soql.lexer import refuse, unescape
from sandbox.salesforce.soql.periods import period
from sandbox.salesforce.soql.scope import Expression, Scope
from sandbox.salesforce.soql.tree import Compare, Condition, Literal, Logic, Query, SemiJoin

Sql = tuple[str, list[Any]]
_WANTED = {FieldType.BOOLEAN: "boolean", FieldType.DATE: "date", FieldType.DATETIME: "dateTime", FieldType.INT: "int"}


class Conditions:
    """Compiles the conditions of one query level."""

    def __init__(
        self, scope: Scope, today: date, subquery: Callable[[Query], Sql], *, aggregates: bool = False
    ) -> None:
        self.scope, self.today, self.subquery, self.aggregates = scope, today, subquery, aggregates

    def _refuse(self, at: int, message: str, code: str = "INVALID_FIELD") -> ApiError:
        return refuse(self.scope.text, at, message, code)

    def sql(self, condition: Condition) -> Sql:
        """Return the condition as SQL with its parameters."""
        if isinstance(condition, Logic):
            parts = [self.sql(term) for term in condition.terms]
            if condition.operator == "not":
                return f"NOT coalesce({parts[0][0]}, 0)", parts[0][1]
            joined = f" {condition.operator.upper()} ".join(part[0] for part in parts)
            return f"({joined})", [value for part in parts for value in part[1]]
        if isinstance(condition, SemiJoin):
            return self._semi_join(condition)
        return self._compare(condition)

    def _semi_join(self, join: SemiJoin) -> Sql:
        left = self.scope.path(join.left)
        if left.field.type not in ID_TYPES:
            raise self._refuse(join.left.at, "The left operand field in the where expression must be an id field")
        inner, values = self.subquery(join.query)
        if join.negated:
            return f"({left.sql} IS NULL OR {left.sql} NOT IN ({inner}))", values
        return f"{left.sql} IN ({inner})", values

    def _compare(self, compare: Compare) -> Sql:
        left = self.scope.operand(compare.left, aggregates=self.aggregates)
        at, field = compare.left.at, left.field
        if not left.aggregate and not field.filterable:
            raise self._refuse(at, f"field '{field.name}' can not be filtered in a query call")
        if compare.operator in ("includes", "excludes"):
            return self._includes(left, compare)
        if compare.operator == "in":
            return self._in(left, compare)
        literal = compare.values[0]
        if literal.kind == "null" or (literal.kind == "string" and literal.text == "''"):
            if compare.operator not in ("=", "!="):
                raise self._refuse(at, "invalid operator on a null value", "INVALID_QUERY_FILTER_OPERATOR")
            return f"{left.sql} IS {'NOT ' if compare.operator == '!=' else ''}NULL", []
        if compare.operator == "like":
            return self._like(left, literal, at)
        if literal.kind == "period":
            return self._period(left, compare.operator, literal)
        return self._single(left, compare.operator, literal)

    def _single(self, left: Expression, operator: str, literal: Literal) -> Sql:
        if left.field.type in (FieldType.BOOLEAN, FieldType.MULTIPICKLIST) and operator not in ("=", "!="):
            raise self._refuse(
                literal.at, f"invalid operator on {left.field.type.value} field", "INVALID_QUERY_FILTER_OPERATOR"
            )
        value = self.value(left, literal)
        sql = left.compared
        if isinstance(value, str) and not value.isascii() and left.field.type in TEXT_TYPES:
            sql, value = f"fold({left.sql})", value.casefold()
        if operator == "!=":
            return f"({sql} IS NOT ?)", [value]
        return f"({sql} {operator} ?)", [value]

    def _in(self, left: Expression, compare: Compare) -> Sql:
        terms: list[str] = []
        values: list[Any] = []
        plain: list[Any] = []
        for literal in compare.values:
            if literal.kind == "null" or literal.text == "''":
                terms.append(f"{left.sql} IS NULL")
            elif literal.kind == "period":
                sql, more = self._period(left, "=", literal)
                terms.append(sql)
                values += more
            else:
                plain.append(self.value(left, literal))
        if plain:
            sql = left.compared
            if left.field.type in TEXT_TYPES and not all(value.isascii() for value in plain):
                sql, plain = f"fold({left.sql})", [value.casefold() for value in plain]
            terms.append(f"{sql} IN (SELECT value FROM json_each(?))")
            values.append(json.dumps(plain))
        joined = "(" + " OR ".join(terms) + ")"
        return (f"NOT coalesce({joined}, 0)" if compare.negated else joined), values

    def _includes(self, left: Expression, compare: Compare) -> Sql:
        if left.field.type is not FieldType.MULTIPICKLIST:
            raise self._refuse(
                compare.left.at,
                f"{compare.operator} operator is only valid on multipicklist fields",
                "INVALID_QUERY_FILTER_OPERATOR",
            )
        choices: list[str] = []
        values: list[Any] = []
        for literal in compare.values:
            parts = [part for part in str(self.value(left, literal)).split(";") if part]
            choices.append(" AND ".join(["instr(';' || lower(" + left.sql + ") || ';', ?) > 0"] * len(parts)) or "0")
            values += [f";{part.lower()};" for part in parts]
        joined = " OR ".join(f"({choice})" for choice in choices)
        negated = "NOT " if compare.operator == "excludes" else ""
        return f"{negated}coalesce({joined}, 0)", values

    def _like(self, left: Expression, literal: Literal, at: int) -> Sql:
        if left.field.type not in TEXT_TYPES - {FieldType.MULTIPICKLIST}:
            raise self._refuse(
                at, f"invalid operator on {left.field.type.value} field", "INVALID_QUERY_FILTER_OPERATOR"
            )
        if literal.kind != "string":
            raise self._wrong_type(left, literal)
        pattern = unescape(self.scope.text, literal.text, literal.at, like=True)
        if pattern.isascii():
            return f"({left.sql} LIKE ? ESCAPE '\\')", [pattern]
        return f"(fold({left.sql}) LIKE ? ESCAPE '\\')", [pattern.casefold()]

    def _period(self, left: Expression, operator: str, literal: Literal) -> Sql:
        if left.field.type not in (FieldType.DATE, FieldType.DATETIME):
            if ":" not in literal.text and period(literal.text, self.today) is None:
                raise self._refuse(literal.at, f"unexpected token: '{literal.text}'", "MALFORMED_QUERY")
            raise self._wrong_type(left, literal)
        try:
            days = period(literal.text, self.today)
        except (ValueError, OverflowError):
            days = None
        if days is None:
            raise self._refuse(literal.at, f"unexpected token: '{literal.text}'", "MALFORMED_QUERY")
        tail = "T00:00:00.000Z" if left.field.type is FieldType.DATETIME else ""
        first, after = (day.isoformat() + tail for day in days)
        sql = left.sql
        if operator == "=":
            return f"({sql} >= ? AND {sql} < ?)", [first, after]
        if operator == "!=":
            return f"({sql} IS NULL OR {sql} < ? OR {sql} >= ?)", [first, after]
        return {
            "<": (f"({sql} < ?)", [first]),
            "<=": (f"({sql} < ?)", [after]),
            ">": (f"({sql} >= ?)", [after]),
            ">=": (f"({sql} >= ?)", [first]),
        }[operator]

    def _wrong_type(self, left: Expression, literal: Literal) -> ApiError:
        type = left.field.type
        wanted = _WANTED.get(type, "double" if type in NUMBER_TYPES else "string")
        quotes = "should be enclosed in quotes" if wanted == "string" else "should not be enclosed in quotes"
        return self._refuse(
            literal.at, f"value of filter criterion for field '{left.field.name}' must be of type {wanted} and {quotes}"
        )

    def value(self, left: Expression, literal: Literal) -> Any:
        """Return a literal as the field's stored value."""
        type, kind = left.field.type, literal.kind
        if type in ID_TYPES and kind == "string":
            text = unescape(self.scope.text, literal.text, literal.at)
            record = ids.normalize(text)
            if record is None:
                raise self._refuse(literal.at, f"invalid ID field: {text}", "INVALID_QUERY_FILTER_OPERATOR")
            return record
        if type in TEXT_TYPES and kind == "string":
            return unescape(self.scope.text, literal.text, literal.at)
        if type in NUMBER_TYPES and kind == "number":
            return float(literal.text) if not literal.text.isdigit() else min(int(literal.text), 2**62)
        if type is FieldType.BOOLEAN and kind == "boolean":
            return int(literal.text == "true")
        try:
            if type is FieldType.DATE and kind == "date":
                return date.fromisoformat(literal.text).isoformat()
            if type is FieldType.DATETIME and kind == "datetime":
                return exact(datetime.fromisoformat(literal.text))
        except (ValueError, OverflowError):
            raise self._refuse(literal.at, f"Invalid date: {literal.text}", "INVALID_QUERY_FILTER_OPERATOR") from None
        raise self._wrong_type(left, literal)
