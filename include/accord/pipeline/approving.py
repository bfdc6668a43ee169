"""Failures somebody may approve: which of them are, which were refused, which still wait."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from accord.hub.approvals import Decided, decisions
from accord.hub.connection import Hub
from accord.pipeline.runs import Run
from accord.quality.rule import Suite


@dataclass(frozen=True, slots=True)
class Approvals:
    """The approvable rules of a suite, and (key, rule) → what was decided about the versions of a batch."""

    rules: frozenset[str]
    decided: Mapping[tuple[str, str], Decided]

    @classmethod
    def about(
        cls, hub: Hub, run: Run, suite: Suite, failures: pa.Table, details: Mapping[str, Mapping[str, Any]]
    ) -> Approvals:
        """What was decided about `failures` (columns key, rule); `details`: key → what is known of the record, its version among it."""
        rules = frozenset(rule.name for rule in suite.rules if rule.approvable)
        asked = failures.filter(pc.is_in(failures["rule"], value_set=pa.array(sorted(rules), pa.string())))
        keys = set(asked["key"].to_pylist()) & details.keys()
        return cls(rules, decisions(hub, run.definition.name, {key: details[key]["version"] for key in sorted(keys)}))

    def without_approved(self, failures: pa.Table) -> pa.Table:
        """The failures nobody approved."""
        if not self.decided:
            return failures
        pairs = zip(failures["key"].to_pylist(), failures["rule"].to_pylist(), strict=True)
        return failures.filter(pa.array([not self.decided.get(pair, (False, ""))[0] for pair in pairs], pa.bool_()))

    def asks(self, failure: Mapping[str, Any]) -> bool:
        """Whether `failure` waits for a decision."""
        return failure["rule"] in self.rules and (failure["key"], failure["rule"]) not in self.decided

    def told(self, failure: Mapping[str, Any]) -> str:
        """What a person is told of `failure`."""
        _, why = self.decided.get((failure["key"], failure["rule"]), (False, None))
        return (
            str(failure["message"])
            if why is None
            else f"{failure['message']}; approval was refused: {why or 'no reason given'}"
        )
