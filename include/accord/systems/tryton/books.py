"""The companies of one Tryton, as legal entities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from accord.errors import SchemaDrift
from accord.routing import LegalEntity, entities_in
from accord.systems.tryton.client import TrytonClient
from accord.systems.tryton.reading import reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """One legal entity's company in Tryton; `party` is its own party there."""

    entity: LegalEntity
    company: int
    party: int
    currency: str

    @property
    def context(self) -> dict[str, Any]:
        """What makes Tryton answer for this company."""
        return {"company": self.company}


def books_of(client: TrytonClient, system: str) -> tuple[list[Books], set[int]]:
    """The books in `system`, former ones too, and the parties that are companies themselves. Raises SchemaDrift when one is missing."""
    fields = ["party", "party.code", "currency.code"]
    rows = reading(client, "model.company.company.search_read", [], 0, None, None, fields)
    by_code = {row["party."]["code"]: row for row in rows}
    books = []
    for entity in entities_in(system):
        if entity.company not in by_code:
            raise SchemaDrift(
                f"Tryton has no company whose party has the code {entity.company}.",
                cure="Create it, give the integration user access to it, or correct the routing.",
            )
        row = by_code[entity.company]
        books.append(Books(entity=entity, company=row["id"], party=row["party"], currency=row["currency."]["code"]))
    return books, {row["party"] for row in rows}
