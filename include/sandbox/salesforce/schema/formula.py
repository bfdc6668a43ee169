"""Compiles Salesforce formulas, of formula fields and validation rules, to SQL expressions.

Source: Salesforce Help, "Formula Operators and Functions", "Formula Field Blanks". What is not covered is refused by name
when the org starts.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

from sandbox.salesforce.schema.formula_functions import FUNCTIONS, FormulaError, Part, boolean, combined, quoted
from sandbox.salesforce.schema.model import ID_TYPES, NUMBER_TYPES, Field, FieldType, Object, Schema

_TOKEN = re.compile(
    r"""\s*(?:/\*.*?\*/\s*)*(?:
      (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<number>\d+(?:\.\d*)?|\.\d+)
    | (?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)
    | (?P<symbol>&&|\|\||<>|!=|<=|>=|==|[-+*/^&=<>!(),])
    )""",
    re.VERBOSE | re.DOTALL,
)
_LEVELS = (("||",), ("&&",), ("=", "==", "<>", "!="), ("<", "<=", ">", ">="), ("&",), ("+", "-"), ("*", "/"), ("^",))
_SAME = {"==": "=", "<>": "!="}
_DEEPEST = 5  # formula fields made of formula fields, and parents' parents


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What field names mean: `own` and `prior` give the SQL of a stored field of the record and of its old values.

    `new` is the SQL of whether the record is being created; it and `prior` are there for validation rules only.
    """

    schema: Schema
    object: Object
    own: Callable[[str], str]
    today: date
    blank_as_zero: bool = True
    prior: Callable[[str], str] | None = None
    new: str | None = None
    depth: int = 0


def field_sql(schema: Schema, obj: Object, field: Field, table: str, today: date) -> str:
    """Return the SQL of a formula field over a table alias, brought to its type and scale."""
    names = Names(schema=schema, object=obj, own=lambda name: f'{table}."{name}"', today=today)
    return f"({_own_field(names, field).sql})"


def condition(names: Names, text: str) -> str:
    """Return the SQL of a validation rule's condition: 1 where it holds."""
    return f"coalesce({boolean(_Parser(text, names).whole())}, 0)"


def check(schema: Schema) -> None:
    """Compile every formula once.

    Raises:
        FormulaError: One says what this org can't compute; the message names it.
    """
    for obj in schema.objects.values():
        for field in obj.fields.values():
            if field.formula is not None:
                try:
                    field_sql(schema, obj, field, "t", date.min)
                except FormulaError as error:
                    raise FormulaError(f"{obj.name}.{field.name}: {error}") from error
        for rule in obj.validations:
            try:
                condition(rule_names(schema, obj, date.min), rule.condition)
            except FormulaError as error:
                raise FormulaError(f"validation rule {obj.name}.{rule.name}: {error}") from error


def rule_names(schema: Schema, obj: Object, today: date) -> Names:
    """Return what names mean in a validation rule: ``j.value`` holds the record's values in JSON, as n(ew) and o(ld)."""
    return Names(
        schema=schema,
        object=obj,
        own=lambda name: f"json_extract(j.value, '$.n.{name}')",
        prior=lambda name: f"json_extract(j.value, '$.o.{name}')",
        new="json_extract(j.value, '$.o') IS NULL",
        today=today,
    )


def _own_field(names: Names, field: Field) -> Part:
    if field.formula is None:
        return _typed(names, field, names.own(field.name))
    if names.depth >= _DEEPEST:
        raise FormulaError(f"{field.name} is made of itself, or of formulas nested too deeply")
    deeper = replace(names, blank_as_zero=field.blank_as_zero, prior=None, new=None, depth=names.depth + 1)
    part = _Parser(field.formula, deeper).whole()
    if field.type is FieldType.BOOLEAN:
        return Part(f"coalesce({boolean(part)}, 0)", "boolean")
    if field.type in NUMBER_TYPES:
        scale = field.scale + 2 if field.type is FieldType.PERCENT else field.scale
        times = " * 100" if field.type is FieldType.PERCENT else ""
        return Part(f"round({part.sql}, {scale}){times}", "number")
    return Part(part.sql, field.type.value if field.type in (FieldType.DATE, FieldType.DATETIME) else "text")


def _typed(names: Names, field: Field, sql: str) -> Part:
    if field.type is FieldType.BOOLEAN:
        return Part(f"coalesce({sql}, 0)", "boolean")
    if field.type in NUMBER_TYPES:
        part = f"coalesce({sql}, 0.0)" if names.blank_as_zero else sql
        return Part(f"({part} / 100.0)" if field.type is FieldType.PERCENT else part, "number")
    if field.type in (FieldType.DATE, FieldType.DATETIME):
        return Part(sql, field.type.value)
    if field.type in ID_TYPES:
        return Part(f"substr({sql}, 1, 15)", "text")  # formulas see the short form
    return Part(sql, "text")


class _Parser:
    """One formula being compiled."""

    def __init__(self, text: str, names: Names) -> None:
        self.names = names
        self.tokens: list[tuple[str, str]] = []
        at, text = 0, text.strip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise FormulaError(f"{text[at : at + 10]!r} is not understood")
            self.tokens.append((match.lastgroup or "", match[match.lastgroup or ""]))
            at = match.end()
        self.tokens.append(("end", "the end"))
        self.next = 0

    def whole(self) -> Part:
        part = self.binary(0)
        if self.tokens[self.next][0] != "end":
            raise FormulaError(f"{self.tokens[self.next][1]} is not expected")
        return part

    def symbol(self, *symbols: str) -> str | None:
        kind, text = self.tokens[self.next]
        if kind == "symbol" and text in symbols:
            self.next += 1
            return text
        return None

    def expect(self, symbol: str) -> None:
        if not self.symbol(symbol):
            raise FormulaError(f"{symbol} is expected before {self.tokens[self.next][1]}")

    def binary(self, level: int) -> Part:
        if level == len(_LEVELS):
            return self.unary()
        left = self.binary(level + 1)
        while operator := self.symbol(*_LEVELS[level]):
            left = combined(_SAME.get(operator, operator), left, self.binary(level + 1))
        return left

    def unary(self) -> Part:
        if self.symbol("-"):
            return Part(f"(- {self.unary().sql})", "number")
        if self.symbol("!"):
            return Part(f"(NOT {boolean(self.unary())})", "boolean")
        self.symbol("+")
        return self.primary()

    def primary(self) -> Part:
        if self.symbol("("):
            part = self.binary(0)
            self.expect(")")
            return part
        kind, text = self.tokens[self.next]
        self.next += 1
        if kind == "number":
            return Part(repr(float(text)), "number")
        if kind == "string":
            return Part(quoted(re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\t"}.get(m[1], m[1]), text[1:-1])), "text")
        if kind != "name":
            raise FormulaError(f"{text} is not expected")
        if text.lower() in ("true", "false"):
            return Part(str(int(text.lower() == "true")), "boolean")
        if text.lower() == "null":
            return Part("NULL", "null")
        return self.call(text) if self.symbol("(") else _named(self.names, text.split("."), text)

    def call(self, name: str) -> Part:
        lower = name.lower()
        if lower == "today":
            self.expect(")")
            return Part(quoted(self.names.today.isoformat()), "date")
        if lower in ("isnew", "ischanged", "priorvalue"):
            return self._history(lower)
        arguments: list[Part] = []
        if not self.symbol(")"):
            arguments.append(self.binary(0))
            while self.symbol(","):
                arguments.append(self.binary(0))
            self.expect(")")
        if lower not in FUNCTIONS:
            raise FormulaError(f"the function {name} is not covered by the local org")
        fewest, most, build = FUNCTIONS[lower]
        if not fewest <= len(arguments) <= most:
            raise FormulaError(f"{name} does not take {len(arguments)} arguments")
        return build(*arguments)

    def _history(self, function: str) -> Part:
        names = self.names
        if names.prior is None or names.new is None:
            raise FormulaError(f"{function.upper()} is for validation rules only")
        if function == "isnew":
            self.expect(")")
            return Part(f"({names.new})", "boolean")
        kind, text = self.tokens[self.next]
        field = names.object.field(text) if kind == "name" else None
        if field is None or not field.stored:
            raise FormulaError(f"{function.upper()} takes a stored field of {names.object.name}, not {text}")
        self.next += 1
        self.expect(")")
        now, before = names.own(field.name), names.prior(field.name)
        if function == "ischanged":
            return Part(f"(NOT ({names.new}) AND {now} IS NOT {before})", "boolean")
        return _typed(names, field, f"CASE WHEN {names.new} THEN {now} ELSE {before} END")


def _named(names: Names, parts: list[str], text: str) -> Part:
    obj = names.object
    if len(parts) == 1:
        field = obj.field(parts[0])
        if field is None or field.type is FieldType.ADDRESS:
            raise FormulaError(f"{obj.name} has no field {text}")
        return _own_field(names, field)
    via = next((f for f in obj.fields.values() if (f.relationship or "").lower() == parts[0].lower()), None)
    target = names.schema.object(via.reference_to[0]) if via else None
    if via is None or target is None or names.depth >= _DEEPEST:
        raise FormulaError(f"{obj.name} has no relationship {parts[0]}, or {text} is too long")
    table = f"f{names.depth}"
    above = replace(
        names, object=target, own=lambda name: f'{table}."{name}"', prior=None, new=None, depth=names.depth + 1
    )
    part = _named(above, parts[1:], text)
    return Part(f'(SELECT {part.sql} FROM "{target.name}" {table} WHERE {table}.Id = {names.own(via.name)})', part.type)  # noqa: S608 - names come from the schema
