"""Contracts as a target."""

from __future__ import annotations

import pyarrow as pa

from accord.objects.definition import BusinessObject
from accord.systems.collapsing import collapse_text, flat
from accord.systems.interface_tables.documents import DocumentTarget
from accord.systems.interface_tables.subscription.mapping import HELD, INBOX, KEEPS, LINE_NOT_KEPT, NEEDS, PLACES
from accord.systems.nesting import without_part_columns


class Contracts(DocumentTarget):
    """Agreements of the ERP, one for each contract of Salesforce."""

    inbox, held = INBOX, HELD
    keeps = KEEPS
    places = PLACES
    needs = NEEDS

    def collapse(self, definition: BusinessObject, table: pa.Table) -> pa.Table:
        """What the ERP can't tell apart: blanks around text, empty and null; what it has no place for."""
        table = collapse_text(definition, table)
        lines = without_part_columns(flat(table["lines"]), LINE_NOT_KEPT)
        return table.set_column(table.column_names.index("lines"), "lines", lines)
