"""A handler that is nothing but its declaration."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from accord.objects.definition import BusinessObject
from accord.ports import Selection, Sink
from accord.systems.erp import SourceHandler
from accord.systems.interface_tables.context import Context
from accord.systems.interface_tables.contract import Outbox
from accord.systems.interface_tables.extracting import Extraction


class OutboxSource(SourceHandler[Context]):
    """Reads what `outbox` declares."""

    outbox: ClassVar[Outbox]

    def extract(self, definition: BusinessObject, selection: Selection, sink: Sink) -> datetime:
        """By the database's clock."""
        context = self._context
        return Extraction(context.session, context.name, self.outbox, definition, self.not_read).run(selection, sink)
