"""Hand-written systems in memory: as inspectable as data, and as well behaved as the real ones unless told otherwise.

The contract suite judges them like every adapter, so a test of the pipeline that passes on them says something.
"""

from tests.fakes.base import CollectingSink, FakeSending
from tests.fakes.source import FakeSource
from tests.fakes.target import FakeTarget, Fault, Write

__all__ = ["CollectingSink", "FakeSending", "FakeSource", "FakeTarget", "Fault", "Write"]
