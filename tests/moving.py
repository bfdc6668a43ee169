"""A legal entity that moves: the routing as it will be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from accord import routing
from accord.routing import Former, LegalEntity


def moved(code: str, system: str) -> tuple[LegalEntity, ...]:
    """The legal entities once the books of `code` are kept in `system`, under the same company code."""
    return tuple(
        replace(one, system=system, formerly=(Former(system=one.system, company=one.company), *one.formerly))
        if one.code == code
        else one
        for one in routing.LEGAL_ENTITIES
    )


def move(monkeypatch: pytest.MonkeyPatch, code: str, system: str) -> None:
    """Change the routing so."""
    monkeypatch.setattr(routing, "LEGAL_ENTITIES", moved(code, system))
