"""One document of the ERP for one record of Salesforce, where the ERP lets any number have the same reference.

A draft is created, the oldest of its reference is kept, the others are cancelled, the kept one is committed. Ids are given before a
transaction ends, so that an older id may appear after a newer one. What keeps one record one document:

1. A document is created only where none of the reference is open or accepted.
2. After that, and before every commitment, the documents of the reference are read. One is kept: an accepted one if there is, else
   the oldest. All others are cancelled *before* the kept one is committed.

Of two senders the one whose document appeared later sees the other's: it can't commit before the other's is cancelled, and that is
refused once the other's is committed. Tryton serializes both on the document's row.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from accord.categories import Category
from accord.errors import Recovery
from accord.systems.results import Outcome
from accord.systems.tryton.sending import Row, Sender

ROUNDS = 8  # of looking who else sends the same record


class Document(Protocol):
    """What is asked of a document: `accepted` by the ERP, or `open`: not yet, and not cancelled either."""

    @property
    def native(self) -> int:
        """Its id."""

    @property
    def state(self) -> str:
        """Its state, as Tryton has it."""

    @property
    def accepted(self) -> bool:
        """It counts."""

    @property
    def open(self) -> bool:
        """It does not count yet."""


D = TypeVar("D", bound=Document)


def kept(documents: Iterable[D]) -> D | None:
    """Which of the documents of one reference counts: the oldest accepted one, else the oldest that is open, else the oldest."""
    ranked = sorted(documents, key=lambda one: (not one.accepted, not one.open, one.native))
    return ranked[0] if ranked else None


class DraftThenCommit(Sender, Generic[D]):
    """Sends one table of changes of records that are drafts before they are documents.

    `model` is the document's; `steps` are (state, button) on the way from a draft to a commitment; `noun` what people call it.
    """

    race = Category.LOCKED
    model: ClassVar[str]
    steps: ClassVar[tuple[tuple[str, str], ...]]
    noun: ClassVar[str]

    @abstractmethod
    def _documents(self, asked: Iterable[tuple[str, str | None]], *, whole: bool = True) -> dict[str, list[D]]:
        """key → its documents in any state, for (key, native) pairs. What is not `whole` need only tell which is kept."""

    def _found(self, rows: Iterable[Row], *, whole: bool = True) -> dict[str, list[D]]:
        rows = list(rows)
        found = self._documents(((row["key"], row["native"]) for row in rows), whole=whole)
        return {row["key"]: found.get(row["key"], []) for row in rows}

    def _make(
        self, rows: list[Row], found: dict[str, list[D]], plan: Callable[[Row, D | None], dict[str, Any] | None]
    ) -> None:
        """Create a draft of each record that has no document, or only one that was left half-way with another content. `plan` gives
        the values of a new draft, None where the one that is open will do."""
        values: dict[str, dict[str, Any]] = {}
        stale: dict[str, list[int]] = {}
        for row in rows:
            document = kept(found[row["key"]])
            if document and document.accepted:
                continue
            wanted = plan(row, document if document and document.open else None)
            if wanted is None:
                continue
            if document and document.open:
                stale[row["key"]] = [one.native for one in found[row["key"]] if one.open]
            values[row["key"]] = wanted
        raced: set[str] = set()

        def cancel(some: list[Row]) -> None:
            self._client.call(f"model.{self.model}.cancel", [native for row in some for native in stale[row["key"]]])

        def create(company: int, some: list[Row]) -> None:
            drafts = [values[row["key"]] for row in some]
            self._client.call(f"model.{self.model}.create", drafts, context={"company": company})

        ready = self._open_rows(rows, lambda row: row["key"] in values)
        self._each([row for row in ready if row["key"] in stale], cancel, raced=lambda row: raced.add(row["key"]))
        by_company: dict[int, list[Row]] = {}
        for row in self._open_rows(ready, lambda row: row["key"] not in raced):
            by_company.setdefault(values[row["key"]]["company"], []).append(row)
        for company, some in by_company.items():
            self._each(some, partial(create, company))

    def _settle(self, rows: list[Row]) -> dict[str, tuple[Row, D]]:
        """Have one document of each record accepted; key → (record, document) of those that are."""
        accepted: list[Row] = []
        for _ in range(ROUNDS):
            found = self._found(rows, whole=False)
            mine = {row["key"]: kept(found[row["key"]]) for row in rows}
            spare = {
                key: [one.native for one in found[key] if one.open and one.native != document.native]
                if document
                else []
                for key, document in mine.items()
            }
            settled = {key for key, document in mine.items() if document and document.accepted and not spare[key]}
            accepted += [row for row in rows if row["key"] in settled]
            rows = [row for row in rows if row["key"] not in settled]
            if not rows:
                break
            self._round(rows, mine, spare)
            rows = self._open_rows(rows, lambda _: True)
        for row in rows:
            said = f"Somebody else is sending the {self.noun}."
            self._tell(row, Outcome(outcome=Recovery.RETRY, category=Category.LOCKED, message=said))
        whole = self._found(accepted)
        return {row["key"]: (row, document) for row in accepted if (document := kept(whole[row["key"]]))}

    def _round(self, rows: list[Row], mine: dict[str, D | None], spare: dict[str, list[int]]) -> None:
        """Cancel the spare documents; move the kept ones of the records that have none accepted on to their commitment."""
        raced: set[str] = set()

        def lost(row: Row) -> None:
            raced.add(row["key"])

        def cancel(some: list[Row]) -> None:
            self._client.call(f"model.{self.model}.cancel", [n for row in some for n in spare[row["key"]]])

        def step(button: str, some: list[Row]) -> None:
            self._client.call(f"model.{self.model}.{button}", [d.native for row in some if (d := mine[row["key"]])])

        self._each([row for row in rows if spare[row["key"]]], cancel, raced=lost)
        states: list[str] = []
        for state, button in self.steps:
            states.append(state)
            ready = self._open_rows(
                rows,
                lambda r: r["key"] not in raced and (d := mine[r["key"]]) is not None and d.open and d.state in states,
            )
            self._each(ready, partial(step, button), raced=lost)
