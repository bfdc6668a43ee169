"""A gate: every chunk goes past it, and in the end it says whether the batch may go on, and which records may not.

Memory is bounded by the chunk, the keys of the failing records, and the few columns that batch rules need.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from accord.categories import Category, Queue
from accord.quality.expecting import Found, evaluate, evaluate_columns
from accord.quality.frames import ChunkView, Frame, frames_of
from accord.quality.rule import Rule, Scope, Severity, Suite
from accord.quality.samples import Sample, samples_of
from accord.quality.structure import kind
from accord.quality.verdict import Verdict

__all__ = ["ChunkView", "Gate", "Judgement", "RuleResult", "Verdict"]

OWNER = ""  # the column that holds, beside what batch rules need, the id of the record
FAILURES = pa.schema([("key", pa.string()), ("rule", pa.string()), ("category", pa.string()), ("message", pa.string())])


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleResult:
    """What one rule found in the whole batch. `checked` and `failed` count rows of `part`; `expectation` and `arguments` are Great
    Expectations'. Nothing here holds a value of a record; `samples` are some of those that fail, outlined."""

    rule: str
    title: str
    part: str
    severity: Severity
    queue: Queue
    category: Category
    consequence: str
    checked: int
    failed: int
    errored: bool
    message: str
    expectation: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    samples: tuple[Sample, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The result of a gate. `failures` has one row per quarantined record and rule, all of them; `key` is the canonical id at
    the canonical stage and the root's native id at the source stage. `reasons` say why the batch stops or could not be checked."""

    object: str
    gate: str
    verdict: Verdict
    records: int
    results: tuple[RuleResult, ...]
    failures: pa.Table
    reasons: tuple[str, ...] = ()

    @property
    def quarantined(self) -> int:
        """How many records are held back."""
        return int(pc.count_distinct(self.failures["key"]).as_py())


# rules that look at the same rows: of a part, with deleted ones or without, where a column is filled
_At = tuple[str, bool, str]


@dataclass(slots=True)
class _Tally:
    checked: int = 0
    failed: int = 0
    error: str = ""
    detail: str = ""
    samples: dict[str, Sample] = field(default_factory=dict)


class Gate:
    """Judges one batch against `suite`.

    Args:
        suite: the rules.
        history: how many records earlier comparable runs had, newest first. A rule about what is usual is not applied where
            they say nothing.
    """

    def __init__(self, suite: Suite, history: Sequence[int] = ()) -> None:
        self._suite = suite
        self._rules = tuple(rule for declared in suite.rules if (rule := _with_history(declared, history)))
        self._tallies: dict[str, _Tally] = {rule.name: _Tally() for rule in self._rules}
        self._kept: defaultdict[_At, list[pa.Table]] = defaultdict(list)
        self._failures: list[pa.Table] = []
        self._seen: dict[tuple[str, ...], Found] = {}
        self._records = 0

    def chunk(self, view: ChunkView) -> None:
        """Judge one chunk. Call it once per chunk; all rows of a record are in the same one."""
        if not self._structure_holds(view):
            return  # the batch stops anyway, and rules about content would only stumble
        frames = frames_of(self._suite, view)
        self._records += frames.records
        for (part, gone_too, _), rules in _by_frame(self._rules, Scope.CHUNK):
            frame = (frames.every if gone_too else frames.live).get(part)
            if frame is not None:
                self._judge(frame, rules, frames.excused)
        for (part, gone_too, among), rules in _by_frame(self._rules, Scope.BATCH):
            frame = (frames.every if gone_too else frames.live).get(part)
            if frame is not None:
                kept = _to_keep(frame, rules, among)
                self._kept[part, gone_too, among].append(kept)
                for rule in rules:
                    self._count(rule, Found(), len(frame.rows) - len(kept), 0)

    def finish(self) -> Judgement:
        """Apply the batch rules and the thresholds."""
        for at, rules in _by_frame(self._rules, Scope.BATCH):
            rows = pa.concat_tables(self._kept.pop(at, None) or [_no_rows(rules)])
            self._judge(Frame(rows=rows.drop_columns([OWNER]), keys=rows[OWNER].combine_chunks()), rules, {})
        failures = _distinct(self._failures)
        stops = tuple(self._stops(failures))
        unknown = tuple(
            f"{rule.title}: could not be checked ({self._tallies[rule.name].error})."
            for rule in self._rules
            if self._tallies[rule.name].error
        )
        verdict = (
            Verdict.STOP if stops
            else Verdict.UNCHECKED if unknown
            else Verdict.QUARANTINE if len(failures)
            else Verdict.PASS
        )  # fmt: skip
        return Judgement(
            object=self._suite.object.name,
            gate=self._suite.stage,
            verdict=verdict,
            records=self._records,
            results=tuple(_result(rule, self._tallies[rule.name]) for rule in self._rules),
            failures=failures,
            reasons=stops + unknown,
        )

    def _structure_holds(self, view: ChunkView) -> bool:
        holds = True
        for rule in self._rules:
            if rule.scope is Scope.STRUCTURE:
                part = view.parts.get(rule.part)
                if part is None:
                    continue  # nothing of that part came
                described = [f"{column.name}: {kind(column.type)}" for column in part.schema]
                asked = (rule.name, *described)  # chunks are alike: ask once per shape
                if asked not in self._seen:
                    self._seen[asked] = evaluate_columns(described, rule)
                found = self._seen[asked]
                self._count(rule, found, 1, int(found.failing))
                holds = holds and not found.failing
        return holds

    def _judge(self, frame: Frame, rules: list[Rule], excused: Mapping[str, pa.Array]) -> None:
        if len(frame.rows) == 0:  # no row fails, but too few of them may be a finding
            rules = [rule for rule in rules if not rule.of_rows]
        found = evaluate(frame.rows, rules)
        for rule in rules:
            self._collect(rule, found[rule.name], frame, excused.get(rule.path) if rule.path else None)

    def _collect(self, rule: Rule, found: Found, frame: Frame, excused: pa.Array | None) -> None:
        positions = pa.array(found.positions, pa.int64())
        keys = frame.keys.take(positions)
        if excused is not None:
            blamed = pc.invert(pc.is_in(keys, value_set=excused))
            positions, keys = positions.filter(blamed), keys.filter(blamed)
        self._count(rule, found, len(frame.rows), len(keys) + found.failing)
        self._tallies[rule.name].samples |= samples_of(
            self._suite, rule, frame, positions, known=self._tallies[rule.name].samples
        )
        if len(keys) and rule.severity is Severity.CRITICAL:
            said = pa.repeat(rule.finding, len(keys))
            if rule.detail:
                said = pc.binary_join(frame.rows[rule.detail].combine_chunks().take(positions), "; ")
            named = [keys, pa.repeat(rule.name, len(keys)), pa.repeat(str(rule.category), len(keys)), said]
            self._failures.append(pa.table(named, names=FAILURES.names).cast(FAILURES).filter(pc.is_valid(keys)))

    def _count(self, rule: Rule, found: Found, checked: int, failed: int) -> None:
        tally = self._tallies[rule.name]
        tally.error = tally.error or found.error
        tally.detail = tally.detail or found.detail
        if not found.error:
            tally.checked += checked
            tally.failed += failed

    def _stops(self, failures: pa.Table) -> Iterable[str]:
        for rule in self._rules:
            tally = self._tallies[rule.name]
            if rule.severity is Severity.CRITICAL and rule.threshold.exceeded(tally.failed, tally.checked):
                yield f"{rule.title}: {_said(rule, tally)}."
        quarantined = pc.count_distinct(failures["key"]).as_py()
        if self._suite.total.exceeded(quarantined, self._records):
            yield f"{quarantined} of {self._records} records fail; at most {self._suite.total.share:.0%} may."


def _with_history(rule: Rule, history: Sequence[int]) -> Rule | None:
    if rule.usual is None:
        return rule
    expected = rule.usual.fewest(history)
    if expected is None:
        return None
    fewest, middle = expected
    return replace(
        rule,
        arguments={**rule.arguments, "min_value": fewest},
        finding=f"{rule.finding}, which had {middle:g} in the middle",
    )


def _needed(rules: Iterable[Rule]) -> list[str]:
    return list(dict.fromkeys(name for rule in rules for name in rule.needs))


def _no_rows(rules: Iterable[Rule]) -> pa.Table:
    return pa.table({name: pa.array([], pa.string()) for name in (OWNER, *_needed(rules))})


def _to_keep(frame: Frame, rules: Iterable[Rule], among: str) -> pa.Table:
    """What rules of the batch need of a chunk: the columns of the rows that may fail; where rows are only counted, how many there are."""
    columns = {OWNER: frame.keys, **{name: frame.rows[name] for name in _needed(rules)}}
    if not any(rule.of_rows for rule in rules):
        return pa.table({name: pa.nulls(len(frame.rows)) for name in columns})
    rows = pa.table(columns)
    return rows.filter(pc.is_valid(rows[among])) if among else rows


def _by_frame(rules: Iterable[Rule], scope: Scope) -> Iterable[tuple[_At, list[Rule]]]:
    groups: defaultdict[_At, list[Rule]] = defaultdict(list)
    for rule in rules:
        if rule.scope is scope:
            groups[rule.part, rule.gone_too, rule.among].append(rule)
    return groups.items()


def _distinct(tables: list[pa.Table]) -> pa.Table:
    """One row per key and rule: a record with two failing parts fails a rule once."""
    if not tables:
        return FAILURES.empty_table()
    grouped = pa.concat_tables(tables).group_by(["key", "rule", "category"], use_threads=False)
    return grouped.aggregate([("message", "first")]).rename_columns({"message_first": "message"}).select(FAILURES.names)


def _said(rule: Rule, tally: _Tally) -> str:
    if tally.error:
        return f"could not be checked: {tally.error}"
    if not tally.failed:
        return ""
    if not rule.of_rows:
        return f"{rule.finding} ({tally.detail})" if tally.detail else rule.finding
    return f"{tally.failed} of {tally.checked}: {rule.finding}"


def _result(rule: Rule, tally: _Tally) -> RuleResult:
    return RuleResult(
        rule=rule.name,
        title=rule.title,
        part=rule.part,
        severity=rule.severity,
        queue=rule.queue,
        category=rule.category,
        consequence=rule.consequence,
        checked=tally.checked,
        failed=tally.failed,
        errored=bool(tally.error),
        message=_said(rule, tally),
        expectation=rule.expectation,
        arguments=rule.kwargs,
        samples=tuple(tally.samples.values()),
    )
