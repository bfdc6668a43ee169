"""Duplicates are found before they are created: in the target, and within the batch."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from accord.hub.connection import Session
from accord.hub.copying import copy_into
from accord.hub.distinctions import decided
from accord.matching import normalized_code, normalized_name
from accord.objects.definition import BusinessObject, DuplicateRule
from accord.ports import Target

_SUSPECTS = "CREATE TEMP TABLE suspect (key text, rule text, value text, apart text) ON COMMIT DROP"

# most values are one record's alone, and are found to be so in a tenth of the time it takes to look each one up
_ALIKE = """
CREATE TEMP TABLE alike ON COMMIT DROP AS SELECT s.* FROM suspect s
JOIN (SELECT rule, value FROM suspect GROUP BY rule, value HAVING count(*) > 1) d ON d.rule = s.rule AND d.value = s.value
"""

_INDEX = "CREATE INDEX ON alike (rule, value, key)"

# the first of those that look alike goes, the others are held; those that differ where they may not be one don't look alike
_WITHIN = """
SELECT DISTINCT ON (s.key) s.key, s.rule, g.key AS other FROM alike s
CROSS JOIN LATERAL (
  SELECT f.key FROM alike f
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
        self._session.execute(_ALIKE)
        self._session.execute(_INDEX)
        self._session.execute("ANALYZE alike")
        place = {"held": sorted(self._found), "object": self._definition.name, "target": self._target.name}
        for row in self._session.execute(_WITHIN, place).fetchall():
            self._found[row["key"]] = Suspect(row["key"], row["rule"], row["other"], row["other"])
        self._session.execute("DROP TABLE suspect, alike")
        return list(self._found.values())


def suspects(definition: BusinessObject, candidates: pa.Table) -> pa.Table:
    """(key, rule, value, apart) of every candidate and duplicate rule whose fields are all filled: equal values are suspects of
    being one, unless both have an `apart` ('' = none) and these differ."""
    found = [pa.schema([(name, pa.string()) for name in ("key", "rule", "value", "apart")]).empty_table()]
    for rule in definition.duplicate_rules:
        parts = [[_normalized(rule, name, value) for value in candidates[name].to_pylist()] for name in rule.fields]
        apart = pa.repeat("", candidates.num_rows)
        if rule.unless_differ:
            apart = pa.array(map(normalized_code, candidates[rule.unless_differ].to_pylist()), pa.string())
        values = ("|".join(filled) if all(filled) else None for filled in zip(*parts, strict=True))
        columns = {"key": candidates["key"], "rule": pa.repeat(rule.name, candidates.num_rows)}
        table = pa.table(columns | {"value": pa.array(values, pa.string()), "apart": apart})
        found.append(table.filter(pc.is_valid(table["value"])))
    return pa.concat_tables(found)


def _normalized(rule: DuplicateRule, name: str, value: str | None) -> str:
    return normalized_name(value) if name in rule.names else normalized_code(value)
