"""Sending orders, each as one sale: see accord.systems.tryton.draft_then_commit. A change of an accepted one is an amendment."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from accord.categories import Category
from accord.errors import Recovery
from accord.ports import Sending
from accord.systems.results import Outcome, applied
from accord.systems.tryton.context import Context
from accord.systems.tryton.customer.party import Impossible
from accord.systems.tryton.draft_then_commit import DraftThenCommit, kept
from accord.systems.tryton.order.lookups import Lookups
from accord.systems.tryton.order.mapping import REFUSALS
from accord.systems.tryton.order.planning import Change, Values, cancellation, change, creation
from accord.systems.tryton.order.reading import Sales
from accord.systems.tryton.order.sale import Sale
from accord.systems.tryton.reading import reading
from accord.systems.tryton.sending import Row, reject

_AMENDMENT = "model.sale.amendment"


class OrderSender(DraftThenCommit[Sale]):
    """Sends one table of changes of orders."""

    refusals = REFUSALS
    model, noun = "sale.sale", "order"
    steps = (("draft", "quote"), ("quotation", "confirm"))
    batch = 20  # confirming a hundred takes longer than a call may
    halve = False

    def __init__(self, context: Context, sales: Sales, sending: Sending) -> None:
        super().__init__(context.client, sending)
        self._context, self._sales = context, sales
        self._planned: dict[str, Change] = {}

    def _send_all(self, rows: list[Row]) -> None:
        found = self._found(rows)
        self._cancel([row for row in rows if row["gone"]], found)
        live = self._open_rows(rows, lambda row: not row["gone"])
        if not live:
            return
        look = Lookups(self._context, self._sales.books())
        look.load(live)
        closed = [r for r in live if r["native"] and (s := kept(found[r["key"]])) and s.state == "cancelled"]
        for row in closed:
            said = "The order was cancelled in the ERP. Place a new one if it is still wanted."
            self._tell(row, reject(Category.ORDER_FIXED, said, row["native"]))
        self._judge(self._open_rows(live, lambda _: True), found, look)
        self._addresses(self._open_rows(live, lambda _: True), look)
        self._create(self._open_rows(live, lambda _: True), found, look)
        self._amend(self._settle(self._open_rows(live, lambda _: True)), look)

    def _documents(self, asked: Iterable[tuple[str, str | None]], *, whole: bool = True) -> dict[str, list[Sale]]:
        return self._sales.of(asked, whole=whole)

    # --------------------------------------------------------------------------------------------------- new orders
    def _judge(self, rows: list[Row], found: dict[str, list[Sale]], look: Lookups) -> None:
        """Hold what must not be confirmed."""
        for row in rows:
            sale = kept(found[row["key"]])
            try:
                if not (sale and sale.accepted) and look.on_hold(row):
                    self._tell(row, _held(Category.CREDIT_HOLD, "Finance has the customer on credit hold."))
            except Impossible as impossible:
                self._tell(row, impossible.outcome)

    def _addresses(self, rows: list[Row], look: Lookups) -> None:
        """Create the addresses the customers do not have yet."""
        for role in ("bill_to", "ship_to"):  # the second may be what was made for the first
            missing: dict[str, Values] = {}
            for row in self._open_rows(rows, lambda _: True):
                try:
                    _, values = look.address(row, role)
                except Impossible as impossible:
                    self._tell(row, impossible.outcome)
                    continue
                if values:
                    missing[row["key"]] = values

            def create(some: list[Row], values: dict[str, Values] = missing) -> None:
                made = self._client.call("model.party.address.create", [values[row["key"]] for row in some])
                for row, identity in zip(some, made, strict=True):
                    look.learn(row, {"id": identity, **values[row["key"]]})

            self._each([row for row in rows if row["key"] in missing], create)

    def _create(self, rows: list[Row], found: dict[str, list[Sale]], look: Lookups) -> None:
        """Create a draft of each order that has no sale, or only one that was left half-way with another content."""

        def plan(row: Row, sale: Sale | None) -> Values | None:
            try:
                return None if sale and not change(row, sale, look) else creation(row, look)
            except Impossible as impossible:
                self._tell(row, impossible.outcome)
                return None

        self._make(rows, found, plan)

    # ------------------------------------------------------------------------------------------ changes, cancellations
    def _amend(self, accepted: dict[str, tuple[Row, Sale]], look: Lookups) -> None:
        """Change what differs of accepted orders."""
        changes: list[tuple[Row, Sale, Change]] = []
        for row, sale in accepted.values():
            try:
                found = change(row, sale, look)
            except Impossible as impossible:
                self._tell(row, impossible.outcome)
                continue
            more = any(a["action"] == "line" and a["quantity"] > _now(sale, a["line"]) for a in found.actions)
            if more and look.on_hold(row):
                self._tell(row, _held(Category.CREDIT_HOLD, "Finance has the customer on credit hold."))
            else:
                changes.append((row, sale, found))
        self._apply(changes)

    def _cancel(self, rows: list[Row], found: dict[str, list[Sale]]) -> None:
        """Cancel orders: those not accepted yet as they are, accepted ones by an amendment that leaves nothing."""
        opened: dict[str, list[int]] = {}
        changes: list[tuple[Row, Sale, Change]] = []
        for row in rows:
            sale = kept(found[row["key"]])
            if sale is not None and sale.open:
                opened[row["key"]] = [one.native for one in found[row["key"]] if one.open]
            elif sale is None or sale.void:
                self._tell(row, applied(str(sale.native) if sale else None))
            else:
                changes.append((row, sale, cancellation(sale)))

        def cancel(some: list[Row]) -> None:
            self._client.call("model.sale.sale.cancel", [native for row in some for native in opened[row["key"]]])
            for row in some:
                self._tell(row, applied(str(min(opened[row["key"]]))))

        self._each([row for row in rows if row["key"] in opened], cancel)
        self._apply(changes)

    def _apply(self, changes: list[tuple[Row, Sale, Change]]) -> None:
        """Carry the changes out: an amendment of each sale, which Tryton allows one at a time."""
        planned: dict[str, tuple[Sale, Change]] = {}
        rows: list[Row] = []
        for row, sale, found in changes:
            if found.refusal:
                self._tell(row, found.refusal)
            elif not found:
                self._tell(row, applied(str(sale.native)))
            else:
                planned[row["key"]] = (sale, found)
                rows.append(row)
        if not rows:
            return

        def comment(some: list[Row]) -> None:
            words: list[Any] = []
            for row in some:
                sale, found = planned[row["key"]]
                words += [[sale.native], {"comment": found.comment}]
            self._client.call("model.sale.sale.write", *words)

        self._each([row for row in rows if planned[row["key"]][1].comment is not None], comment)
        rows = self._open_rows(rows, lambda _: True)
        for row in rows:
            if not planned[row["key"]][1].actions:
                self._tell(row, applied(str(planned[row["key"]][0].native)))
        rows = self._open_rows(rows, lambda _: True)
        amendments = self._left_over({planned[row["key"]][0].native: row for row in rows})

        def create(some: list[Row]) -> None:
            values = [
                {"sale": sale.native, "description": _tag(row), "lines": [["create", found.actions]]}
                for row in some
                for sale, found in (planned[row["key"]],)
            ]
            made = self._client.call(f"{_AMENDMENT}.create", values)
            amendments.update({row["key"]: identity for row, identity in zip(some, made, strict=True)})

        def validate(some: list[Row]) -> None:
            self._client.call(f"{_AMENDMENT}.validate_amendment", [amendments[row["key"]] for row in some])
            for row in some:
                self._tell(row, applied(str(planned[row["key"]][0].native)))

        self._each([row for row in rows if row["key"] not in amendments], create)
        self._each(self._open_rows(rows, lambda row: row["key"] in amendments), validate)

    def _left_over(self, rows: dict[int, Row]) -> dict[str, int]:
        """Amendments of the same version that a sender left without applying them: key → id."""
        if not rows:
            return {}
        domain = [["sale", "in", sorted(rows)], ["state", "=", "draft"]]
        search, fields = f"{_AMENDMENT}.search_read", ["sale", "description"]
        found = reading(self._client, search, domain, 0, None, None, fields)
        return {rows[r["sale"]]["key"]: r["id"] for r in found if r["description"] == _tag(rows[r["sale"]])}


def _tag(row: Row) -> str:
    """What tells one version's amendment from another's."""
    return f"Salesforce, version {row['version'].isoformat()}{', cancelled' if row['gone'] else ''}"


def _now(sale: Sale, line: int) -> float:
    return next(float(one.quantity) for one in sale.lines if one.native == line)


def _held(category: Category, message: str) -> Outcome:
    return Outcome(outcome=Recovery.HOLD, category=category, message=message)
