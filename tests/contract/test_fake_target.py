"""The fake keeps the contract, so a pipeline test on it says something; and the suite notices when it does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accord.categories import Category
from accord.ports import Target
from tests.contract.reach_suite import TargetReach
from tests.contract.target_suite import CustomerTargetSuite
from tests.fakes import FakeTarget
from tests.tables import Row


class TestFakeTarget(TargetReach, CustomerTargetSuite):
    @pytest.fixture
    def open_target(self) -> Callable[[], Target]:
        one = FakeTarget(request_size=3)
        return lambda: one

    @pytest.fixture
    def unreachable(self) -> Target:
        return FakeTarget(down=True)

    @pytest.fixture
    def wrong_login(self) -> Target:
        return FakeTarget(bad_login=True)

    def edit(self, target: Target, native: str, **values: Any) -> None:
        assert isinstance(target, FakeTarget)
        target.edit(self.definition, native, **values)

    def count(self, target: Target, key: str) -> int:
        assert isinstance(target, FakeTarget)
        return len(target.held(self.definition, key))

    def spoilt(self, target: Target, row: Row) -> dict[str, Any]:
        assert isinstance(target, FakeTarget)
        target.rejects[row["key"]] = Category.INVALID_VALUE
        return dict(row)
