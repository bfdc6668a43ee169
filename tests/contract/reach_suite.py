"""What every adapter must do when it can't reach its system, whatever the object: to be proven once per adapter.

    class TestMyCustomers(TargetReach, CustomerTargetSuite):
        …

An adapter gives one nobody answers for (`unreachable`) and one with a wrong password (`wrong_login`).
"""

from __future__ import annotations

from typing import Any

import pytest

from accord.errors import BadCredentials, Unavailable
from accord.ports import Selection, Source, Target
from tests.contract.source_suite import SourceSuite
from tests.contract.target_suite import TargetSuite
from tests.fakes import CollectingSink, FakeSending
from tests.tables import changes, wanted


class _Unreached:
    @pytest.fixture
    def unreachable(self) -> Any:
        raise NotImplementedError("give an adapter for an address where nothing listens")

    @pytest.fixture
    def wrong_login(self) -> Any:
        raise NotImplementedError("give an adapter with a wrong password")


class SourceReach(_Unreached, SourceSuite):
    """A SourceSuite with them."""

    def test_nobody_answers(self, unreachable: Source) -> None:
        with pytest.raises(Unavailable):
            unreachable.extract(self.definition, Selection(), CollectingSink())
        unreachable.close()

    def test_login_refused(self, wrong_login: Source) -> None:
        with pytest.raises(BadCredentials) as refused:
            wrong_login.extract(self.definition, Selection(), CollectingSink())
        assert refused.value.cure
        wrong_login.close()


class TargetReach(_Unreached, TargetSuite):
    """A TargetSuite with them."""

    def test_nobody_answers(self, unreachable: Target) -> None:
        row = self.sample(1)
        with pytest.raises(Unavailable):
            unreachable.send(self.definition, changes(self.definition, [row]), FakeSending())
        with pytest.raises(Unavailable):
            unreachable.read_back(self.definition, wanted([(row["key"], None)]))
        assert [c for c in unreachable.check({self.definition.name: self.definition}) if not c.ok and c.cure]
        unreachable.close()

    def test_login_refused(self, wrong_login: Target) -> None:
        row = self.sample(1)
        with pytest.raises(BadCredentials) as refused:
            wrong_login.send(self.definition, changes(self.definition, [row]), FakeSending())
        assert refused.value.cure
        with pytest.raises(BadCredentials):
            wrong_login.read_back(self.definition, wanted([(row["key"], None)]))
        assert [c for c in wrong_login.check({self.definition.name: self.definition}) if not c.ok and c.cure]
        wrong_login.close()
