"""Reading documents of the books: which may have changed, then those, some at a time, whole."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from accord.objects.definition import BusinessObject
from accord.ports import Selection, Sink
from accord.systems import erp_rows
from accord.systems.erp import SourceHandler
from accord.systems.tryton.books import Books, books_of
from accord.systems.tryton.context import Context
from accord.systems.tryton.reading import slices

AT_ONCE = 200  # documents read together, with their lines


class Documents(SourceHandler[Context]):
    """A document has an integer id in one model, and belongs to one legal entity."""

    def extract(self, definition: BusinessObject, selection: Selection, sink: Sink) -> datetime:
        """By Tryton's clock."""
        client = self._context.client
        books, _ = books_of(client, self._context.name)
        read_at = client.clock
        chosen = [(one, sorted(self._chosen(one, selection, read_at))) for one in books]
        sink.expect(sum(len(ids) for _, ids in chosen))
        for one, ids in chosen:
            for some in slices(ids, AT_ONCE):
                erp_rows.write(sink, definition, self.not_read, self._rows(one, some, read_at), selection)
        return read_at

    def _chosen(self, books: Books, selection: Selection, now: datetime) -> set[int]:
        if selection.natives is not None:
            return {int(native) for native in selection.natives if native.isdecimal()}
        return self._selected(books, selection, now)

    @abstractmethod
    def _selected(self, books: Books, selection: Selection, now: datetime) -> set[int]:
        """The documents in `books` that may have changed in the window."""

    @abstractmethod
    def _rows(self, books: Books, ids: list[int], now: datetime) -> list[dict[str, Any]]:
        """Those of the documents that are in `books`, as accord.systems.erp_rows wants them."""


def target_of(reference: str | None, model: str) -> int | None:
    """The id of the record of `model` that a Tryton reference ("model,ID") names; None when it names another or none."""
    name, _, identity = (reference or "").partition(",")
    return int(identity) if name == model and identity.isdecimal() else None


def the_only(values: Iterable[int | None]) -> int | None:
    """The one id there is; None when there is none, or several."""
    found = {value for value in values if value is not None}
    return found.pop() if len(found) == 1 else None
