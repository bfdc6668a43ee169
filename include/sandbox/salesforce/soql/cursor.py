"""Reads a query token by token: what comes next, and the refusal of what should not."""

from collections.abc import Iterator
from contextlib import contextmanager

from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.soql.lexer import Token, refuse, tokens

_DEEPEST = 60


class Cursor:
    """The tokens of a query, and the place of the next one."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens(text)
        self.next = 0
        self.depth = 0

    @property
    def token(self) -> Token:
        """The next token."""
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
        """Consume the symbol, or refuse what comes instead."""
        if not self.symbol(symbol):
            raise self.unexpected()

    def expect_word(self, *words: str) -> None:
        """Consume the words, or refuse what comes instead."""
        for word in words:
            if not self.word(word):
                raise self.unexpected()

    def name(self) -> Token:
        """Consume a name and return it, or refuse what comes instead."""
        if self.token.kind != "name":
            raise self.unexpected()
        self.next += 1
        return self.tokens[self.next - 1]

    @contextmanager
    def nested(self, what: str) -> Iterator[None]:
        """Go one level deeper; `what` is being parsed.

        Raises:
            ApiError: MALFORMED_QUERY, it is too deep: nobody's query is, and the parser's own stack would end.
        """
        self.depth += 1
        if self.depth > _DEEPEST:
            raise refuse(self.text, self.token.at, f"The {what} is nested too deeply")
        yield
        self.depth -= 1
