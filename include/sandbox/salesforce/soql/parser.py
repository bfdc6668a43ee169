"""Parses SOQL by recursive descent. What the org does not cover is refused by name."""

from sandbox.salesforce.soql.cursor import Cursor
from sandbox.salesforce.soql.lexer import refuse
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


class Parser(Cursor):
    """One query being parsed."""

    def whole(self) -> Query:
        """Parse a complete query."""
        query = self.query()
        if self.token.kind != "end":
            raise self.unexpected()
        return query

    def query(self) -> Query:
        """Parse a query, the whole or one in parentheses."""
        with self.nested("query"):
            return self._query()

    def _query(self) -> Query:
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
        with self.nested("query"):
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
        with self.nested("condition"):
            terms = [self._term()]
            operator = ""
            while self.token.kind == "name" and self.token.text.lower() in ("and", "or"):
                word = self.token.text.lower()
                if operator and word != operator:
                    raise self.unexpected()
                operator = word
                self.next += 1
                terms.append(self._term())
            return Logic(operator, tuple(terms)) if operator else terms[0]

    def _term(self) -> Condition:
        if self.word("not"):
            with self.nested("condition"):
                return Logic("not", (self._term(),))
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
