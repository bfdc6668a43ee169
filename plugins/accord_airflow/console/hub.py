"""Accord for the length of one page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from accord_airflow import runtime

if TYPE_CHECKING:
    from accord.runtime import Accord


@contextmanager
def opened() -> Iterator[Accord]:
    """An Accord that reads the hub over one connection."""
    with runtime.opened() as accord, accord.hub.one_connection():
        yield accord
