"""Reading the subscriptions of given contracts, and which of them changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa

from accord.objects.definition import BusinessObject
from accord.ports import Selection
from accord.records import conform, schema_of
from accord.recurring import PERIODS
from accord.systems.collapsing import collapse_text
from accord.systems.erp import CENSUS
from accord.systems.tryton.books import Books, books_of
from accord.systems.tryton.context import Context
from accord.systems.tryton.customer.mapping import key_of
from accord.systems.tryton.draft_then_commit import kept
from accord.systems.tryton.reading import PAGE, paged, reading, slices, window_of
from accord.systems.tryton.receivables import days_of
from accord.systems.tryton.subscription.mapping import SUBSCRIPTION_FIELDS
from accord.systems.tryton.subscription.subscription import OPEN, Subscription, subscription_of

MODEL = "sale.subscription"
CONSUMPTION = "sale.subscription.line.consumption"
CONTRACTS = ["reference", "like", "salesforce:%"]
_AT_ONCE = 200  # subscriptions with all that belongs to them in one call
_PERIODS = {months: period for period, months in PERIODS.items()}
_MONTHS = {"monthly": 1, "yearly": 12}
_NARROWER = ("byweekday", "bymonthday", "byyearday", "byweekno", "bymonth", "bysetpos", "exclusive")


class Subscriptions:
    """The subscriptions of one database that came from contracts: their reference is the contract's key."""

    def __init__(self, context: Context) -> None:
        self._client, self._system = context.client, context.name
        self._books: list[Books] | None = None
        self._recurrences: dict[int, str] | None = None

    def books(self) -> dict[str, Books]:
        """Legal entity → its books. Raises SchemaDrift when Tryton lacks one."""
        if self._books is None:
            self._books, _ = books_of(self._client, self._system)
        return {one.entity.code: one for one in self._books}

    def entities(self) -> dict[int, str]:
        """Company → legal entity."""
        return {one.company: code for code, one in self.books().items()}

    def recurrences(self) -> dict[int, str]:
        """Recurrence rule set → the billing period it is; those that are none are left out."""
        if self._recurrences is None:
            fields = ["rules.freq", "rules.interval", *(f"rules.{name}" for name in _NARROWER)]
            search = "model.sale.subscription.recurrence.rule.set.search_read"
            rows = reading(self._client, search, [], 0, None, [["id", "ASC"]], fields)
            self._recurrences = {row["id"]: period for row in rows if (period := _period(row["rules."] or []))}
        return self._recurrences

    def of(self, asked: Iterable[tuple[str, str | None]]) -> dict[str, list[Subscription]]:
        """key → its subscriptions in any state, for (key, native) pairs: those of its reference, and the one linked to it."""
        asked = list(asked)
        found: dict[str, list[Subscription]] = {}
        for keys in slices((key for key, _ in asked), _AT_ONCE):
            for one in self.read([["reference", "in", keys]]):
                found.setdefault(one.key, []).append(one)
        lost = {int(n): k for k, n in asked if k not in found and n is not None and n.isdecimal()}
        for natives in slices(sorted(lost), _AT_ONCE):
            for one in self.read([["id", "in", natives]]):
                found[lost[one.native]] = [one]
        return found

    def read(self, domain: list[Any]) -> list[Subscription]:
        """The subscriptions in a domain."""
        search, periods = f"model.{MODEL}.search_read", self.recurrences()
        rows = reading(self._client, search, domain, 0, None, [["id", "ASC"]], list(SUBSCRIPTION_FIELDS))
        return [subscription_of(row, periods) for row in rows]

    def census(self) -> Iterator[pa.Table]:
        """CENSUS pages of the subscriptions that came from contracts; those that do not run yet, or not again, are left out."""
        domain = [CONTRACTS, ["state", "not in", list(OPEN)]]
        for some in slices(paged(self._client, MODEL, domain, ["reference", "state"]), PAGE):
            yield pa.Table.from_pylist(
                [{"key": r["reference"], "native": str(r["id"]), "gone": r["state"] == "cancelled"} for r in some],
                schema=CENSUS,
            )

    def changed(self, selection: Selection, now: datetime, *, notice: timedelta | None = None) -> set[str]:
        """Keys of the contracts that may have changed in the window: with their lines, what is billed of them and its invoices, by a
        day on which a line begins or has ended, or, with `notice`, that long before their end."""
        path = "line.subscription.reference"
        window = [window_of(selection), window_of(selection, "lines.")]
        domain = [CONTRACTS, ["OR", *window]] if all(window) else [CONTRACTS]
        keys = {row["reference"] for row in paged(self._client, MODEL, domain, ["reference"])}
        if not all(window):
            return keys  # every one
        billed = ["OR", window_of(selection), window_of(selection, "invoice_line.invoice.")]
        for row in paged(self._client, CONSUMPTION, [[path, *CONTRACTS[1:]], billed], [path]):
            keys.add(row["line."]["subscription."]["reference"])
        line = f"{MODEL}.line"
        for name in ("start_date", "end_date"):
            days = [[path.removeprefix("line."), *CONTRACTS[1:]], *days_of(selection, now, name)]
            for row in paged(self._client, line, days, ["subscription.reference"]):
                keys.add(row["subscription."]["reference"])
        for before in (timedelta(), *([notice] if notice else [])):
            days = [CONTRACTS, *days_of(selection, now, "end_date", before=before)]
            keys |= {row["reference"] for row in paged(self._client, MODEL, days, ["reference"])}
        return keys

    def kept(self, keys: Iterable[str]) -> dict[str, Subscription]:
        """key → the subscription that counts, where it has a number."""
        found: dict[str, Subscription] = {}
        for some in slices(sorted(keys), _AT_ONCE):
            by_key: dict[str, list[Subscription]] = {}
            for one in self.read([CONTRACTS, ["reference", "in", some]]):
                by_key.setdefault(one.key, []).append(one)
            for key, those in by_key.items():
                counting = kept(those)
                if counting is not None and counting.row["number"] is not None:
                    found[key] = counting
        return found

    def bills(self, subscriptions: Iterable[Subscription]) -> dict[int, dict[date, dict[str, Any]]]:
        """Line → day → what is billed of it (`quantity`, whether it is `invoiced`, the last `modified`)."""
        lines = [line.native for one in subscriptions for line in one.lines]
        found: dict[int, dict[date, dict[str, Any]]] = {}
        fields = ["line", "date", "quantity", "last_modified_at", "invoice_line.invoice_state"]
        fields.append("invoice_line.invoice.last_modified_at")
        for some in slices(lines, 5 * _AT_ONCE):
            for row in paged(self._client, CONSUMPTION, [["line", "in", some]], fields):
                on = row["invoice_line."] or {}
                stamps = [row["last_modified_at"], (on.get("invoice.") or {}).get("last_modified_at")]
                found.setdefault(row["line"], {})[row["date"]] = {
                    "quantity": row["quantity"],
                    "invoiced": on.get("invoice_state") in ("posted", "paid"),
                    "modified": max(stamp for stamp in stamps if stamp),
                }
        return found

    def canonical(self, definition: BusinessObject, wanted: pa.Table) -> pa.Table:
        """What Tryton holds for `wanted` (columns key, native), as canonical rows with `native`: subscriptions that run or did, and
        cancelled ones. One that does not run yet, or not again, is still to be sent."""
        pairs = zip(wanted["key"].to_pylist(), wanted["native"].to_pylist(), strict=True)
        rows = []
        for key, those in self.of(pairs).items():
            one = kept(those)
            if one is not None and not one.open and not one.taken_back:
                rows.append(self._canonical_row(key, one))
        schema = schema_of(definition).append(pa.field("native", pa.string()))
        table = pa.Table.from_pylist(rows, schema=schema)
        return collapse_text(definition, conform(definition, table)).append_column("native", table["native"])

    def _canonical_row(self, key: str, one: Subscription) -> dict[str, Any]:
        row = one.row
        lines = [
            {**line.canonical, "product": f"{self._system}:{line.row['service.']['product']}"}
            for line in one.live
            if line.id
        ]
        return {
            "key": key,
            "native": str(one.native),
            "gone": one.state == "cancelled",
            "number": row["description"],
            "customer": key_of(row["party."]["code"]),
            "legal_entity": self.entities().get(row["company"]),
            "currency": row["currency."]["code"],
            "start_date": row["start_date"],
            "end_date": row["end_date"],
            "payment_terms": (row["payment_term."] or {}).get("name"),
            "lines": lines or None,
        }


def _period(rules: list[dict[str, Any]]) -> str | None:
    if len(rules) != 1 or any(rules[0][name] for name in _NARROWER):
        return None
    return _PERIODS.get(_MONTHS.get(rules[0]["freq"], 0) * rules[0]["interval"])
