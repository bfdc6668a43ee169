"""Orders as a target."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from accord.objects.definition import BusinessObject
from accord.ports import Check, Safety, Sending
from accord.systems.collapsing import collapse_text, flat, trimmed
from accord.systems.erp import TargetHandler
from accord.systems.order_lines import earliest, live_lines
from accord.systems.tryton.context import Context
from accord.systems.tryton.order.mapping import KEEPS, LINE_NOT_KEPT, NEEDS, PLACES, WAREHOUSES
from accord.systems.tryton.order.reading import Sales
from accord.systems.tryton.order.sending import OrderSender


class Orders(TargetHandler[Context]):
    """Sales of Tryton, one for each order of Salesforce."""

    safety = Safety.DRAFT_THEN_COMMIT  # sale.reference is not unique
    keeps = KEEPS
    fills_in = frozenset({"addresses", "payment_terms"})  # the party's own
    places = PLACES
    needs = NEEDS

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._sales = Sales(context)

    def collapse(self, definition: BusinessObject, table: pa.Table) -> pa.Table:
        """What Tryton can't tell apart: blanks around text, empty and null; a cancelled line and none; what it has no place for.
        Without a date for the whole order, that of its earliest line is the order's."""
        table = collapse_text(definition, table, _single_line)
        lines = flat(table["lines"])
        place = table.column_names.index("requested_date")
        dates = pc.coalesce(flat(table["requested_date"]), earliest(lines))
        table = table.set_column(place, "requested_date", dates)
        return table.set_column(table.column_names.index("lines"), "lines", live_lines(lines, LINE_NOT_KEPT))

    def send(self, definition: BusinessObject, changes: pa.Table, sending: Sending) -> pa.Table:
        """See OrderSender."""
        return OrderSender(self._context, self._sales, sending).send(changes)

    def read_back(self, definition: BusinessObject, wanted: pa.Table) -> pa.Table:
        """By reference, else by id; what is not accepted yet is not there yet."""
        return self._sales.canonical(definition, wanted)

    def census(self) -> Iterator[pa.Table]:
        """By reference."""
        return self._sales.census()

    def checks(self) -> Iterator[Check]:
        """The warehouses orders are shipped from."""
        search = "model.stock.location.search_read"
        rows = self._context.client.call(search, [["type", "=", "warehouse"]], 0, None, None, ["code"])
        known = {row["code"] for row in rows}
        for entity, code in WAREHOUSES.items():
            subject = f"{self._context.name}: warehouse {code} of {entity}"
            if code in known:
                yield Check(subject=subject, ok=True, found="is there")
            else:
                cure = "Create the warehouse with this code, or correct accord.systems.tryton.order.mapping."
                yield Check(subject=subject, ok=False, found="is not there", cure=cure)


def _single_line(path: str, column: pa.Array) -> pa.Array:
    """Streets and descriptions have lines; what becomes a line of the comment has none."""
    lines = path in ("addresses.street", "lines.description")
    return trimmed(path, column if lines else pc.replace_substring_regex(column, "[\t\n\r\v\f]+", " "))
