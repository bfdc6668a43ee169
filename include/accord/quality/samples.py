"""Some of the records that fail a rule, outlined: enough to see what is wrong, nothing that says who it is about."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import pyarrow as pa

from accord.batch import RECORDS
from accord.masking import outline
from accord.quality.frames import Frame
from accord.quality.rule import CANONICAL, Rule, Suite

SAMPLES = 5  # per rule and run
_NOT_SHOWN = ("key", "version", "problems")  # told in other words


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A record that fails. `key` is the canonical id at the canonical stage and the root's native id at the source stage; `fields`
    are the fields the rule reads, by path, as `accord.masking.outline` shows them."""

    key: str
    fields: tuple[tuple[str, str], ...] = ()


def samples_of(
    suite: Suite, rule: Rule, frame: Frame, positions: pa.Array, *, known: Collection[str]
) -> dict[str, Sample]:
    """Samples of the rows of `frame` at `positions`, by key; at most SAMPLES of a rule, with those `known` already.

    At the source stage nothing is known of a system's own columns, so that none is shown.
    """
    room = SAMPLES - len(known)
    if room <= 0 or not len(positions):
        return {}
    names = [n for n in rule.needs if not n.startswith("_") and n not in _NOT_SHOWN] if suite.stage == CANONICAL else []
    # a record may fail in several parts: look a little further for others
    at = positions[: room * 4]
    rows = frame.rows.select(names).take(at).to_pylist() if names else [{}] * len(at)
    found: dict[str, Sample] = {}
    for key, row in zip(frame.keys.take(at).to_pylist(), rows, strict=True):
        if key is None or key in known or key in found or len(found) == room:
            continue
        paths = {name: name if rule.part == RECORDS else f"{rule.part}.{name}" for name in names}
        fields = tuple((paths[name], outline(suite.object, paths[name], row[name])) for name in names)
        found[key] = Sample(key=key, fields=fields)
    return found
