"""What every topic needs: what an instant looks like, and how JSON is printed."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    Commands: TypeAlias = argparse._SubParsersAction[argparse.ArgumentParser]


def instant(text: str) -> datetime:
    """An ISO 8601 instant; UTC when it names no zone."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def print_json(body: Any) -> None:
    """The answer to --json."""
    print(json.dumps(body, indent=2, default=str))
