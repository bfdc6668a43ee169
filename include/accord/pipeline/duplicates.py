"""Duplicates are found before they are created: in the target, and within the batch."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from accord.hub.connection import Session
from accord.hub.copying import copy_into
from accord.matching import normalized_code, normalized_name
from accord.objects.definition import BusinessObject, DuplicateRule
from accord.ports import Target

_SUSPECTS = "CREATE TEMP TABLE suspect (key text, rule text, value text, apart text) ON COMMIT DROP"

# the first of its group by key goes, the others are held; those that differ where they may not be one are of different groups
_WITHIN = """
WITH groups AS (
  SELECT rule, value, apart, min(key) AS first FROM suspect WHERE key <> ALL(%(held)s) GROUP BY rule, value, apart)
SELECT DISTINCT ON (s.key) s.key, s.rule, g.first AS other FROM suspect s
JOIN groups g ON g.rule = s.rule AND g.value = s.value AND g.first < s.key AND (g.apart = s.apart OR '' IN (g.apart, s.apart))
WHERE s.key <> ALL(%(held)s) ORDER BY s.key, s.rule, g.first
"""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A record that looks like another one, by a rule: `other` is that one's canonical id, or its id in the target."""

    key: str
    rule: str
    other: str

    @property
    def answer(self) -> str:
        """What a person is told."""
        return f"same {self.rule.replace('+', ' and ')} as {self.other}"


class Duplicates:
    """The search for duplicates of one comparison."""

    def __init__(self, session: Session, definition: BusinessObject, target: Target) -> None:
        self._session, self._definition, self._target = session, definition, target
        self._found: dict[str, Suspect] = {}
        session.execute(_SUSPECTS)

    def look(self, candidates: pa.Table) -> None:
        """Search the target for `candidates`, canonical rows about to be created."""
        copy_into(self._session, "suspect", suspects(self._definition, candidates))
        for match in self._target.find_matches(self._definition, candidates).to_pylist():
            suspect = Suspect(match["key"], match["rule"], f"{self._target.name} {match['native']}")
            self._found.setdefault(match["key"], suspect)

    def found(self) -> list[Suspect]:
        """Every candidate that looks like a record of the target, or like another candidate. Once, at the end."""
        held = sorted(self._found)
        for row in self._session.execute(_WITHIN, {"held": held}).fetchall():
            self._found[row["key"]] = Suspect(row["key"], row["rule"], row["other"])
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
