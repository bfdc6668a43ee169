"""Parties that may be the same as given customers.

Tryton can't search names without accents and legal forms, and keeps registrations of a free type as typed: what it finds is
more than what counts as the same (accord.matching), which is decided here. A few candidates are searched for; for many, the
names and registrations of all active parties are read, once and then only what changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

from accord.matching import normalized_code, normalized_name
from accord.systems.erp import MATCHES
from accord.systems.tryton.client import TrytonClient
from accord.systems.tryton.customer.mapping import code_of
from accord.systems.tryton.reading import ANY, PAGE, paged, slices

FEW = 30  # candidates: with 20,000 parties a search for one took 0.1 to 0.3 s, for 20 1.3 s, for 50 3 s; reading all 2 to 4 s
_PLAIN = re.compile(r"[bfmpqvx0-9]")  # what no European language writes with an accent, or as a part of another letter
_ASCII = re.compile(r"[A-Z0-9]")
_LEAST = 2  # characters without which a pattern finds too much
_OVERLAP = timedelta(minutes=10)  # a row's instant is when its transaction began, which may commit much later
_NAMELESS = "\0"  # found by its registration only
Row = Mapping[str, Any]


@dataclass(slots=True)
class Known:
    """What is known of active parties."""

    names: dict[int, tuple[str, str]] = field(default_factory=dict)  # party → (code, normalized name)
    codes: dict[int, tuple[int, str]] = field(default_factory=dict)  # identifier → (party, normalized code)

    def read(self, client: TrytonClient, parties: list[Any], identifiers: list[Any]) -> None:
        """Learn of the parties and identifiers in these domains; forget those that are no longer active."""
        for row in paged(client, "party.party", [*parties, ANY], ["code", "name", "active"]):
            self.names.pop(row["id"], None)
            if row["active"]:
                self.names[row["id"]] = (row["code"], normalized_name(row["name"]) or _NAMELESS)
        for row in paged(client, "party.identifier", [*identifiers, ANY], ["party", "code", "active"]):
            self.codes.pop(row["id"], None)
            if row["active"] and (code := normalized_code(row["code"])):
                self.codes[row["id"]] = (row["party"], code)


class Suspects:
    """The search for duplicates in one Tryton."""

    def __init__(self, client: TrytonClient) -> None:
        self._client = client
        self._all = Known()
        self._read_at: datetime | None = None

    def matches(self, candidates: pa.Table) -> pa.Table:
        """MATCHES for canonical rows (collapsed): same tax registration; same name and an address in the same country, unless
        both have a registration and these differ."""
        rows = candidates.select(["key", "name", "legal_name", "country", "tax_registration"]).to_pylist()
        known = self._searched(rows) if len(rows) <= FEW else None
        known = known or self._everybody()
        by_name: dict[str, list[int]] = {}
        by_code: dict[str, list[int]] = {}
        codes: dict[int, set[str]] = {}
        for party, (_, name) in known.names.items():
            by_name.setdefault(name, []).append(party)
        for party, code in known.codes.values():
            if party in known.names:
                by_code.setdefault(code, []).append(party)
                codes.setdefault(party, set()).add(code)
        found, named = [], []
        for row in rows:
            own, code = code_of(row["key"]), normalized_code(row["tax_registration"])
            others = {p for p in by_code.get(code, ()) if known.names[p][0] != own}
            found += [{"key": row["key"], "native": str(p), "rule": "tax_registration"} for p in sorted(others)]
            same = {p for name in _names(row) for p in by_name.get(name, ()) if known.names[p][0] != own}
            apart = {p for p in same if code and codes.get(p) and code not in codes[p]}
            named += [(row, party) for party in sorted(same - apart) if row["country"]]
        countries = self._countries({party for _, party in named})
        found += [
            {"key": row["key"], "native": str(party), "rule": "name+country"}
            for row, party in named
            if row["country"] in countries.get(party, ())
        ]
        return pa.Table.from_pylist(found, schema=MATCHES)

    def _everybody(self) -> Known:
        """Every active party."""
        since = self._read_at
        changed = [["last_modified_at", ">=", since - _OVERLAP]] if since else []
        self._all.read(self._client, changed, changed)
        self._read_at = self._client.clock
        return self._all

    def _searched(self, rows: list[Row]) -> Known | None:
        """The active parties that have a name or registration of one of `rows`; None where a pattern would find too much."""
        names = {name for row in rows for name in _names(row)}
        codes = {code for row in rows if (code := normalized_code(row["tax_registration"]))}
        like_names = [_pattern(_PLAIN, name) for name in sorted(names)]
        like_codes = [_pattern(_ASCII, code) for code in sorted(codes)]
        if None in like_names or None in like_codes:
            return None
        found: set[int] = set()
        if names:
            domain = [["OR", *(["name", "ilike", like] for like in like_names)]]
            parties = paged(self._client, "party.party", domain, ["name"])
            found |= {row["id"] for row in parties if normalized_name(row["name"]) in names}
        if codes:
            domain = [["OR", *(["code", "ilike", like] for like in like_codes)]]
            identifiers = paged(self._client, "party.identifier", domain, ["party", "code"])
            found |= {row["party"] for row in identifiers if normalized_code(row["code"]) in codes}
        known = Known()
        for some in slices(sorted(found), PAGE):
            known.read(self._client, [["id", "in", some]], [["party", "in", some]])
        return known

    def _countries(self, parties: set[int]) -> dict[int, set[str]]:
        """party → countries of its invoice addresses, or of all where none is one."""
        found: dict[int, set[str]] = {}
        for some in slices(sorted(parties), PAGE):
            domain = [["party", "in", some]]
            rows = list(paged(self._client, "party.address", domain, ["party", "country.code", "invoice"]))
            for flagged in (True, False):
                already = set(found)
                for row in rows:
                    if bool(row["invoice"]) is flagged and row["party"] not in already and row["country."]:
                        found.setdefault(row["party"], set()).add(row["country."]["code"])
        return found


def _names(row: Row) -> Iterable[str]:
    return {normalized_name(row["name"]), normalized_name(row["legal_name"])} - {""}


def _pattern(plain: re.Pattern[str], text: str) -> str | None:
    """A pattern for `ilike` that finds whatever is `text` once it is normalized; None where little would be left of it."""
    kept = plain.findall(text)
    return f"%{'%'.join(kept)}%" if len(kept) >= _LEAST else None
