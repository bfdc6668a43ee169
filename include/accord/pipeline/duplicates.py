"""Duplicates are found before they are created: in the target, and within the batch."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from accord.hub.connection import Session
from accord.hub.copying import copy_into
from accord.hub.distinctions import decided
from accord.matching import normalized_code, normalized_name
from accord.objects.definition import BusinessObject, DuplicateRule
from accord.ports import Target

_SUSPECTS = "CREATE TEMP TABLE suspect (key text, rule text, value text, apart text) ON COMMIT DROP"

_INDEX = "CREATE INDEX ON suspect (rule, value, key)"

# the first of those that look alike goes, the others are held; those that differ where they may not be one don't look alike
_WITHIN = """
SELECT DISTINCT ON (s.key) s.key, s.rule, g.key AS other FROM suspect s
CROSS JOIN LATERAL (
  SELECT f.key FROM suspect f
  WHERE f.rule = s.rule AND f.value = s.value AND f.key < s.key AND (f.apart = s.apart OR '' IN (f.apart, s.apart))
    AND f.key <> ALL(%(held)s)
    AND NOT EXISTS (SELECT FROM distinction d WHERE d.object = %(object)s AND d.target = %(target)s
                    AND ((d.key = s.key AND d.other = f.key) OR (d.key = f.key AND d.other = s.key)))
  ORDER BY f.key LIMIT 1) g
WHERE s.key <> ALL(%(held)s) ORDER BY s.key, s.rule, g.key
"""

# the canonical ids of records of the target, where links know them
_LINKED = "SELECT native, key FROM link WHERE stream = %s AND native = ANY(%s)"


@dataclass(frozen=True, slots=True)
class Suspect:
    """A record that looks like another one, by a rule: `other` is that one's canonical id, or `<target>:<native>` where no link knows
    it; `called` is what people call it."""

    key: str
    rule: str
    other: str
    called: str

    @property
    def answer(self) -> str:
        """What a person is told."""
        return f"same {self.rule.replace('+', ' and ')} as {self.called}"


class Duplicates:
    """The search for duplicates of one comparison. Pairs somebody decided about are none."""

    def __init__(self, session: Session, definition: BusinessObject, target: Target, stream: int) -> None:
        self._session, self._definition, self._target, self._stream = session, definition, target, stream
        self._found: dict[str, Suspect] = {}
        session.execute(_SUSPECTS)

    def look(self, candidates: pa.Table) -> None:
        """Search the target for `candidates`, canonical rows about to be created."""
        copy_into(self._session, "suspect", suspects(self._definition, candidates))
        matches = self._target.find_matches(self._definition, candidates).to_pylist()
        if not matches:
            return
        target = self._target.name
        linked = self._session.execute(_LINKED, (self._stream, [match["native"] for match in matches])).fetchall()
        keys = {row["native"]: row["key"] for row in linked}
        settled = decided(self._session, self._definition.name, target, [match["key"] for match in matches])
        for match in matches:
            there = f"{target}:{match['native']}"
            other = keys.get(match["native"], there)
            if settled.isdisjoint({frozenset((match["key"], other)), frozenset((match["key"], there))}):
                suspect = Suspect(match["key"], match["rule"], other, f"{target} {match['native']}")
                self._found.setdefault(match["key"], suspect)

    def found(self) -> list[Suspect]:
        """Every candidate that looks like a record of the target, or like another candidate. Once, at the end."""
        self._session.execute(_INDEX)
        self._session.execute("ANALYZE suspect")
        place = {"held": sorted(self._found), "object": self._definition.name, "target": self._target.name}
        for row in self._session.execute(_WITHIN, place).fetchall():
            self._found[row["key"]] = Suspect(row["key"], row["rule"], row["other"], row["other"])
        self._session.execute("DROP TABLE suspect")
        return list(self._found.values())


def suspects(definition: BusinessObject, candidates: pa.Table) -> pa.Table:
    """(key, rule, value, apart) of every candidate and duplicate rule whose fields are all filled: equal values are suspects of
    being one, unless both have an `apart` ('' = none) and these differ."""
    rules = definition.duplicate_rules
    names = {name for rule in rules for name in (*rule.fields, *([rule.unless_differ] if rule.unless_differ else ()))}
    found = []
    for row in candidates.select(["key", *sorted(names)]).to_pylist():
        for rule in rules:
            parts = [_normalized(rule, name, row[name]) for name in rule.fields]
            if all(parts):
                apart = normalized_code(row[rule.unless_differ]) if rule.unless_differ else ""
                found.append({"key": row["key"], "rule": rule.name, "value": "|".join(parts), "apart": apart})
    schema = pa.schema([(name, pa.string()) for name in ("key", "rule", "value", "apart")])
    return pa.Table.from_pylist(found, schema=schema)


def _normalized(rule: DuplicateRule, name: str, value: str | None) -> str:
    return normalized_name(value) if name in rule.names else normalized_code(value)
