"""Reading the parties of given customers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

import pyarrow as pa

from accord.objects.definition import BusinessObject
from accord.records import conform, schema_of
from accord.systems.collapsing import collapse_text
from accord.systems.erp import CENSUS
from accord.systems.tryton.context import Context
from accord.systems.tryton.customer.mapping import PARTY_FIELDS, code_of, is_key, key_of
from accord.systems.tryton.customer.party import Held, canonical_row, held_party
from accord.systems.tryton.customer.relations import Relations, relations_of
from accord.systems.tryton.reading import ANY, PAGE, paged, reading, slices

_AT_ONCE = 200  # parties with their parts in one call
_HIGHEST = 50  # levels of a hierarchy that are climbed


class Parties:
    """The parties of one database."""

    def __init__(self, context: Context) -> None:
        self._client, self._places, self._system = context.client, context.places, context.name
        self._relations: Relations | None = None

    @property
    def relations(self) -> Relations:
        """How parties are related. Raises SchemaDrift when that is not set up."""
        if self._relations is None:
            self._relations = relations_of(self._client, self._system)
        return self._relations

    @property
    def today(self) -> date:
        """The day by Tryton's clock, UTC."""
        return self._client.clock.date()

    def held(self, asked: Iterable[tuple[str, str | None]]) -> dict[str, Held]:
        """key → party for those of (key, native) that are there, active or not: by native where given, else by code."""
        asked = list(asked)
        found: dict[str, Held] = {}
        for some in slices(((k, n) for k, n in asked if n is not None and n.isdecimal()), _AT_ONCE):
            rows = {h.id: h for h in self._read(["id", "in", [int(n) for _, n in some]])}
            found |= {key: rows[int(n)] for key, n in some if int(n) in rows}
        for keys in slices((k for k, n in asked if n is None), _AT_ONCE):
            by_code = {h.code: h for h in self._read(["code", "in", [code_of(k) for k in keys]])}
            found |= {key: by_code[code_of(key)] for key in keys if code_of(key) in by_code}
        return found

    def canonical(self, definition: BusinessObject, wanted: pa.Table) -> pa.Table:
        """What Tryton holds for `wanted` (columns key, native), as canonical rows with `native`."""
        held = self.held(zip(wanted["key"].to_pylist(), wanted["native"].to_pylist(), strict=True))
        rows = [canonical_row(key, party, self.relations, self._places, self._system) for key, party in held.items()]
        schema = schema_of(definition).append(pa.field("native", pa.string()))
        table = pa.Table.from_pylist(rows, schema=schema)
        return collapse_text(definition, conform(definition, table)).append_column("native", table["native"])

    def census(self) -> Iterator[pa.Table]:
        """CENSUS pages of the parties whose code is a customer's key. Other parties have codes of their own kind."""
        rows = paged(self._client, "party.party", [ANY], ["code", "active"])
        for some in slices((row for row in rows if is_key(row["code"])), PAGE):
            yield pa.Table.from_pylist(
                [{"key": key_of(r["code"]), "native": str(r["id"]), "gone": not r["active"]} for r in some],
                schema=CENSUS,
            )

    def below_itself(self, moves: Mapping[int, int]) -> set[int]:
        """Which of `moves` (party → the parent it is about to get) would put a party below itself."""
        loops = {party for party, parent in moves.items() if party == parent}
        climbing = {party: parent for party, parent in moves.items() if party not in loops}
        for _ in range(_HIGHEST):
            if not climbing:
                break
            above: dict[int, int] = {}
            for some in slices(sorted(set(climbing.values())), PAGE):
                domain = [["from_", "in", some], ["type", "=", self.relations.above]]
                rows = reading(
                    self._client, "model.party.relation.all.search_read", domain, 0, None, None, ["from_", "to"]
                )
                above |= {row["from_"]: row["to"] for row in rows}
            climbing = {party: above[at] for party, at in climbing.items() if at in above}
            loops |= {party for party, at in climbing.items() if party == at}
            climbing = {party: at for party, at in climbing.items() if party not in loops}
        return loops

    def _read(self, condition: list[Any]) -> list[Held]:
        fields, relations = list(PARTY_FIELDS), self.relations
        today = {"date": self.today}  # the day that tells which relations hold
        search = "model.party.party.search_read"
        rows = reading(self._client, search, [condition, ANY], 0, None, None, fields, context=today)
        return [held_party(row, relations) for row in rows]
