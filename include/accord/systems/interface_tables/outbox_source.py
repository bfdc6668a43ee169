"""A handler that is nothing but its declaration."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from accord.errors import SchemaDrift
from accord.objects.definition import BusinessObject
from accord.ports import Selection, Sink
from accord.systems.erp import SourceHandler
from accord.systems.interface_tables.context import Context
from accord.systems.interface_tables.contract import Outbox
from accord.systems.interface_tables.extracting import Extraction
from accord.systems.interface_tables.lacking import lacking


class OutboxSource(SourceHandler[Context]):
    """Reads what `outbox` declares."""

    outbox: ClassVar[Outbox]

    def extract(self, definition: BusinessObject, selection: Selection, sink: Sink) -> datetime:
        """By the database's clock. The columns are looked at first: a retyped one might be read, as something else."""
        context, outbox = self._context, self.outbox.without(selection.without)
        if wrong := lacking(context.session, outbox, definition):
            raise SchemaDrift(
                f"{context.name} lacks {', '.join(wrong.values())}, or has it as another type or not for this user.",
                cure="Restore it as docs/interface-tables.md has it, or change the mapping.",
            )
        return Extraction(context.session, context.name, outbox, definition, self.not_read).run(selection, sink)

    def unreadable(self, definition: BusinessObject) -> Mapping[str, str]:
        """By the database's catalogue."""
        return lacking(self._context.session, self.outbox, definition)
