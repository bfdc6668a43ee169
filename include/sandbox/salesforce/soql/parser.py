"""Parses SOQL by recursive descent. What the org does not cover is refused by name."""

from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.soql.lexer import Token, refuse, tokens
from sandbox.salesforce.soql.tree import (
    Call,
    Compare,
    Condition,
    Item,
    Literal,
    Logic,
    Operand,
    Order,
    Path,
    Query,
    SemiJoin,
    TypeOf,
)

_CLAUSES = frozenset(
    {"from", "where", "group", "having", "order", "limit", "offset", "with", "for", "using", "update", "all"}
)
_COMPARISONS = {"=": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_DEEPEST = 60


class Parser:
    """One query being parsed."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens(text)
        self.next = 0
        self.depth = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.next]

    def word(self, *words: str) -> bool:
        """Consume the words if they come next, in any letter case."""
        for offset, word in enumerate(words):
            at = min(self.next + offset, len(self.tokens) - 1)
            if self.tokens[at].kind != "name" or self.tokens[at].text.lower() != word:
                return False
        self.next += len(words)
        return True

    def symbol(self, symbol: str) -> bool:
        """Consume the symbol if it comes next."""
        if self.token.kind == "symbol" and self.token.text == symbol:
            self.next += 1
            return True
        return False

    def unexpected(self) -> ApiError:
        """Return the refusal of the next token."""
        if self.token.kind == "end":
            return refuse(self.text, len(self.text.rstrip()), "unexpected token: '<EOF>'")
        return refuse(self.text, self.token.at, f"unexpected token: '{self.token.text}'")

    def uncovered(self, what: str) -> ApiError:
        """Return the refusal of a feature that Salesforce has and this org does not."""
        return refuse(self.text, self.token.at, f"{what} is not covered by the local org")

    def expect(self, symbol: str) -> None:
        if not self.symbol(symbol):
            raise self.unexpected()

    def expect_word(self, *words: str) -> None:
        for word in words:
            if not self.word(word):
                raise self.unexpected()

    def name(self) -> Token:
        if self.token.kind != "name":
            raise self.unexpected()
        self.next += 1
        return self.tokens[self.next - 1]

    def whole(self) -> Query:
        """Parse a complete query."""
        query = self.query()
        if self.token.kind != "end":
            raise self.unexpected()
        return query

    def query(self) -> Query:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise refuse(self.text, self.token.at, "The query is nested too deeply")
        at = self.token.at
        self.expect_word("select")
        items = [self.item()]
        while self.symbol(","):
            items.append(self.item())
        self.expect_word("from")
        source = self.name()
        alias = self._alias()
        if self.symbol(","):
            raise self.uncovered("FROM with several objects")
        if self.word("using"):
            self.expect_word("scope")
            if self.name().text.lower() not in ("everything", "mine"):
                raise self.uncovered("This scope")
        where = self.condition() if self.word("where") else None
        while self.word("with"):
            if not (self.word("security_enforced") or self.word("user_mode") or self.word("system_mode")):
                raise self.uncovered("This WITH clause")
        group: list[Operand] = []
        having = None
        if self.word("group", "by"):
            group.append(self.operand())
            while self.symbol(","):
                group.append(self.operand())
            if any(isinstance(g, Call) and g.name in ("rollup", "cube") for g in group):
                raise self.uncovered("GROUP BY ROLLUP and CUBE")
            having = self.condition() if self.word("having") else None
        order: list[Order] = []
        if self.word("order", "by"):
            order.append(self._order())
            while self.symbol(","):
                order.append(self._order())
        limit = self._count() if self.word("limit") else None
        offset = self._count() if self.word("offset") else 0
        while self.word("for") or self.word("update"):
            if not (self.word("view") or self.word("reference") or self.word("tracking") or self.word("viewstat")):
                raise self.unexpected()
        self.depth -= 1
        return Query(
            items=tuple(items),
            object=source.text,
            object_at=source.at,
            alias=alias,
            where=where,
            group=tuple(group),
            having=having,
            order=tuple(order),
            limit=limit,
            offset=offset,
            at=at,
        )

    def _alias(self) -> str | None:
        self.word("as")
        if self.token.kind == "name" and self.token.text.lower() not in _CLAUSES:
            return self.name().text
        return None

    def _count(self) -> int:
        if self.token.kind != "number" or not self.token.text.isdigit():
            raise self.unexpected()
        self.next += 1
        return int(self.tokens[self.next - 1].text)

    def item(self) -> Item:
        """Parse one entry of the SELECT list."""
        if self.symbol("("):
            query = self.query()
            self.expect(")")
            return Item(query, None)
        if self.token.text.lower() == "from":
            raise self.unexpected()
        if self.word("typeof"):
            return Item(self._typeof(), None)
        what = self.operand()
        alias = None
        if self.token.kind == "name" and self.token.text.lower() != "from":
            alias = self.name().text
        return Item(what, alias)

    def _typeof(self) -> TypeOf:
        path = self._path()
        cases = []
        while self.word("when"):
            name = self.name()
            self.expect_word("then")
            cases.append((name.text, name.at, self._paths()))
        if not cases:
            raise self.unexpected()
        otherwise = self._paths() if self.word("else") else ()
        self.expect_word("end")
        return TypeOf(path, tuple(cases), otherwise)

    def _paths(self) -> tuple[Path, ...]:
        found = [self._path()]
        while self.symbol(","):
            found.append(self._path())
        return tuple(found)

    def _path(self) -> Path:
        name = self.name()
        return Path(tuple(name.text.split(".")), name.at)

    def operand(self) -> Operand:
        """Parse a field path or a function call."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise refuse(self.text, self.token.at, "The query is nested too deeply")
        name = self.name()
        result: Operand
        if self.symbol("("):
            arguments: list[Operand] = []
            if not self.symbol(")"):
                arguments.append(self.operand())
                while self.symbol(","):
                    arguments.append(self.operand())
                self.expect(")")
            result = Call(name.text.lower(), tuple(arguments), name.at)
        else:
            result = Path(tuple(name.text.split(".")), name.at)
        self.depth -= 1
        return result

    def _order(self) -> Order:
        by = self.operand()
        descending = self.word("desc")
        if not descending:
            self.word("asc")
        last = False
        if self.word("nulls"):
            last = self.word("last")
            if not last:
                self.expect_word("first")
        return Order(by, descending, last)

    def condition(self) -> Condition:
        """Parse conditions joined by AND or OR; Salesforce wants parentheses where the two are mixed."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise refuse(self.text, self.token.at, "The condition is nested too deeply")
        terms = [self._term()]
        operator = ""
        while self.token.kind == "name" and self.token.text.lower() in ("and", "or"):
            word = self.token.text.lower()
            if operator and word != operator:
                raise self.unexpected()
            operator = word
            self.next += 1
            terms.append(self._term())
        self.depth -= 1
        return Logic(operator, tuple(terms)) if operator else terms[0]

    def _term(self) -> Condition:
        if self.word("not"):
            self.depth += 1
            if self.depth > _DEEPEST:
                raise refuse(self.text, self.token.at, "The condition is nested too deeply")
            term = Logic("not", (self._term(),))
            self.depth -= 1
            return term
        if self.symbol("("):
            inside = self.condition()
            self.expect(")")
            return inside
        return self._comparison()

    def _comparison(self) -> Condition:
        left = self.operand()
        if self.token.kind == "symbol" and self.token.text in _COMPARISONS:
            operator = _COMPARISONS[self.token.text]
            self.next += 1
            return Compare(left, operator, (self._literal(),))
        if self.word("like"):
            return Compare(left, "like", (self._literal(),))
        negated = self.word("not")
        if self.word("in"):
            at = self.token
            self.expect("(")
            if self.token.kind == "name" and self.token.text.lower() == "select":
                query = self.query()
                self.expect(")")
                if not isinstance(left, Path):
                    raise refuse(self.text, at.at, "a semi-join needs a field on its left")
                return SemiJoin(left, query, negated)
            return Compare(left, "in", self._list(), negated)
        if not negated and (self.word("includes") or self.word("excludes")):
            operator = self.tokens[self.next - 1].text.lower()
            self.expect("(")
            return Compare(left, operator, self._list())
        raise self.unexpected()

    def _list(self) -> tuple[Literal, ...]:
        values = [self._literal()]
        while self.symbol(","):
            values.append(self._literal())
        self.expect(")")
        return tuple(values)

    def _literal(self) -> Literal:
        token = self.token
        if token.kind in ("string", "number", "date", "datetime"):
            self.next += 1
            return Literal(token.kind, token.text, token.at)
        if token.kind == "name":
            self.next += 1
            lower = token.text.lower()
            if lower in ("true", "false"):
                return Literal("boolean", lower, token.at)
            if lower == "null":
                return Literal("null", "", token.at)
            if self.symbol(":"):
                return Literal("period", f"{lower}:{self._count()}", token.at)
            return Literal("period", lower, token.at)
        raise self.unexpected()


def parse(text: str) -> Query:
    """Return the tree of a query.

    Raises:
        ApiError: MALFORMED_QUERY, with the place marked.
    """
    return Parser(text).whole()
