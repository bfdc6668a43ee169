"""Contracts as a target."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from accord.objects.definition import BusinessObject
from accord.ports import Check, Safety, Sending
from accord.recurring import PERIODS
from accord.systems.collapsing import collapse_text, flat
from accord.systems.erp import TargetHandler
from accord.systems.nesting import without_part_columns
from accord.systems.tryton.context import Context
from accord.systems.tryton.subscription.mapping import KEEPS, LINE_NOT_KEPT, NEEDS, PLACES
from accord.systems.tryton.subscription.reading import Subscriptions
from accord.systems.tryton.subscription.sending import ContractSender


class Contracts(TargetHandler[Context]):
    """Subscriptions of Tryton, one for each contract of Salesforce."""

    safety = Safety.DRAFT_THEN_COMMIT  # sale.subscription.reference is not unique
    keeps = KEEPS
    fills_in = frozenset({"payment_terms"})  # the party's own
    places = PLACES
    needs = NEEDS

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._subscriptions = Subscriptions(context)

    def collapse(self, definition: BusinessObject, table: pa.Table) -> pa.Table:
        """What Tryton can't tell apart: blanks around text, empty and null; what it has no place for."""
        table = collapse_text(definition, table)
        lines = without_part_columns(flat(table["lines"]), LINE_NOT_KEPT)
        return table.set_column(table.column_names.index("lines"), "lines", lines)

    def send(self, definition: BusinessObject, changes: pa.Table, sending: Sending) -> pa.Table:
        """See ContractSender."""
        return ContractSender(self._context, self._subscriptions, sending).send(changes)

    def read_back(self, definition: BusinessObject, wanted: pa.Table) -> pa.Table:
        """By reference, else by id; what does not run is not there yet."""
        return self._subscriptions.canonical(definition, wanted)

    def census(self) -> Iterator[pa.Table]:
        """By reference."""
        return self._subscriptions.census()

    def checks(self) -> Iterator[Check]:
        """A recurrence rule for every billing period."""
        known = set(self._subscriptions.recurrences().values())
        for period in PERIODS:
            subject = f"{self._context.name}: recurrence rule, {period.lower()}"
            cure = "" if period in known else "Create a recurrence rule set of one plain rule of that length."
            found = "is there" if period in known else "is not there"
            yield Check(subject=subject, ok=period in known, found=found, cure=cure)
