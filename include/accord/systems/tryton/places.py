"""Countries and regions by code, as Tryton numbers them; read once."""

from __future__ import annotations

from accord.matching import normalized_name
from accord.systems.tryton.client import TrytonClient


class Places:
    """Looks up what an address refers to."""

    def __init__(self, client: TrytonClient) -> None:
        self._client = client
        self._countries: dict[str, int] = {}
        self._regions: dict[int, dict[str, int]] = {}  # country → code without its prefix, or name → subdivision
        self._codes: dict[int, str] = {}

    def country(self, code: str) -> int | None:
        """Tryton's id of a country by its ISO 3166-1 alpha-2 code; None when it has none."""
        return self.countries().get(code)

    def countries(self) -> dict[str, int]:
        """code → id of every country."""
        if not self._countries:
            rows = self._client.call("model.country.country.search_read", [], 0, None, None, ["code"])
            self._countries = {row["code"]: row["id"] for row in rows if row["code"]}
        return self._countries

    def country_code(self, country: int | None) -> str | None:
        """The code of Tryton's country `country`."""
        if not self._codes:
            self._codes = {identity: code for code, identity in self.countries().items()}
        return self._codes.get(country) if country is not None else None

    def region(self, country: int, text: str) -> int | None:
        """The subdivision of a country called `text`: its ISO 3166-2 code with or without the country, or its name."""
        known = self._of(country)
        return known.get(text.upper()) or known.get(normalized_name(text))

    def region_code(self, country: int, subdivision: int) -> str | None:
        """The code, without the country, of a subdivision."""
        known = self._of(country)
        return next((code for code, identity in known.items() if identity == subdivision), None)

    def _of(self, country: int) -> dict[str, int]:
        if country not in self._regions:
            rows = self._client.call(
                "model.country.subdivision.search_read", [["country", "=", country]], 0, None, None, ["code", "name"]
            )
            short = {row["code"].partition("-")[2].upper(): row["id"] for row in rows if row["code"]}
            full = {row["code"].upper(): row["id"] for row in rows if row["code"]}
            names = {normalized_name(row["name"]): row["id"] for row in rows if row["name"]}
            self._regions[country] = short | {k: v for k, v in (full | names).items() if k not in short}
        return self._regions[country]
