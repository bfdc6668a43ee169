# ruff: noqa: S608 - statements are made of names from the schema; values are always parameters
"""Turns a parsed query into SQL statements and a plan for putting records together."""

from collections.abc import Callable
from datetime import date
from itertools import count

from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.schema.model import ID_TYPES, NAME, FieldType, Schema
from sandbox.salesforce.schema.permissions import Actor
from sandbox.salesforce.soql.conditions import Conditions, Sql
from sandbox.salesforce.soql.lexer import refuse
from sandbox.salesforce.soql.parser import parse
from sandbox.salesforce.soql.plan import Compiled, Nested, Output, Parent, bare
from sandbox.salesforce.soql.scope import Expression, Scope
from sandbox.salesforce.soql.tree import Call, Item, Path, Query, TypeOf

LARGEST_OFFSET = 2000


class Compiler:
    """Compiles one query for one user."""

    def __init__(self, text: str, schema: Schema, actor: Actor, today: date, *, deleted: bool) -> None:
        self.text, self.schema, self.actor, self.today, self.deleted = text, schema, actor, today, deleted
        numbers = count()
        self._alias: Callable[[], str] = lambda: f"t{next(numbers)}"

    def compile(self) -> Compiled:
        """Parse and compile.

        Raises:
            ApiError: The query is malformed, names what the user can't see, or asks what is not covered.
        """
        return self._level(parse(self.text))

    def _scope(self, query: Query, name: str) -> Scope:
        return Scope(
            self.text, self.schema, self.actor, name, query.object_at, query.alias, self._alias, today=self.today
        )

    def _level(self, query: Query) -> Compiled:
        scope = self._scope(query, query.object)
        return self._plan(query, scope)

    def _plan(self, query: Query, scope: Scope) -> Compiled:
        where = self._where(query, scope)
        plan = Compiled(
            object=scope.object,
            table=scope.table,
            source="",
            joins="",
            where=where,
            order="",
            limit=query.limit,
            offset=query.offset,
        )
        if query.offset > LARGEST_OFFSET:
            raise ApiError(400, "NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {LARGEST_OFFSET}")
        first = query.items[0].what
        if len(query.items) == 1 and isinstance(first, Call) and first.name == "count" and not first.arguments:
            plan.counting = True
        elif query.group or any(isinstance(i.what, Call) and self._is_aggregate(i.what) for i in query.items):
            self._aggregate(query, scope, plan)
        else:
            self._select(query, scope, plan)
        plan.order = self._order(query, scope, plan)
        plan.source, plan.joins = scope.source, scope.joins
        return plan

    @staticmethod
    def _is_aggregate(call: Call) -> bool:
        return call.name in ("count", "count_distinct", "sum", "avg", "min", "max")

    def _where(self, query: Query, scope: Scope) -> Sql:
        live = "1" if self.deleted else f"{scope.table}.IsDeleted = 0"
        if query.where is None:
            return live, []
        sql, values = Conditions(scope, self.today, self._inner).sql(query.where)
        return f"{live} AND {sql}", values

    def _inner(self, query: Query) -> Sql:
        scope = self._scope(query, query.object)
        what = query.items[0].what
        if len(query.items) != 1 or not isinstance(what, Path):
            raise refuse(self.text, query.at, "The inner select of a semi-join takes exactly one field")
        expression = scope.path(what)
        if expression.field.type not in ID_TYPES:
            raise refuse(self.text, what.at, "The inner select field must be an id or a reference", "INVALID_FIELD")
        where, values = self._where(query, scope)
        # A null in the list would make every NOT IN unknown.
        sql = f"SELECT {expression.sql} FROM {scope.source} WHERE {where} AND {expression.sql} IS NOT NULL"
        return sql, values

    def _order(self, query: Query, scope: Scope, plan: Compiled) -> str:
        terms = []
        for order in query.order:
            expression = scope.operand(order.by, aggregates=plan.aggregate)
            if not expression.field.filterable or expression.field.type is FieldType.MULTIPICKLIST:
                raise refuse(
                    self.text,
                    order.by.at,
                    f"field '{expression.field.name}' can not be sorted in a query call",
                    "INVALID_FIELD",
                )
            direction = "DESC" if order.descending else "ASC"
            terms.append(f"{expression.ordered} {direction} NULLS {'LAST' if order.nulls_last else 'FIRST'}")
        return " ORDER BY " + ", ".join(terms) if terms else ""

    def _aggregate(self, query: Query, scope: Scope, plan: Compiled) -> None:
        plan.aggregate = True
        grouped = [scope.operand(operand) for operand in query.group]
        if grouped:
            plan.group = " GROUP BY " + ", ".join(expression.ordered for expression in grouped)
        unnamed = count()
        for item in query.items:
            if isinstance(item.what, Query):
                raise refuse(self.text, query.at, "Subqueries are not allowed in an aggregate query")
            if isinstance(item.what, TypeOf):
                raise refuse(self.text, item.what.at, "TYPEOF is not allowed in an aggregate query")
            expression = scope.operand(item.what, aggregates=True)
            if not expression.aggregate and expression.sql not in [g.sql for g in grouped]:
                raise refuse(self.text, item.what.at, f"Field must be grouped or aggregated: {expression.field.name}")
            plain = isinstance(item.what, Path)
            name = item.alias or (expression.field.name if plain else f"expr{next(unnamed)}")
            plan.outputs.append(Output(expression.sql, (name,), expression.field))
        if query.having is not None:
            sql, values = Conditions(scope, self.today, self._inner, aggregates=True).sql(query.having)
            plan.having = (f" HAVING {sql}", values)

    def _select(self, query: Query, scope: Scope, plan: Compiled) -> None:
        seen: set[tuple[str, ...]] = set()
        for item in query.items:
            if isinstance(item.what, Query):
                plan.children.append(self._nested(item.what, scope))
                continue
            for output in self._outputs(item, scope, query):
                if output.names in seen:
                    raise refuse(
                        self.text, item.what.at, f"duplicate field selected: {'.'.join(output.names)}", "INVALID_FIELD"
                    )
                seen.add(output.names)
                plan.outputs.append(output)
        paths = {output.names[:depth] for output in plan.outputs for depth in range(1, len(output.names))}
        for relation in {names[-1].partition(":")[0] for names in paths if ":" in names[-1] and bare(names) in paths}:
            raise refuse(self.text, query.at, f"{relation}: a relationship of TYPEOF can't be in the field list too")
        for names in paths:
            table, obj, _ = scope.walk(names, 0)
            objects = {o.prefix: o.name for o in self.schema.objects.values()} if obj is NAME else {}
            plan.parents.append(Parent(f"{table}.Id", names, obj.name, objects))

    def _outputs(self, item: Item, scope: Scope, query: Query) -> list[Output]:
        if isinstance(item.what, Query):
            return []
        if isinstance(item.what, TypeOf):
            return [self._output(scope.path(path), scope) for path in scope.narrowed(item.what)]
        if isinstance(item.what, Call) and item.what.name == "fields":
            return self._fields_function(item.what, scope, query)
        expression = scope.operand(item.what)
        if isinstance(item.what, Call):
            names: tuple[str, ...] = (item.alias,) if item.alias else expression.names or (item.what.name,)
            return [Output(expression.sql, names, expression.field)]
        if item.alias:
            raise refuse(self.text, item.what.at, "only aggregate expressions use field aliasing")
        return [self._output(expression, scope)]

    def _output(self, expression: Expression, scope: Scope) -> Output:
        if expression.field.type is not FieldType.ADDRESS:
            return Output(expression.sql, expression.names, expression.field)
        table, _, _ = scope.walk(expression.names[:-1], 0)
        prefix = expression.field.name.removesuffix("Address")
        parts = ("City", "Country", "CountryCode", "PostalCode", "State", "StateCode", "Street")
        pairs = ", ".join(f"'{p[0].lower()}{p[1:]}', {table}.\"{prefix}{p}\"" for p in parts)
        filled = f"coalesce({', '.join(f'{table}.{chr(34)}{prefix}{p}{chr(34)}' for p in parts)})"
        nothing = "'geocodeAccuracy', NULL, 'latitude', NULL, 'longitude', NULL"
        return Output(
            f"CASE WHEN {filled} IS NULL THEN NULL ELSE json_object({pairs}, {nothing}) END",
            expression.names,
            expression.field,
        )

    def _fields_function(self, call: Call, scope: Scope, query: Query) -> list[Output]:
        which = call.arguments[0].parts[0].lower() if call.arguments and isinstance(call.arguments[0], Path) else ""
        if which not in ("all", "standard", "custom"):
            raise refuse(self.text, call.at, "FIELDS takes ALL, STANDARD or CUSTOM")
        if which != "standard" and (query.limit is None or query.limit > 200):
            raise refuse(self.text, call.at, "The SOQL FIELDS function must have a LIMIT of at most 200")
        return [
            self._output(scope.path(Path((f.name,), call.at)), scope)
            for f in scope.object.fields.values()
            if self.actor.permissions.reads(scope.object, f) and (which == "all" or f.custom == (which == "custom"))
        ]

    def _nested(self, query: Query, scope: Scope) -> Nested:
        for child in self.schema.children(scope.object):
            name = child.field.child_relationship
            if (
                name
                and name.lower() == query.object.lower()
                and self.actor.permissions.allows(child.object, "read")
                and self.actor.permissions.reads(child.object, child.field)
            ):
                inner = self._scope(query, child.object.name)
                plan = self._plan(query, inner)
                if plan.aggregate or plan.counting or plan.children:
                    raise refuse(self.text, query.at, "This kind of subquery is not covered by the local org")
                return Nested(name, child, plan)
        raise refuse(
            self.text,
            query.object_at,
            f"Didn't understand relationship '{query.object}' in FROM part of query "
            "call. If you are attempting to use a custom relationship, be sure to append the '__r' after the "
            "custom relationship name. Please reference your WSDL or the describe call for the appropriate "
            "names.",
            "INVALID_TYPE",
        )
