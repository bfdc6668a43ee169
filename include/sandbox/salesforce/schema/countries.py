"""State and country picklists: the codes, their names, and keeping the two in step."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from sandbox.salesforce.errors import FieldProblem

ALIGNED = ("Country", "CountryCode", "State", "StateCode")  # what follows the prefix of the fields `align` looks at
_TABLES = Path(__file__).parent / "tables"
_PROBLEM = "There's a problem with this {0}, even though it may appear correct. Please select a {0} from the list of valid {1}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Countries:
    """Names by ISO 3166-1 alpha-2 code; states by country, for the countries whose states the org knows (US, CA)."""

    names: Mapping[str, str]
    states: Mapping[str, Mapping[str, str]]
    codes: Mapping[str, str] = field(default_factory=dict)

    @property
    def labels(self) -> dict[str, str]:
        """Name of every country code and, where no country has that code, of every state code."""
        return {code: name for states in self.states.values() for code, name in states.items()} | dict(self.names)

    def state_codes(self) -> tuple[str, ...]:
        """Return every state code once."""
        return tuple(sorted({code for states in self.states.values() for code in states}))

    def align(self, prefix: str, values: dict[str, Any], old: Mapping[str, Any]) -> None:
        """Complete an address that is about to be stored: a code brings its name, a name its code.

        Args:
            prefix: ``Billing``, ``Shipping`` and so on.
            values: The new values by field name; changed in place.
            old: The stored record, empty for a new one.

        Raises:
            FieldProblem: The country or state is not in the list.
        """
        country, code = prefix + "Country", prefix + "CountryCode"
        if code in values or country in values:
            given = values.get(code, old.get(code) if country not in values else None)
            if values.get(code):
                given = str(values[code]).upper()
            elif country in values:
                name = values[country]
                given = self.codes.get(str(name).casefold()) if name else None
                if name and given is None:
                    raise FieldProblem("FIELD_INTEGRITY_EXCEPTION", _PROBLEM.format("country", "countries"), country)
            if given is not None and given not in self.names:
                raise FieldProblem("FIELD_INTEGRITY_EXCEPTION", _PROBLEM.format("country", "countries"), code)
            values[code], values[country] = given, self.names[given] if given else None
        state, state_code = prefix + "State", prefix + "StateCode"
        if state in values or state_code in values:
            known = self.states.get(values.get(code, old.get(code)) or "", {})
            given, name = values.get(state_code), values.get(state)
            if given is None and name:
                given = next((c for c, n in known.items() if n.casefold() == str(name).casefold()), None)
                if given is None:
                    raise FieldProblem("FIELD_INTEGRITY_EXCEPTION", _PROBLEM.format("state", "states"), state)
            if given is not None and given not in known:
                raise FieldProblem("FIELD_INTEGRITY_EXCEPTION", _PROBLEM.format("state", "states"), state_code)
            values[state_code], values[state] = given, known[given] if given else None


@cache
def load() -> Countries:
    """Return the countries and states shipped with the org."""
    lines = (_TABLES / "countries.csv").read_text(encoding="utf-8").splitlines()
    names = dict(line.split(";", 1) for line in lines)
    states: dict[str, dict[str, str]] = {}
    for line in (_TABLES / "states.csv").read_text(encoding="utf-8").splitlines():
        country, code, name = line.split(";")
        states.setdefault(country, {})[code] = name
    return Countries(names=names, states=states, codes={name.casefold(): code for code, name in names.items()})
