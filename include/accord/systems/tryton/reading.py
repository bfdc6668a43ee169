"""Reading parties: those of given customers, and those that may be the same as given ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import pyarrow as pa

from accord.errors import InDoubt, SchemaDrift, Unavailable
from accord.matching import normalized_code, normalized_name
from accord.objects.customer import CUSTOMER
from accord.records import conform, schema_of
from accord.systems.collapsing import collapse_text
from accord.systems.tryton.client import TrytonClient
from accord.systems.tryton.mapping import PARTY_FIELDS, RELATION, code_of
from accord.systems.tryton.party import Held, canonical_row, held_party
from accord.systems.tryton.places import Places

_AT_ONCE = 200  # parties with their parts in one call
_PAGE = 5_000  # plain rows in one call
_HIGHEST = 50  # levels of a hierarchy that are climbed
_ANY = ["active", "in", [True, False]]
_OVERLAP = timedelta(minutes=10)  # a row's instant is when its transaction began, which may commit much later
MATCHES = pa.schema([("key", pa.string()), ("native", pa.string()), ("rule", pa.string())])


def reading(client: TrytonClient, method: str, *parameters: Any, context: dict[str, Any] | None = None) -> Any:
    """A call that changes nothing: no answer means no more than that the server is not there. Raises Unavailable."""
    try:
        return client.call(method, *parameters, context=context)
    except InDoubt as silent:
        raise Unavailable("Tryton gave no answer.", cure=silent.cure) from None


def paged(
    client: TrytonClient, model: str, domain: list[Any], fields: Sequence[str], **more: Any
) -> Iterator[dict[str, Any]]:
    """Every row of a model in the domain, by id, page by page."""
    last = 0
    while True:
        here = [*domain, ["id", ">", last]]
        rows = reading(client, f"model.{model}.search_read", here, 0, _PAGE, [["id", "ASC"]], [*fields], **more)
        yield from rows
        if len(rows) < _PAGE:
            return
        last = rows[-1]["id"]


def slices(values: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """The values in lists of at most `size`."""
    rest = iter(values)
    while some := list(islice(rest, size)):
        yield some


class Parties:
    """The parties of one database."""

    def __init__(self, client: TrytonClient, places: Places, system: str) -> None:
        self._client, self._places, self._system = client, places, system
        self._relation: int | None = None

    @property
    def relation(self) -> int:
        """The type of relation from a party to the one above it. Raises SchemaDrift when it is not set up."""
        if self._relation is None:
            found = reading(self._client, "model.party.relation.type.search", [["name", "=", RELATION]])
            if len(found) != 1:
                raise SchemaDrift(
                    f"Tryton has no relation type {RELATION!r}.",
                    cure="Create it, with its reverse, in the party configuration.",
                )
            self._relation = found[0]
        return self._relation

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

    def canonical(self, wanted: pa.Table) -> pa.Table:
        """What Tryton holds for `wanted` (columns key, native), as canonical rows with `native`."""
        held = self.held(zip(wanted["key"].to_pylist(), wanted["native"].to_pylist(), strict=True))
        rows = [canonical_row(key, party, self._places, self._system) for key, party in held.items()]
        schema = schema_of(CUSTOMER).append(pa.field("native", pa.string()))
        table = pa.Table.from_pylist(rows, schema=schema)
        return collapse_text(CUSTOMER, conform(CUSTOMER, table)).append_column("native", table["native"])

    def below_itself(self, moves: Mapping[int, int]) -> set[int]:
        """Which of `moves` (party → the parent it is about to get) would put a party below itself."""
        loops = {party for party, parent in moves.items() if party == parent}
        climbing = {party: parent for party, parent in moves.items() if party not in loops}
        for _ in range(_HIGHEST):
            if not climbing:
                break
            above: dict[int, int] = {}
            for some in slices(sorted(set(climbing.values())), _PAGE):
                domain = [["from_", "in", some], ["type", "=", self.relation]]
                rows = reading(
                    self._client, "model.party.relation.all.search_read", domain, 0, None, None, ["from_", "to"]
                )
                above |= {row["from_"]: row["to"] for row in rows}
            climbing = {party: above[at] for party, at in climbing.items() if at in above}
            loops |= {party for party, at in climbing.items() if party == at}
            climbing = {party: at for party, at in climbing.items() if party not in loops}
        return loops

    def _read(self, condition: list[Any]) -> list[Held]:
        fields = list(PARTY_FIELDS)
        rows = reading(self._client, "model.party.party.search_read", [condition, _ANY], 0, None, None, fields)
        return [held_party(row, self.relation) for row in rows]


class Suspects:
    """Names and registrations of all active parties, normalized; read once and then only what changed.

    Tryton can't search names without accents and legal forms, and keeps registrations of a free type as typed.
    """

    def __init__(self, client: TrytonClient) -> None:
        self._client = client
        self._names: dict[int, tuple[str, str]] = {}  # party → (code, normalized name)
        self._codes: dict[int, tuple[int, str]] = {}  # identifier → (party, normalized code)
        self._read_at: datetime | None = None

    def matches(self, candidates: pa.Table) -> pa.Table:
        """MATCHES for canonical rows (collapsed): same tax registration; same name and an address in the same country."""
        self._refresh()
        by_name: dict[str, list[int]] = {}
        by_code: dict[str, list[int]] = {}
        for party, (_, name) in self._names.items():
            by_name.setdefault(name, []).append(party)
        for party, code in self._codes.values():
            if party in self._names:
                by_code.setdefault(code, []).append(party)
        found, named = [], []
        for row in candidates.select(["key", "name", "legal_name", "country", "tax_registration"]).to_pylist():
            own = code_of(row["key"])
            others = [p for p in by_code.get(normalized_code(row["tax_registration"]), ()) if self._names[p][0] != own]
            found += [{"key": row["key"], "native": str(p), "rule": "tax_registration"} for p in dict.fromkeys(others)]
            names = {normalized_name(row["name"]), normalized_name(row["legal_name"])} - {""}
            same = {p for name in names for p in by_name.get(name, ()) if self._names[p][0] != own}
            named += [(row, party) for party in sorted(same) if row["country"]]
        countries = self._countries({party for _, party in named})
        found += [
            {"key": row["key"], "native": str(party), "rule": "name+country"}
            for row, party in named
            if row["country"] in countries.get(party, ())
        ]
        return pa.Table.from_pylist(found, schema=MATCHES)

    def _refresh(self) -> None:
        since = self._read_at
        domain = [["last_modified_at", ">=", since - _OVERLAP], _ANY] if since else [_ANY]
        for row in paged(self._client, "party.party", domain, ["code", "name", "active"]):
            self._names.pop(row["id"], None)
            if row["active"] and (name := normalized_name(row["name"])):
                self._names[row["id"]] = (row["code"], name)
            elif row["active"]:
                self._names[row["id"]] = (row["code"], "\0")  # nameless: found by its registration only
        for row in paged(self._client, "party.identifier", domain, ["party", "code", "active"]):
            self._codes.pop(row["id"], None)
            if row["active"] and (code := normalized_code(row["code"])):
                self._codes[row["id"]] = (row["party"], code)
        self._read_at = self._client.clock

    def _countries(self, parties: set[int]) -> dict[int, set[str]]:
        """party → countries of its invoice addresses, or of all where none is one."""
        found: dict[int, set[str]] = {}
        for some in slices(sorted(parties), _PAGE):
            rows = list(
                paged(self._client, "party.address", [["party", "in", some]], ["party", "country.code", "invoice"])
            )
            for flagged in (True, False):
                already = set(found)
                for row in rows:
                    if bool(row["invoice"]) is flagged and row["party"] not in already and row["country."]:
                        found.setdefault(row["party"], set()).add(row["country."]["code"])
        return found
