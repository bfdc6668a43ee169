"""What lists that are read a page at a time share."""

from __future__ import annotations

from accord.errors import Stop


def no_place(after: str) -> Stop:
    """To raise when somebody asks for what comes `after` something that no page named."""
    return Stop(f"{after!r} is no place in the list.", cure="Give what the page before named.")
