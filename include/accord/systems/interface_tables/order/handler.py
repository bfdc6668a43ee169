"""Orders as a target."""

from __future__ import annotations

import pyarrow as pa

from accord.objects.definition import BusinessObject
from accord.systems.collapsing import collapse_text, flat
from accord.systems.interface_tables.documents import DocumentTarget
from accord.systems.interface_tables.order.mapping import HELD, INBOX, KEEPS, LINE_NOT_KEPT, NEEDS, PLACES
from accord.systems.interface_tables.sending import Columns
from accord.systems.order_lines import live_lines


class Orders(DocumentTarget):
    """Orders of the ERP, one for each order of Salesforce."""

    inbox, held = INBOX, HELD
    keeps = KEEPS
    places = PLACES
    needs = NEEDS

    def collapse(self, definition: BusinessObject, table: pa.Table) -> pa.Table:
        """What the ERP can't tell apart: blanks around text, empty and null; what it has no place for."""
        table = collapse_text(definition, table)
        lines = live_lines(flat(table["lines"]), LINE_NOT_KEPT)
        return table.set_column(table.column_names.index("lines"), "lines", lines)

    def _own(self, changes: pa.Table) -> Columns:
        lists = changes["price_list__native"].to_pylist()
        # a list's native id names its legal entity too
        names = pa.array([one.rpartition("/")[2] if one else None for one in lists], pa.string())
        return super()._own(changes) | {"price_list": names}
