"""What became of the contracts that came from Salesforce: subscriptions whose reference is a contract's key, by what changed when,
and of those that near their end the renewal.

What runs, and what it is worth, depends on the day: a line that begins or has ended is a change at that midnight, UTC.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

from accord.objects.definition import BusinessObject
from accord.objects.vocabulary import RENEWAL_STAGES
from accord.ports import Selection, Sink
from accord.recurring import RENEWAL_NOTICE, arr, instalment, period_starts, up_for_renewal
from accord.systems import erp_rows
from accord.systems.erp import SourceHandler
from accord.systems.tryton.context import Context
from accord.systems.tryton.order.sale import exact
from accord.systems.tryton.receivables import midnight_after, midnight_before
from accord.systems.tryton.subscription.reading import CONTRACTS, Subscriptions
from accord.systems.tryton.subscription.subscription import Subscription

Bills = Mapping[int, Mapping[date, Mapping[str, Any]]]
_READ: Mapping[str, tuple[str, ...]] = dict.fromkeys(
    ("sale.subscription", "sale.subscription.line", "sale.subscription.line.consumption", "account.invoice.line"),
    ("read",),
)


class FromSubscriptions(SourceHandler[Context]):
    """Reads what is told of subscriptions. `notice`: how long before its end a subscription changes too."""

    needs: ClassVar = _READ
    notice: ClassVar[timedelta | None] = None

    def extract(self, definition: BusinessObject, selection: Selection, sink: Sink) -> datetime:
        """By Tryton's clock."""
        subscriptions = Subscriptions(self._context)
        subscriptions.books()  # a call, for the clock
        read_at = self._context.client.clock
        if selection.natives is not None:
            found = list(self._given(subscriptions, selection.natives))
        else:
            found = list(subscriptions.kept(subscriptions.changed(selection, read_at, notice=self.notice)).values())
        sink.expect(len(found))
        bills = subscriptions.bills(found)
        rows = [row for one in found for row in self._rows(one, bills, subscriptions.entities(), read_at)]
        erp_rows.write(sink, definition, self.not_read, rows, selection)
        return read_at

    def _given(self, subscriptions: Subscriptions, natives: Iterable[str]) -> Iterable[Subscription]:
        """The subscriptions of contracts, by their keys."""
        return subscriptions.kept(natives).values()

    @abstractmethod
    def _rows(
        self, one: Subscription, bills: Bills, entities: Mapping[int, str], now: datetime
    ) -> Iterator[dict[str, Any]]:
        """The rows of one subscription, as accord.systems.erp_rows wants them."""


class ContractStatuses(FromSubscriptions):
    """Reads them."""

    places: ClassVar = {
        "number": "sale.subscription.number",
        "status": "derived from sale.subscription.state, start_date and end_date",
        "next_invoice_date": "sale.subscription.next_invoice_date",
        "currency": "sale.subscription.currency.code",
        "as_of": "the day it is read, UTC",
        "arr": "derived from lines (accord.recurring.arr): Tryton keeps no such figure",
        "renewal_date": "the day after sale.subscription.end_date",
        "renewal_value": "derived from lines",
        "lines.id": "sale.subscription.line.description",
        "lines.quantity": "sale.subscription.line.quantity",
        "lines.unit_price": "sale.subscription.line.unit_price",
        "lines.billing_period": "sale.subscription.line.consumption_recurrence (its rule)",
        "lines.start_date": "sale.subscription.line.start_date",
        "lines.end_date": "sale.subscription.line.end_date",
        "schedule.date": "sale.subscription.line.consumption.date; derived from lines where it is still to come",
        "schedule.amount": "sale.subscription.line.consumption.quantity × sale.subscription.line.unit_price",
        "schedule.invoiced": "sale.subscription.line.consumption.invoice_line.invoice_state (posted, paid)",
    }

    def _rows(
        self, one: Subscription, bills: Bills, entities: Mapping[int, str], now: datetime
    ) -> Iterator[dict[str, Any]]:
        row, today = one.row, now.date()
        lines = [line.canonical for line in one.live if line.complete]
        stopped = one.state == "cancelled"
        following = row["next_invoice_date"] if one.state in ("running", "closed") else None
        yield {
            "native": one.key,
            "modified": changed_at(one, bills, now),
            "gone": False,
            "number": row["number"],
            "status": one.status(today),
            "next_invoice_date": following if following and following <= (one.end or date.max) else None,
            "currency": row["currency."]["code"],
            "as_of": today,
            "arr": arr([] if stopped else lines, today),
            "renewal_date": one.end + timedelta(days=1) if one.end and not stopped else None,
            "renewal_value": arr(lines, one.end) if one.end and not stopped else None,
            "lines": [] if stopped else [line.canonical for line in one.live],
            "schedule": [] if stopped else list(_schedule(one, bills)),
        }


class Renewals(FromSubscriptions):
    """Reads the terms that near their end: the id of the subscription and the last day."""

    notice = RENEWAL_NOTICE
    places: ClassVar = {
        "name": "derived from sale.subscription.description: the number sales knows it by",
        "customer": "sale.subscription.party",
        "legal_entity": "sale.subscription.company.party.code",
        "stage": f"always {RENEWAL_STAGES[0]}",
        "currency": "sale.subscription.currency.code",
        "amount": "derived from lines (accord.recurring.arr)",
        "close_date": "sale.subscription.end_date",
    }

    def _given(self, subscriptions: Subscriptions, natives: Iterable[str]) -> Iterable[Subscription]:
        ids = {int(native.partition("/")[0]) for native in natives if native.partition("/")[0].isdecimal()}
        keys = {one.key for one in subscriptions.read([CONTRACTS, ["id", "in", sorted(ids)]])}
        return subscriptions.kept(keys).values()

    def _rows(
        self, one: Subscription, bills: Bills, entities: Mapping[int, str], now: datetime
    ) -> Iterator[dict[str, Any]]:
        if (term := _ending(one, now)) is None:
            return
        lines = [line.canonical for line in one.live if line.complete]
        yield {
            "native": term,
            "modified": changed_at(one, bills, now),
            "gone": False,
            "name": f"Renewal of contract {one.row['description'] or one.row['number']}",
            "customer": str(one.row["party"]),
            "legal_entity": entities.get(one.row["company"]),
            "stage": RENEWAL_STAGES[0],
            "currency": one.row["currency."]["code"],
            "amount": arr(lines, one.end or date.max),
            "close_date": one.end,
        }


class ContractRenewals(FromSubscriptions):
    """Reads which renewal is which contract's."""

    notice = RENEWAL_NOTICE
    places: ClassVar = {"renewal": "the renewal of the term that ends with sale.subscription.end_date"}

    def _rows(
        self, one: Subscription, bills: Bills, entities: Mapping[int, str], now: datetime
    ) -> Iterator[dict[str, Any]]:
        if term := _ending(one, now):
            yield {"native": one.key, "modified": changed_at(one, bills, now), "gone": False, "renewal": term}


def changed_at(one: Subscription, bills: Bills, now: datetime) -> datetime:
    """When anything told of a subscription last changed: something of it was written, or a day came."""
    stamps: list[datetime] = [one.row["last_modified_at"], *(line.row["last_modified_at"] for line in one.lines)]
    stamps += [bill["modified"] for line in one.lines for bill in bills.get(line.native, {}).values()]
    starts = [one.row["start_date"], *(line.row["start_date"] for line in one.live)]
    ends = [day for day in (one.end, *(line.end for line in one.live)) if day]
    days = [midnight_before(day) for day in starts] + [midnight_after(day) for day in ends]
    days += [midnight_before(one.end - RENEWAL_NOTICE)] if one.end else []
    return max([*stamps, *(day for day in days if day <= now)])


def _ending(one: Subscription, now: datetime) -> str | None:
    """The native id of the renewal of a subscription that nears its end; None when it does not."""
    runs = one.end is not None and one.status(now.date()) in ("Scheduled", "Active")
    return f"{one.native}/{one.end}" if runs and one.end and up_for_renewal(now.date(), one.end) else None


def _schedule(one: Subscription, bills: Bills) -> Iterator[dict[str, Any]]:
    """Instalments by day: of what is billed as it is billed, of what is to come as the lines say."""
    found: dict[date, list[tuple[Any, bool]]] = {}
    for line in one.live:
        if line.complete:
            billed = bills.get(line.native, {})
            for day in period_starts(line.canonical):
                bill = billed.get(day)
                quantity = exact(bill["quantity"]) if bill else line.quantity
                amount = instalment({**line.canonical, "quantity": quantity})
                found.setdefault(day, []).append((amount, bool(bill and bill["invoiced"])))
    for day, parts in sorted(found.items()):
        invoiced = all(done for _, done in parts)
        yield {"id": day.isoformat(), "date": day, "amount": sum(a for a, _ in parts), "invoiced": invoiced}
