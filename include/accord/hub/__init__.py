"""The hub: everything Accord remembers, in PostgreSQL."""

from accord.hub.connection import Hub

__all__ = ["Hub"]
