"""What protects, and how to take it away: the schedules that end well with it must not all end well without."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from accord.hub import dispatches
from accord.hub.dispatches import OpenDispatch
from accord.pipeline import compare as comparing
from accord.pipeline import comparison_sql, recover, settle
from tests.faults.simulator import play
from tests.faults.simulator.oracle import DUPLICATED, LOST, OUT_OF_ORDER, UNACCOUNTED
from tests.faults.simulator.peaks import all_at_once, late, late_effect, source_away
from tests.faults.simulator.schedule import Schedule, schedule


@contextmanager
def without_claim() -> Iterator[None]:
    """A key that another dispatch is sending, or that was just written with this content, is claimed all the same."""
    claim = _cut(r"l\.dispatch IS NULL AND l\.hash IS DISTINCT FROM excluded\.p_hash\s+AND ", dispatches._CLAIM)
    with patch.object(dispatches, "_CLAIM", claim):
        yield


@contextmanager
def without_version() -> Iterator[None]:
    """The claim takes any version, in the comparison too."""
    claim = _cut(r"AND newer\(.*?(?=RETURNING)", dispatches._CLAIM)
    recognize = tuple(
        statement.replace("NOT newer(s.version, s.read_at, l.version, l.read_at, %(overlap)s)", "false")
        for statement in comparison_sql.RECOGNIZE
    )
    assert recognize != comparison_sql.RECOGNIZE
    with patch.object(dispatches, "_CLAIM", claim), patch.object(comparing.Comparison, "recognize", recognize):
        yield


@contextmanager
def without_reading_back() -> Iterator[None]:
    """What was sent and not answered goes again at once."""
    with patch.object(recover, "found_equal", lambda *_: {}):
        yield


@contextmanager
def without_send_deadline() -> Iterator[None]:
    """A sender goes on, however late it is and whoever took its dispatch over."""
    with patch.object(OpenDispatch, "before_request", lambda self: None):
        yield


@contextmanager
def without_waiting() -> Iterator[None]:
    """A dispatch is read back although its last request may still take effect."""
    taking, asking = recover.take_over, recover.seconds_in_doubt
    with (
        patch.object(recover, "take_over", lambda hub, dispatch, _: taking(hub, dispatch, -play.LEASE)),
        patch.object(recover, "seconds_in_doubt", lambda hub, dispatch, _: asking(hub, dispatch, -play.LEASE)),
        patch.object(play.insist.Insisting, "_wait", lambda *_: None),
    ):
        yield


@contextmanager
def without_overlap() -> Iterator[None]:
    """Every run reads from where the last one stopped."""
    flows = {name: replace(flow, overlap=timedelta(0)) for name, flow in play.FLOWS.items()}
    with patch.object(play, "FLOWS", flows):
        yield


@contextmanager
def without_forward_only() -> Iterator[None]:
    """The watermark goes where the last run to end says."""
    move = _cut(r"AND \(watermark IS NULL.*(?=\n)", settle._MOVE_WATERMARK)
    with patch.object(settle, "_MOVE_WATERMARK", move):
        yield


@contextmanager
def without_proof() -> Iterator[None]:
    """A run that can't account for what it read succeeds, as one that failed half-way does."""

    def closing(accord: Any, run: int, _: Exception) -> None:
        settle.settle(accord, run)

    with patch.object(settle, "_gaps", lambda _: []), patch.object(play.flow_run, "close_as_failed", closing):
        yield


def _cut(pattern: str, text: str) -> str:
    cut, n = re.subn(pattern, "", text, flags=re.DOTALL)
    assert n == 1, pattern
    return cut


@dataclass(frozen=True, slots=True, kw_only=True)
class Safeguard:
    """One of them: how it is taken away, of what class the harm is that it prevents, and a story that shows it (or may: what a
    seed tells changes with the pipeline)."""

    removed: Callable[[], AbstractContextManager[None]]
    expected: frozenset[str]
    shown_by: Schedule | None = None


SAFEGUARDS = {
    "claim": Safeguard(removed=without_claim, expected=frozenset({DUPLICATED}), shown_by=all_at_once()),
    "version comparison": Safeguard(
        removed=without_version, expected=frozenset({OUT_OF_ORDER, LOST}), shown_by=late("salesforce")
    ),
    "read-back": Safeguard(removed=without_reading_back, expected=frozenset({DUPLICATED})),
    "send deadline": Safeguard(
        removed=without_send_deadline, expected=frozenset({DUPLICATED, OUT_OF_ORDER}), shown_by=late("tryton")
    ),
    "waiting for what is under way": Safeguard(
        removed=without_waiting, expected=frozenset({DUPLICATED, OUT_OF_ORDER}), shown_by=late_effect()
    ),
    "overlap": Safeguard(removed=without_overlap, expected=frozenset({LOST}), shown_by=schedule(5)),
    "forward-only watermark": Safeguard(
        removed=without_forward_only, expected=frozenset({OUT_OF_ORDER}), shown_by=schedule(3)
    ),
    "completeness proof": Safeguard(
        removed=without_proof, expected=frozenset({LOST, UNACCOUNTED}), shown_by=source_away()
    ),
}
