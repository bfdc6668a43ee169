"""What the target's answers mean: a result for every record that was claimed, an exception for each that did not pass."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from accord.categories import Category, remedy
from accord.errors import Recovery
from accord.hub.exceptions import Raised
from accord.masking import shown
from accord.objects.definition import BusinessObject
from accord.pipeline.outcomes import outcomes
from accord.pipeline.runs import Run
from accord.records import correlation_id

log = logging.getLogger(__name__)

MENDED_IN_TARGET = (Category.NOT_PERMITTED, Category.REFERENCE_UNKNOWN)
LOGGED = 50  # failing records named in the log of a chunk; the queue has them all


def at_risk(row: Mapping[str, Any]) -> dict[str, Any]:
    """The money an exception about a row of changes names."""
    return {"currency": row["_currency"] or None, "at_risk": row["_amount"] if row["_currency"] else None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Reads what `target` answered in `run`. `sent`: fields and constituents that are sent of a record at most."""

    run: Run
    target: str
    definition: BusinessObject
    sent: frozenset[str]

    def judge(self, mine: pa.Table, answers: pa.Table, dispatch: int) -> tuple[pa.Table, list[Raised]]:
        """(results, exceptions) of the records `mine`; what there is no answer for was interrupted."""
        passed = pc.equal(answers["outcome"], Recovery.APPLIED)
        applied = pc.is_in(mine["key"], value_set=answers.filter(passed)["key"].combine_chunks())
        # nearly all passed: only the others are worth a loop
        by_key = {answer["key"]: answer for answer in answers.filter(pc.invert(passed)).to_pylist()}
        left = mine.filter(pc.invert(applied)).select(["key", "version", "hash", "_said", "_currency", "_amount"])
        interrupted = {"outcome": Recovery.RETRY, "category": Category.INTERRUPTED}
        raised = [self._refused(row, by_key.get(row["key"], interrupted), dispatch) for row in left.to_pylist()]
        raised = self._with_requests(mine, raised)
        self._log(raised)
        told = answers.filter(pc.is_valid(answers["native"]))
        natives = dict(zip(told["key"].to_pylist(), told["native"].to_pylist(), strict=True))
        parts = [outcomes(mine.filter(applied), "applied", natives)]
        for bucket in ("rejected", "parked"):
            keys = pa.array([one.key for one in raised if one.kind == bucket], pa.string())
            parts.append(outcomes(mine.filter(pc.is_in(mine["key"], value_set=keys)), bucket, natives))
        return pa.concat_tables(parts), raised

    def parked(self, row: Mapping[str, Any], category: Category, dispatch: int) -> Raised:
        """The exception of a record that waits (`row`: key, version, _said)."""
        return Raised(
            kind="parked",
            key=row["key"],
            category=category,
            target=self.target,
            version=row["version"],
            said=row["_said"],
            message=remedy(category, self.run.flow.source),
            dispatch=dispatch,
        )

    def _refused(self, row: Mapping[str, Any], answer: Mapping[str, Any], dispatch: int) -> Raised:
        # what only the target's owner can mend is tried again by the next run: the record itself will not change
        rejected = Recovery(answer["outcome"]) is Recovery.REJECT and answer.get("category") not in MENDED_IN_TARGET
        category = Category(answer.get("category") or (Category.REFUSED if rejected else Category.LOCKED))
        return replace(
            self.parked(row, category, dispatch),
            kind="rejected" if rejected else "parked",
            hash=row["hash"] if rejected else None,
            message=answer.get("message") or remedy(category, self.run.flow.source),
            answer=answer.get("answer"),
            awaits=answer.get("awaits"),
            awaits_object=self.definition.name if answer.get("awaits") else None,
            **at_risk(row),
        )

    def _with_requests(self, mine: pa.Table, raised: Sequence[Raised]) -> list[Raised]:
        """`raised` with what was sent of their records, masked."""
        refused = mine.filter(pc.is_in(mine["key"], pa.array([one.key for one in raised], pa.string())))
        requests = {row["key"]: shown(self.definition, row, self.sent) for row in refused.to_pylist()}
        return [replace(one, request=requests.get(one.key)) for one in raised]

    def _log(self, raised: Sequence[Raised]) -> None:
        for matter in raised[:LOGGED]:
            version = matter.version.isoformat() if matter.version else ""
            log.warning(
                "%s %s %s → %s: %s, %s",
                correlation_id(self.definition.name, matter.key, version),
                self.definition.name,
                matter.key,
                self.target,
                matter.kind,
                matter.category,
            )
        if len(raised) > LOGGED:
            rest = len(raised) - LOGGED
            log.warning("run %d → %s: and %d more; all are in the exception queue", self.run.id, self.target, rest)
