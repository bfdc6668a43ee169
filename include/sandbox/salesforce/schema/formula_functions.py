"""What formulas are made of: functions and operators as SQL.

Source: Salesforce Help, "Formula Operators and Functions".
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass


class FormulaError(ValueError):
    """A formula says what this org can't compute; the message says what."""


@dataclass(frozen=True, slots=True)
class Part:
    """A compiled expression and what it yields: text, number, boolean, date, datetime or null."""

    sql: str
    type: str


def boolean(part: Part) -> str:
    """Return the SQL of a condition."""
    if part.type not in ("boolean", "null"):
        raise FormulaError(f"a condition is expected where there is a {part.type}")
    return part.sql


def _day(part: Part) -> str:
    return f"date({part.sql})"


def _text(part: Part) -> str:
    if part.type == "number":  # as it is written, without the point of whole numbers
        return (
            f"CASE WHEN {part.sql} = CAST({part.sql} AS INTEGER) THEN CAST({part.sql} AS INTEGER) ELSE {part.sql} END"
        )
    return part.sql


def _blank(part: Part) -> str:
    return f"coalesce({part.sql}, '') = ''" if part.type == "text" else f"{part.sql} IS NULL"


def quoted(text: str) -> str:
    """Return a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def _case(first: Part, *rest: Part) -> Part:
    if len(rest) % 2 == 0:
        raise FormulaError("CASE needs a value for everything else at its end")
    pairs = [f"WHEN {rest[at].sql} THEN {rest[at + 1].sql}" for at in range(0, len(rest) - 1, 2)]
    return Part(f"CASE {first.sql} {' '.join(pairs)} ELSE {rest[-1].sql} END", rest[-1].type)


def _months(day: Part, months: Part) -> Part:
    # The last day of a month stays one, and a day a month does not have becomes its last.
    first = f"date({day.sql}, 'start of month', CAST({months.sql} AS INTEGER) || ' months')"
    last = f"date({first}, '+1 month', '-1 day')"
    ends = f"date({day.sql}) = date({day.sql}, 'start of month', '+1 month', '-1 day')"
    wanted = f"date({first}, (strftime('%d', {day.sql}) - 1) || ' days')"
    return Part(f"CASE WHEN {ends} THEN {last} ELSE min({wanted}, {last}) END", "date")


def _number(template: str) -> Callable[..., Part]:
    return lambda *parts: Part("(" + template.format(*(p.sql for p in parts)) + ")", "number")


def _words(template: str) -> Callable[..., Part]:
    return lambda *parts: Part("(" + template.format(*(p.sql for p in parts)) + ")", "text")


def _holds(template: str) -> Callable[..., Part]:
    return lambda *parts: Part("(" + template.format(*(p.sql for p in parts)) + ")", "boolean")


# Name -> fewest and most arguments, and what they become.
FUNCTIONS: Mapping[str, tuple[int, int, Callable[..., Part]]] = {
    "and": (1, 99, lambda *p: Part("(" + " AND ".join(map(boolean, p)) + ")", "boolean")),
    "or": (1, 99, lambda *p: Part("(" + " OR ".join(map(boolean, p)) + ")", "boolean")),
    "not": (1, 1, lambda p: Part(f"(NOT {boolean(p)})", "boolean")),
    "if": (
        3,
        3,
        lambda c, a, b: Part(
            f"CASE WHEN {boolean(c)} THEN {a.sql} ELSE {b.sql} END", a.type if a.type != "null" else b.type
        ),
    ),
    "case": (4, 99, _case),
    "isblank": (1, 1, lambda p: Part(f"({_blank(p)})", "boolean")),
    "isnull": (1, 1, lambda p: Part(f"({_blank(p)})", "boolean")),
    "blankvalue": (2, 2, lambda p, q: Part(f"CASE WHEN {_blank(p)} THEN {q.sql} ELSE {p.sql} END", p.type)),
    "nullvalue": (2, 2, lambda p, q: Part(f"CASE WHEN {_blank(p)} THEN {q.sql} ELSE {p.sql} END", p.type)),
    "ispickval": (2, 2, _holds("coalesce({0}, '') = {1}")),
    "includes": (2, 2, _holds("instr(';' || coalesce({0}, '') || ';', ';' || {1} || ';') > 0")),
    "contains": (2, 2, _holds("instr(coalesce({0}, ''), {1}) > 0")),
    "begins": (2, 2, _holds("substr(coalesce({0}, ''), 1, length({1})) = {1}")),
    "text": (1, 1, lambda p: Part(f"({_text(p)})", "text")),
    "value": (1, 1, _number("CAST({0} AS REAL)")),
    "len": (1, 1, _number("length(coalesce({0}, '')) + 0.0")),
    "left": (2, 2, _words("substr({0}, 1, CAST({1} AS INTEGER))")),
    "right": (2, 2, _words("substr({0}, max(1, length({0}) - CAST({1} AS INTEGER) + 1))")),
    "mid": (3, 3, _words("substr({0}, CAST({1} AS INTEGER), CAST({2} AS INTEGER))")),
    "upper": (1, 1, _words("upper({0})")),
    "lower": (1, 1, _words("lower({0})")),
    "trim": (1, 1, _words("trim({0})")),
    "substitute": (3, 3, _words("replace({0}, {1}, {2})")),
    "abs": (1, 1, _number("abs({0})")),
    "round": (2, 2, _number("round({0}, CAST({1} AS INTEGER))")),
    "floor": (1, 1, _number("floor({0})")),
    "ceiling": (1, 1, _number("ceil({0})")),
    "mod": (2, 2, _number("mod({0}, {1})")),
    "min": (2, 99, lambda *p: Part(f"min({', '.join(x.sql for x in p)})", "number")),
    "max": (2, 99, lambda *p: Part(f"max({', '.join(x.sql for x in p)})", "number")),
    "year": (1, 1, _number("CAST(strftime('%Y', {0}) AS REAL)")),
    "month": (1, 1, _number("CAST(strftime('%m', {0}) AS REAL)")),
    "day": (1, 1, _number("CAST(strftime('%d', {0}) AS REAL)")),
    "datevalue": (1, 1, lambda p: Part(_day(p), "date")),
    "date": (3, 3, lambda y, m, d: Part(f"printf('%04d-%02d-%02d', {y.sql}, {m.sql}, {d.sql})", "date")),
    "addmonths": (2, 2, _months),
}


def combined(operator: str, left: Part, right: Part) -> Part:
    """Return what an operator makes of two expressions.

    Raises:
        FormulaError: It is not for these types.
    """
    kinds = {left.type, right.type}
    if operator in ("&&", "||"):
        return Part(f"({boolean(left)} {'AND' if operator == '&&' else 'OR'} {boolean(right)})", "boolean")
    if operator in ("=", "!="):
        # Blank text and no text are the same to a formula.
        sides = [f"coalesce({p.sql}, '')" if "text" in kinds else p.sql for p in (left, right)]
        return Part(f"({sides[0]} {'IS' if operator == '=' else 'IS NOT'} {sides[1]})", "boolean")
    if operator in ("<", "<=", ">", ">="):
        return Part(f"({left.sql} {operator} {right.sql})", "boolean")
    if operator == "&" or (operator == "+" and kinds == {"text"}):
        return Part("(" + " || ".join(f"coalesce({_text(p)}, '')" for p in (left, right)) + ")", "text")
    if operator in ("+", "-") and left.type == "date" and right.type == "number":
        return Part(f"date({left.sql}, ({operator}({right.sql})) || ' days')", "date")
    if operator == "-" and left.type == "date" and right.type == "date":
        return Part(f"(julianday({left.sql}) - julianday({right.sql}))", "number")
    if not kinds <= {"number", "null"}:
        raise FormulaError(f"{left.type} {operator} {right.type} is not covered by the local org")
    if operator == "^":
        return Part(f"pow({left.sql}, {right.sql})", "number")
    return Part(f"({left.sql} {operator} {right.sql})", "number")
