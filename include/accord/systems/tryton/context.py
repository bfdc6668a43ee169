"""What the handlers of one Tryton share."""

from __future__ import annotations

from dataclasses import dataclass

from accord.systems.tryton.client import TrytonClient
from accord.systems.tryton.places import Places


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The ERP called `name`: a session on it, and its countries and regions."""

    name: str
    client: TrytonClient
    places: Places
