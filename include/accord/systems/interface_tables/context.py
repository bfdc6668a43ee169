"""What the handlers of one ERP behind interface tables share."""

from __future__ import annotations

from dataclasses import dataclass

from accord.systems.interface_tables.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The ERP called `name`, and a session on its database."""

    name: str
    session: Session
