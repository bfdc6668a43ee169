"""Reconcile: compare what the owner says with what a target holds, name every difference, put right what may be.

first look     everything, chunk by chunk, and the census       → keys that are doubtful
second look    those, by key, with the hub's word around it     → standings and differences, each with its cause
corrections    by the flow itself, as far as is allowed         → looked at once more
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from accord.errors import Stop
from accord.flows import Flow
from accord.hub import reconciliations as kept
from accord.hub.approvals import decisions
from accord.hub.reconciliations import Apply, Outcome
from accord.objects.definition import Priority
from accord.pipeline.reconcile.amounts import Amounts, as_kept, merge
from accord.pipeline.reconcile.classes import CATEGORY, Correction, Difference, Standing
from accord.pipeline.reconcile.correct import correct
from accord.pipeline.reconcile.first_look import first_look
from accord.pipeline.reconcile.matters import close_matters, close_others, raise_matters
from accord.pipeline.reconcile.second_look import AT_ONCE, second_look
from accord.pipeline.reconcile.sides import Pair, source_says
from accord.runtime import Accord

log = logging.getLogger(__name__)

__all__ = ["Apply", "reconcile"]

Natives = Mapping[str, tuple[str, ...]]


def reconcile(
    accord: Accord, flow: Flow, *, target: str, keys: Sequence[str] = (), apply: Apply = Apply.AUTO, who: str = "accord"
) -> dict[str, Any]:
    """Hold what `flow`'s source says against what `target` holds and return a summary: counts by standing and class, amounts of both
    sides, outcomes, money at risk per currency.

    Args:
        keys: canonical or native ids to look at; without any everything is compared and the census taken.
        apply: nothing, what the object declares may be corrected by itself, or everything.
        who: on whose behalf, for the hub's history.

    Raises what a system raises that can't be read or written; SystemShut, having looked at nothing, when one takes no calls from
    bulk runs. Safe to run again, at any time, beside any flow.
    """
    if target not in flow.targets:
        raise Stop(f"{flow.name} has no target {target}.", cure=f"Choose {' or '.join(flow.targets)}.")
    enter = accord.availability.entered
    with enter(flow.source, Priority.BULK), enter(target, Priority.BULK):
        return _Reconciliation(Pair(accord, flow, target), keys, apply, who).carry_out()


class _Reconciliation:
    """One object, from one source, against one target."""

    def __init__(self, pair: Pair, keys: Sequence[str], apply: Apply, who: str) -> None:
        self.pair, self.apply = pair, apply
        self.keys = tuple(key if ":" in key else f"{pair.flow.source}:{key}" for key in dict.fromkeys(keys))
        self.hub = pair.accord.hub
        self.id = kept.open_reconciliation(
            self.hub, flow=pair.flow.name, stream=pair.stream, keys=len(self.keys) or None, mode=apply, who=who
        )
        self.counts: Counter[str] = Counter()
        self.amounts: Amounts = {}
        self.run = 0  # the last one that read the source, for the exceptions

    def carry_out(self) -> dict[str, Any]:
        """Look, look again, correct, keep; the summary."""
        doubtful, natives = (iter(self.keys), {}) if self.keys else self._look_at_everything()
        for some in _slices(doubtful):
            self._look_again(some, natives)
        if self.apply is not Apply.NONE:
            if self._may_correct():
                self._correct()
            self._propose()
        with self.hub.session() as session:
            kept.close_reconciliation(session, self.id, +self.counts, as_kept(self.amounts))
        summary = kept.one(self.hub, self.id)
        log.info("%s", kept.describe(summary))
        return summary

    def _look_at_everything(self) -> tuple[Iterator[str], Natives]:
        with source_says(self.pair.accord, self.pair.flow) as reading:
            looked = first_look(self.pair, reading)
        self.counts.update(looked.counts)
        merge(self.amounts, looked.amounts)
        doubtful = looked.keys()
        if self.apply is not Apply.NONE:
            close_others(self.pair, doubtful)
        return (key.as_py() for key in doubtful), looked.natives

    def _look_again(self, keys: Sequence[str], natives: Natives) -> None:
        """Judge some doubtful keys, and keep the differences."""
        look = second_look(self.pair, keys, natives, whole=bool(self.keys))
        self.run = look.run
        merge(self.amounts, look.amounts)
        differences = [verdict for verdict in look.verdicts.values() if isinstance(verdict, Difference)]
        settled = {Standing.AGREED, Standing.EXCLUDED}
        for verdict in look.verdicts.values():
            self.counts[verdict.kind if isinstance(verdict, Difference) else verdict] += 1
        decided = decisions(self.hub, self.pair.definition.name, {d.key: d.version for d in differences})
        place = (self.pair.definition.name, self.pair.target.name)
        dismissed = kept.dismissed(self.hub, *place, [d.key for d in differences])
        rows = []
        for one in differences:
            refused = (one.key, one.rule) in decided and not decided[one.key, one.rule][0]
            left = refused or (one.key, one.rule, one.version) in dismissed
            rows.append(_row(one) | {"outcome": Outcome.ACCEPTED if left else Outcome.FOUND})
        with self.hub.session() as session:
            kept.keep_differences(session, self.id, rows)
        if self.apply is not Apply.NONE:
            agreed = [key for key, verdict in look.verdicts.items() if verdict in settled]
            accepted = [row["key"] for row in rows if row["outcome"] is Outcome.ACCEPTED]
            close_matters(self.pair, [*agreed, *accepted], "both sides agree again, or are left as they are")

    def _may_correct(self) -> bool:
        """Whether corrections are made without asking anybody further."""
        if self.apply is Apply.ALL:
            return True
        allowed = self.pair.definition.reconciling
        records, amount = kept.at_stake(self.hub, self.id, by_hand=Correction.BY_HAND)
        if records <= allowed.records and amount <= allowed.amount:
            return True
        log.warning(
            "%s → %s: %d corrections wait for an approval: by themselves at most %d are made, and at most %s at risk",
            self.pair.flow.name,
            self.pair.target.name,
            records,
            allowed.records,
            allowed.amount,
        )
        return False

    def _correct(self) -> None:
        """Correct what was found, each slice looked at once more right before and right after."""
        for some in kept.to_correct(
            self.hub, self.id, Correction.BY_HAND, asked=self.apply is Apply.ALL, at_once=AT_ONCE
        ):
            keys = [row["key"] for row in some]
            natives = {row["key"]: tuple(row["natives"]) for row in some}
            before = second_look(self.pair, keys, natives, whole=False)
            still = [verdict for verdict in before.verdicts.values() if isinstance(verdict, Difference)]
            correct(self.pair, [one for one in still if one.correction is not Correction.BY_HAND], before.read_at)
            after = second_look(self.pair, keys, natives, whole=False)
            self.run = after.run
            outcomes: dict[Outcome, list[str]] = {}
            for key, verdict in after.verdicts.items():
                if isinstance(verdict, Difference):
                    outcomes.setdefault(Outcome.STANDS, []).append(key)
                elif verdict is Standing.AGREED:
                    outcomes.setdefault(Outcome.CORRECTED, []).append(key)
                else:
                    outcomes.setdefault(Outcome.PASSED_ON, []).append(key)
            with self.hub.session() as session:
                for outcome, of in outcomes.items():
                    kept.set_outcome(session, self.id, of, outcome)
            done = [key for outcome, of in outcomes.items() if outcome is not Outcome.STANDS for key in of]
            close_matters(self.pair, done, "corrected")

    def _propose(self) -> None:
        """What was not corrected waits for a person, each with what is proposed."""
        with self.hub.session() as session:
            kept.propose(session, self.id)
        for some in kept.open_ones(self.hub, self.id, at_once=AT_ONCE):
            raise_matters(self.pair, self.run, some)


def _row(one: Difference) -> dict[str, Any]:
    return {
        "key": one.key,
        "class": one.kind,
        "cause": one.cause,
        "fields": list(one.fields),
        "natives": list(one.natives),
        "version": one.version,
        "currency": one.currency or None,
        "at_risk": one.at_risk if one.currency else None,
        "correction": one.correction,
        "category": CATEGORY[one.kind],
        "rule": one.rule,
    }


def _slices(keys: Iterator[str]) -> Iterator[list[str]]:
    while some := list(islice(keys, AT_ONCE)):
        yield some
