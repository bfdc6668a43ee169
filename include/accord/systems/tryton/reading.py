"""Calls that change nothing, and reading page by page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from accord.errors import InDoubt, Unavailable
from accord.ports import Selection
from accord.systems.tryton.client import TrytonClient

PAGE = 5_000  # plain rows in one call
ANY = ["active", "in", [True, False]]  # a search hides what is inactive unless it is asked for


def reading(client: TrytonClient, method: str, *parameters: Any, context: dict[str, Any] | None = None) -> Any:
    """A call that changes nothing: no answer means no more than that the server is not there. Raises Unavailable."""
    try:
        return client.call(method, *parameters, context=context)
    except InDoubt as silent:
        raise Unavailable("Tryton gave no answer.", cure=silent.cure) from None


def window_of(selection: Selection, path: str = "") -> list[Any]:
    """The condition that a row changed in the window, or one of those at `path` ("lines."): then each bound may be met by another
    of them. Every stored model has `last_modified_at`: when the transaction began."""
    bounds = ((">=", selection.since), ("<", selection.until))
    return [[f"{path}last_modified_at", operator, at] for operator, at in bounds if at]


def paged(
    client: TrytonClient, model: str, domain: list[Any], fields: Sequence[str], **more: Any
) -> Iterator[dict[str, Any]]:
    """Every row of a model in the domain, by id, page by page."""
    last = 0
    while True:
        here = [*domain, ["id", ">", last]]
        rows = reading(client, f"model.{model}.search_read", here, 0, PAGE, [["id", "ASC"]], [*fields], **more)
        yield from rows
        if len(rows) < PAGE:
            return
        last = rows[-1]["id"]


def slices(values: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """The values in lists of at most `size`."""
    rest = iter(values)
    while some := list(islice(rest, size)):
        yield some
