"""Splits SOQL text into tokens, and words refusals as Salesforce does, with the place marked."""

import re
from dataclasses import dataclass

from sandbox.salesforce.errors import ApiError

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<string>'(?:[^'\\]|\\.)*')
    | (?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d))
    | (?P<date>\d{4}-\d\d-\d\d)
    | (?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)
    | (?P<symbol><=|>=|!=|<>|[=<>(),:])
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "'": "'", '"': '"', "\\": "\\"}


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the query; `kind` is one of the groups above or ``end``."""

    kind: str
    text: str
    at: int


def refuse(query: str, at: int, message: str, code: str = "MALFORMED_QUERY") -> ApiError:
    """Return the error for a query, showing the line with a caret below the place."""
    before = query[:at]
    row = before.count("\n") + 1
    start = before.rfind("\n") + 1
    end = query.find("\n", at)
    line = query[start : end if end >= 0 else len(query)]
    column = at - start
    left = max(0, column - 40)
    shown, caret = line[left : column + 40], " " * (column - left) + "^"
    return ApiError(400, code, f"\n{shown}\n{caret}\nERROR at Row:{row}:Column:{column + 1}\n{message}")


def tokens(query: str) -> list[Token]:
    """Return the tokens of a query, with an ``end`` token last.

    Raises:
        ApiError: MALFORMED_QUERY for what is no token.
    """
    found: list[Token] = []
    at, size = 0, len(query.rstrip())
    while at < size:
        match = _TOKEN.match(query, at)
        if match is None:
            while query[at].isspace():
                at += 1
            if query[at] == "'":
                raise refuse(query, at, "line 1:0 mismatched character '<EOF>' expecting '''")
            raise refuse(query, at, f"unexpected token: '{query[at]}'")
        kind = match.lastgroup or ""
        found.append(Token(kind, match[kind], match.start(kind)))
        at = match.end()
    found.append(Token("end", "<EOF>", len(query)))
    return found


def unescape(query: str, literal: str, at: int, *, like: bool = False) -> str:
    r"""Return the text a quoted literal stands for.

    With `like`, ``\%`` and ``\_`` stay escaped (with a backslash) and a literal backslash is doubled, ready for SQL's
    LIKE with that escape character.
    """
    body, out, i = literal[1:-1], [], 0
    while i < len(body):
        char = body[i]
        if char != "\\":
            out.append(char)
            i += 1
            continue
        following = body[i + 1]
        if following in ("u", "U") and re.fullmatch(r"[0-9A-Fa-f]{4}", body[i + 2 : i + 6]):
            out.append(chr(int(body[i + 2 : i + 6], 16)))
            i += 6
            continue
        if following in "%_":
            out.append("\\" + following if like else following)
        elif following.lower() in _ESCAPES:
            plain = _ESCAPES[following.lower()]
            out.append("\\\\" if like and plain == "\\" else plain)
        else:
            raise refuse(query, at, f"Illegal string literal escape sequence '\\{following}'")
        i += 2
    return "".join(out)
