"""Everything that can go wrong on the way, over systems in memory and a real hub."""

from tests.hub import hub, hub_server
from tests.world import open_gates, world

__all__ = ["hub", "hub_server", "open_gates", "world"]
