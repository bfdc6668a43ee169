"""What every topic needs: what an instant looks like, and how JSON and lists are printed."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

if TYPE_CHECKING:
    Commands: TypeAlias = argparse._SubParsersAction[argparse.ArgumentParser]

T = TypeVar("T")


def instant(text: str) -> datetime:
    """An ISO 8601 instant; UTC when it names no zone."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def print_json(body: Any) -> None:
    """The answer to --json. Dataclasses are told by their fields."""
    print(json.dumps(body, indent=2, default=_plain))


def _plain(value: Any) -> Any:
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else str(value)


def print_rows(rows: Sequence[T], line: Callable[[T], str], *, empty: str, as_json: bool) -> int:
    """A line for each of `rows`, or `empty` where there are none; all of them as JSON when that was asked for. The exit code."""
    if as_json:
        print_json(rows)
        return 0
    for row in rows:
        print(line(row))
    if not rows:
        print(empty)
    return 0
