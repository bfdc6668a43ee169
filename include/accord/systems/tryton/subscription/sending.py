"""Sending contracts, each as one subscription: see accord.systems.tryton.draft_then_commit. A change of one that runs takes it back
to a draft, changes it and runs it again; one that is refused in between runs again as it was."""

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
from accord.systems.tryton.sending import Row, reject
from accord.systems.tryton.subscription.lookups import Lookups
from accord.systems.tryton.subscription.mapping import DELETED, REFUSALS
from accord.systems.tryton.subscription.planning import Change, Values, change, creation
from accord.systems.tryton.subscription.reading import Subscriptions
from accord.systems.tryton.subscription.subscription import Subscription

Changes = dict[str, tuple[Subscription, Change]]


class ContractSender(DraftThenCommit[Subscription]):
    """Sends one table of changes of contracts."""

    refusals = REFUSALS
    model, noun = "sale.subscription", "contract"
    steps = (("draft", "quote"), ("quotation", "run"))

    def __init__(self, context: Context, subscriptions: Subscriptions, sending: Sending) -> None:
        super().__init__(context.client, sending)
        self._context, self._subscriptions = context, subscriptions

    def _documents(
        self, asked: Iterable[tuple[str, str | None]], *, whole: bool = True
    ) -> dict[str, list[Subscription]]:
        return self._subscriptions.of(asked)

    def _send_all(self, rows: list[Row]) -> None:
        found = self._found(rows)
        self._cancel([row for row in rows if row["gone"]], found)
        live = self._open_rows(rows, lambda row: not row["gone"])
        if not live:
            return
        look = Lookups(self._context, self._subscriptions.books(), self._subscriptions.recurrences())
        look.load(live)
        self._judge(live, found, look)

        def plan(row: Row, draft: Subscription | None) -> Values | None:
            try:
                return None if draft and not change(row, draft, look) else creation(row, look)
            except Impossible as impossible:
                self._tell(row, impossible.outcome)
                return None

        self._make(self._open_rows(live, lambda _: True), found, plan)
        self._amend(self._settle(self._open_rows(live, lambda _: True)), look)

    def _judge(self, rows: list[Row], found: dict[str, list[Subscription]], look: Lookups) -> None:
        """Tell what must not be begun."""
        for row in rows:
            one = kept(found[row["key"]])
            try:
                if row["native"] and one and one.state == "cancelled" and not one.deleted:
                    said = "The contract was cancelled in the ERP. Begin a new one if it is still wanted."
                    self._tell(row, reject(Category.CONTRACT_FIXED, said, row["native"]))
                elif not (one and one.accepted) and look.on_hold(row):
                    said = "Finance has the customer on credit hold."
                    self._tell(row, Outcome(outcome=Recovery.HOLD, category=Category.CREDIT_HOLD, message=said))
            except Impossible as impossible:
                self._tell(row, impossible.outcome)

    # ------------------------------------------------------------------------------------------ amendments, cancellations
    def _amend(self, accepted: dict[str, tuple[Row, Subscription]], look: Lookups) -> None:
        """Change what differs of contracts that run, and run those again that were taken back."""
        changes: Changes = {}
        rows: list[Row] = []
        for row, one in accepted.values():
            try:
                found = change(row, one, look)
            except Impossible as impossible:
                found = Change(refusal=impossible.outcome)
            if found.refusal:
                self._tell(row, found.refusal)
            elif not found and not one.taken_back:
                self._tell(row, applied(str(one.native)))
            else:
                changes[row["key"]] = (one, found)
                rows.append(row)
        self._take_back([row for row in rows if changes[row["key"]][0].state != "draft"], changes)
        backed = self._open_rows(rows, lambda _: True)

        def write(some: list[Row]) -> None:
            words: list[Any] = []
            for row in some:
                one, found = changes[row["key"]]
                values = found.header | ({"lines": found.lines} if found.lines else {})
                words += [[one.native], values]
            self._client.call(f"model.{self.model}.write", *words)

        self._each([row for row in backed if changes[row["key"]][1]], write)
        told = dict(self._outcomes)  # what was refused runs again as it was

        def again(some: list[Row]) -> None:
            natives = [changes[row["key"]][0].native for row in some]
            self._client.call(f"model.{self.model}.quote", natives)
            self._client.call(f"model.{self.model}.run", natives)
            for row in some:
                self._tell(row, told.get(row["key"]) or applied(str(changes[row["key"]][0].native)))

        self._each(backed, again)

    def _take_back(self, rows: list[Row], changes: Changes) -> None:
        def draft(some: list[Row]) -> None:
            self._client.call(f"model.{self.model}.draft", [changes[row["key"]][0].native for row in some])

        self._each(rows, draft)

    def _cancel(self, rows: list[Row], found: dict[str, list[Subscription]]) -> None:
        """Cancel contracts nothing of which is billed."""
        going: dict[str, list[int]] = {}
        changes: Changes = {}
        for row in rows:
            one = kept(found[row["key"]])
            if one is None or one.state == "cancelled":
                self._tell(row, applied(str(one.native) if one else None))
            elif one.billed or one.state == "closed":
                said = "Part of the contract is billed: it can't be cancelled any more."
                cure = "Bring it back in Salesforce and end it there, or agree a credit note with finance."
                self._tell(row, reject(Category.ALREADY_BILLED, f"{said} {cure}", str(one.native)))
            else:
                going[row["key"]] = [each.native for each in found[row["key"]] if each.open] or [one.native]
                changes[row["key"]] = (one, Change())
        running = [row for row in rows if row["key"] in changes and changes[row["key"]][0].state == "running"]
        self._take_back(running, changes)

        def cancel(some: list[Row]) -> None:
            natives = [native for row in some for native in going[row["key"]]]
            words = [[n, {"description": f"{row['number']}{DELETED}"}] for row in some for n in [going[row["key"]]]]
            self._client.call(f"model.{self.model}.write", *(part for pair in words for part in pair))
            self._client.call(f"model.{self.model}.cancel", natives)
            for row in some:
                self._tell(row, applied(str(min(going[row["key"]]))))

        self._each(self._open_rows(rows, lambda row: row["key"] in going), cancel)
