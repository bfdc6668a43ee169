"""Sending customers: parents before children, in batches; one bad record of a refused batch is found by halving."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pyarrow as pa

from accord.categories import Category
from accord.errors import BadCredentials, InDoubt, Recovery, SchemaDrift, Unavailable
from accord.ports import Sending
from accord.systems.results import Outcome, applied, awaits_parent, results, unanswered
from accord.systems.tryton.client import Conflict, Refused, TrytonClient
from accord.systems.tryton.mapping import NOT_ALLOWED, meaning_of
from accord.systems.tryton.party import Held, Impossible, Party, Values, creation, update, wanted_party
from accord.systems.tryton.places import Places
from accord.systems.tryton.reading import Parties, slices

BATCH = 100  # more gains nothing, and halving stays cheap
Row = Mapping[str, Any]


class PartySender:
    """Sends one table of changes. Used once."""

    def __init__(self, client: TrytonClient, parties: Parties, places: Places, sending: Sending) -> None:
        self._client, self._parties, self._places, self._sending = client, parties, places, sending
        self._outcomes: dict[str, Outcome] = {}
        self._asked = False  # whether anything was sent: from then on trouble is told per record

    def send(self, changes: pa.Table) -> pa.Table:
        """RESULTS for `changes` (collapsed), in their order."""
        rows = changes.to_pylist()
        held = self._parties.held((row["key"], row["native"]) for row in rows)
        try:
            self._send_all(rows, held)
        except (Unavailable, InDoubt, BadCredentials, SchemaDrift) as stopped:
            if not self._asked:
                raise  # nothing was sent
            category = Category.OUTAGE if isinstance(stopped, Unavailable) else Category.INTERRUPTED
            rest = Outcome(outcome=Recovery.RETRY, category=category, message="The ERP was not asked any more.")
            for row in rows:
                self._outcomes.setdefault(row["key"], rest)
        return results((row["key"], self._outcomes[row["key"]]) for row in rows)

    def _send_all(self, rows: list[Row], held: dict[str, Held]) -> None:
        for row in rows:
            if row["native"] is not None and row["key"] not in held:
                self._tell(
                    row, _reject(Category.REFERENCE_UNKNOWN, "The ERP no longer has the customer.", row["native"])
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
                party = wanted_party(row, self._parent(row), self._places)
            except Impossible as impossible:
                self._tell(row, impossible.outcome)
                continue
            except LookupError:
                self._tell(row, awaits_parent(row["parent"], row["native"]))
                continue
            if row["key"] not in held:
                made.append((row, party))
            elif values := update(held[row["key"]], party, self._parties.relation):
                changed.append((row, party, values))
            else:
                self._tell(row, applied(str(held[row["key"]].id)))
        moves = {
            held[row["key"]].id: party.parent
            for row, party, values in changed
            if "relations" in values and party.parent is not None
        }
        loops = self._parties.below_itself(moves)  # Tryton takes them
        writes = []
        for row, _, values in changed:
            if held[row["key"]].id in loops:
                loop = _reject(Category.HIERARCHY_LOOP, "The customer would be above itself.", row["native"])
                self._tell(row, loop)
            else:
                writes.append((row, values))
        self._create(made)
        self._write(writes, held)

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
            values = [creation(row["key"], parties[row["key"]], self._parties.relation) for row in rows]
            ids = self._client.call("model.party.party.create", values)
            for row, identity in zip(rows, ids, strict=True):
                self._tell(row, applied(str(identity)))

        self._each([row for row, _ in made], create, raced=raced.append)
        if raced:  # somebody else was first with the same code: an update after all
            there = self._parties.held((row["key"], None) for row in raced)
            writes = []
            for row in raced:
                if row["key"] not in there:
                    self._tell(row, _reject(Category.DUPLICATE_KEY, "Another party of the ERP has the same code."))
                elif values := update(there[row["key"]], parties[row["key"]], self._parties.relation):
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

    def _each(
        self,
        rows: Iterable[Row],
        call: Callable[[list[Row]], None],
        *,
        done: Callable[[list[Row]], None] | None = None,
        raced: Callable[[Row], None] | None = None,
    ) -> None:
        """`call` with batches of `rows`; a refused batch is halved until the refused records stand alone."""
        waiting = list(slices(rows, BATCH))
        while waiting:
            some = waiting.pop(0)
            self._sending.before_request()
            try:
                call(some)
            except Conflict:
                self._asked = True
                for row in some:
                    self._tell(row, _locked(row["native"]))
            except Refused as refused:
                if NOT_ALLOWED in refused.text:  # a call that is refused changes nothing
                    raise SchemaDrift(refused.text, cure="Give the integration user the right in Tryton.") from None
                self._asked = True
                if len(some) > 1:
                    middle = len(some) // 2
                    waiting[:0] = [some[:middle], some[middle:]]
                elif raced and meaning_of(refused.text).category is Category.DUPLICATE_KEY:
                    raced(some[0])
                else:
                    self._tell(some[0], _refused(refused, some[0]["native"]))
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


def _reject(category: Category, message: str, native: str | None = None, answer: str | None = None) -> Outcome:
    return Outcome(outcome=Recovery.REJECT, native=native, category=category, message=message, answer=answer)


def _refused(refused: Refused, native: str | None) -> Outcome:
    """The refusal without its words, which quote values."""
    meaning = meaning_of(refused.text or refused.kind)
    kind = refused.kind if refused.kind.isidentifier() else "error"
    return _reject(meaning.category, meaning.message, native, f"{kind}: {meaning.name}")


def _locked(native: str | None) -> Outcome:
    return Outcome(
        outcome=Recovery.RETRY,
        native=native,
        category=Category.LOCKED,
        message="Somebody else changed the record meanwhile.",
    )
