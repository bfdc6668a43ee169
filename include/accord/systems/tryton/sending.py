"""Sending in batches: one bad record of a refused batch is found by dividing it, and every record's outcome is told."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import pyarrow as pa

from accord.categories import Category
from accord.errors import BadCredentials, InDoubt, Recovery, SchemaDrift, Unavailable
from accord.ports import Sending
from accord.systems.results import Outcome, results, unanswered
from accord.systems.tryton.client import Conflict, Crowded, Refused, TrytonClient
from accord.systems.tryton.reading import slices
from accord.systems.tryton.refusals import NOT_ALLOWED, Meaning, meaning_of

log = logging.getLogger(__name__)

STOPPED = (Unavailable, InDoubt, BadCredentials, SchemaDrift)  # what ends the sending of a whole table
BATCH = 100  # more gains nothing, and halving stays cheap
Row = Mapping[str, Any]


class Sender(ABC):
    """Sends one table of changes. Used once. A subclass says what is called; `refusals` are meanings of its own, `race` is the
    category of those that mean somebody else was first, `batch` how many records go into one call, `halve` whether a refused one
    is halved: where a call's work is its records', asking each alone does less of it again."""

    refusals: ClassVar[tuple[Meaning, ...]] = ()
    race: ClassVar[Category] = Category.DUPLICATE_KEY
    batch: ClassVar[int] = BATCH
    halve: ClassVar[bool] = True

    def __init__(self, client: TrytonClient, sending: Sending) -> None:
        self._client, self._sending = client, sending
        self._outcomes: dict[str, Outcome] = {}
        self._asked = False  # whether anything was sent: from then on trouble is told per record

    def send(self, changes: pa.Table) -> pa.Table:
        """RESULTS for `changes` (collapsed), in their order."""
        rows = changes.to_pylist()
        try:
            self._send_all(rows)
        except STOPPED as stopped:
            if not self._asked:
                raise  # nothing was sent
            log.warning("the rest of %d records was not sent: %s", len(rows), stopped)
            for row in rows:
                self._outcomes.setdefault(row["key"], not_asked(stopped))
        return results((row["key"], self._outcomes[row["key"]]) for row in rows)

    @abstractmethod
    def _send_all(self, rows: list[Row]) -> None:
        """Have each of `rows` told, by way of `_each`."""

    def _each(
        self,
        rows: Iterable[Row],
        call: Callable[[list[Row]], None],
        *,
        done: Callable[[list[Row]], None] | None = None,
        raced: Callable[[Row], None] | None = None,
    ) -> None:
        """`call` with batches of `rows`; a refused batch is divided until the refused records stand alone."""
        waiting = list(slices(rows, self.batch))
        while waiting:
            some = waiting.pop(0)
            self._sending.before_request()
            try:
                call(some)
            except Conflict as conflict:
                self._asked = True
                for row in some:
                    self._tell(row, _locked(conflict, row["native"]))
            except Refused as refused:
                if NOT_ALLOWED in refused.text:  # a call that is refused changes nothing
                    raise SchemaDrift(refused.text, cure="Give the integration user the right in Tryton.") from None
                self._asked = True
                if len(some) > 1:
                    waiting[:0] = slices(some, -(-len(some) // 2) if self.halve else 1)
                elif raced and meaning_of(refused.text, self.refusals).category is self.race:
                    raced(some[0])
                else:
                    self._tell(some[0], _refused(refused, self.refusals, some[0]["native"]))
            except InDoubt:
                self._asked = True
                for row in some:
                    self._tell(row, unanswered(row["native"]))
            else:
                self._asked = True
                if done:
                    done(some)

    def _open_rows(self, rows: Iterable[Row], which: Callable[[Row], bool]) -> list[Row]:
        return [row for row in rows if which(row) and row["key"] not in self._outcomes]

    def _tell(self, row: Row, outcome: Outcome) -> None:
        self._outcomes[row["key"]] = outcome


def not_asked(stopped: BaseException) -> Outcome:
    """Left over, as sending ended before."""
    category = Category.OUTAGE if isinstance(stopped, Unavailable) else Category.INTERRUPTED
    return Outcome(outcome=Recovery.RETRY, category=category, message="The ERP was not asked any more.")


def reject(category: Category, message: str, native: str | None = None, answer: str | None = None) -> Outcome:
    """It can't pass as it is. `message` and `answer` carry no record values."""
    return Outcome(outcome=Recovery.REJECT, native=native, category=category, message=message, answer=answer)


def _refused(refused: Refused, own: tuple[Meaning, ...], native: str | None) -> Outcome:
    """The refusal without its words, which quote values."""
    meaning = meaning_of(refused.text or refused.kind, own)
    kind = refused.kind if refused.kind.isidentifier() else "error"
    return Outcome(
        outcome=_recovery(meaning),
        native=native,
        category=meaning.category,
        message=meaning.message,
        answer=f"{kind}: {meaning.name}",
    )


def _recovery(meaning: Meaning) -> Recovery:
    if meaning.category is Category.LOCKED:
        return Recovery.RETRY
    return Recovery.HOLD if meaning.hold else Recovery.REJECT


def _locked(conflict: Conflict, native: str | None) -> Outcome:
    if isinstance(conflict, Crowded):
        category, message = Category.TABLES_LOCKED, "Other work in the ERP holds its tables."
    else:
        category, message = Category.LOCKED, "Somebody else changed the record meanwhile."
    return Outcome(outcome=Recovery.RETRY, native=native, category=category, message=message)
