"""Sending customers: parents before children, each level's creates and updates in batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from accord.categories import Category
from accord.errors import Recovery
from accord.ports import Sending
from accord.systems.results import applied, awaits_parent
from accord.systems.tryton.context import Context
from accord.systems.tryton.customer.mapping import REFUSALS
from accord.systems.tryton.customer.party import Held, Impossible, Party, Values, creation, update, wanted_party
from accord.systems.tryton.customer.reading import Parties
from accord.systems.tryton.sending import Row, Sender, reject


class PartySender(Sender):
    """Sends one table of changes of customers."""

    refusals = REFUSALS

    def __init__(self, context: Context, parties: Parties, sending: Sending) -> None:
        super().__init__(context.client, sending)
        self._parties, self._places = parties, context.places

    def _send_all(self, rows: list[Row]) -> None:
        held = self._parties.held((row["key"], row["native"]) for row in rows)
        for row in rows:
            if row["native"] is not None and row["key"] not in held:
                self._tell(
                    row, reject(Category.REFERENCE_UNKNOWN, "The ERP no longer has the customer.", row["native"])
                )
            elif row["gone"] and (row["key"] not in held or not held[row["key"]].active):
                self._tell(row, applied(str(held[row["key"]].id) if row["key"] in held else None))
        self._each(self._open_rows(rows, lambda r: r["gone"]), self._deactivate(held))
        asleep = [
            r for r in self._open_rows(rows, lambda r: not r["gone"]) if r["key"] in held and not held[r["key"]].active
        ]
        if asleep:
            awake: list[Row] = []
            # a call of its own: Tryton refuses to change an inactive record, even together with its revival
            self._each(asleep, lambda some: self._revive(some, held), done=awake.extend)
            held |= self._parties.held((r["key"], str(held[r["key"]].id)) for r in awake)
        for depth in sorted({row["depth"] for row in rows}):
            self._level([row for row in rows if row["depth"] == depth], held)

    def _level(self, rows: list[Row], held: dict[str, Held]) -> None:
        """Create and update the rows of one depth: what they are below is settled."""
        made: list[tuple[Row, Party]] = []
        changed: list[tuple[Row, Party, Values]] = []
        for row in self._open_rows(rows, lambda _: True):
            try:
                party = wanted_party(row, self._parent(row), self._parties.relations, self._places)
            except Impossible as impossible:
                self._tell(row, impossible.outcome)
                continue
            except LookupError:
                self._tell(row, awaits_parent(row["parent"], row["native"]))
                continue
            if row["key"] not in held:
                made.append((row, party))
            elif values := self._update(held[row["key"]], party):
                changed.append((row, party, values))
            else:
                self._tell(row, applied(str(held[row["key"]].id)))
        moves = {
            held[row["key"]].id: party.parent
            for row, party, _ in changed
            if party.parent is not None and party.parent not in held[row["key"]].parents
        }
        loops = self._parties.below_itself(moves)  # Tryton takes them
        writes = []
        for row, _, values in changed:
            if held[row["key"]].id in loops:
                loop = reject(Category.HIERARCHY_LOOP, "The customer would be above itself.", row["native"])
                self._tell(row, loop)
            else:
                writes.append((row, values))
        self._create(made)
        self._write(writes, held)

    def _update(self, held: Held, party: Party) -> Values:
        return update(held, party, self._parties.relations, self._parties.today)

    def _parent(self, row: Row) -> int | None:
        """Tryton's id of the parent. Raises LookupError when it is not there."""
        if row["parent"] is None:
            return None
        outcome = self._outcomes.get(row["parent"])
        came = outcome is not None and outcome.outcome is Recovery.APPLIED
        native = outcome.native if outcome and came else row["parent__native"]
        if native is None:
            raise LookupError(row["parent"])
        return int(native)

    def _create(self, made: list[tuple[Row, Party]]) -> None:
        parties = {row["key"]: party for row, party in made}
        raced: list[Row] = []

        def create(rows: list[Row]) -> None:
            values = [creation(row["key"], parties[row["key"]], self._parties.relations) for row in rows]
            ids = self._client.call("model.party.party.create", values)
            for row, identity in zip(rows, ids, strict=True):
                self._tell(row, applied(str(identity)))

        self._each([row for row, _ in made], create, raced=raced.append)
        if raced:  # somebody else was first with the same code: an update after all
            there = self._parties.held((row["key"], None) for row in raced)
            writes = []
            for row in raced:
                if row["key"] not in there:
                    self._tell(row, reject(Category.DUPLICATE_KEY, "Another party of the ERP has the same code."))
                elif values := self._update(there[row["key"]], parties[row["key"]]):
                    writes.append((row, values))
                else:
                    self._tell(row, applied(str(there[row["key"]].id)))
            self._write(writes, there)

    def _write(self, changed: list[tuple[Row, Values]], held: Mapping[str, Held]) -> None:
        values = {row["key"]: some for row, some in changed}

        def write(rows: list[Row]) -> None:
            pairs: list[Any] = []
            for row in rows:
                pairs += [[held[row["key"]].id], values[row["key"]]]
            self._client.call("model.party.party.write", *pairs)
            for row in rows:
                self._tell(row, applied(str(held[row["key"]].id)))

        self._each([row for row, _ in changed], write)

    def _deactivate(self, held: Mapping[str, Held]) -> Callable[[list[Row]], None]:
        def deactivate(rows: list[Row]) -> None:
            self._client.call("model.party.party.write", [held[row["key"]].id for row in rows], {"active": False})
            for row in rows:
                self._tell(row, applied(str(held[row["key"]].id)))

        return deactivate

    def _revive(self, rows: list[Row], held: Mapping[str, Held]) -> None:
        self._client.call("model.party.party.write", [held[row["key"]].id for row in rows], {"active": True})
