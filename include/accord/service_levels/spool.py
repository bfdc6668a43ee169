"""Alerts while the hub is away: told directly, and kept in a folder until the ledger can take them.

A file per alert says to which channels it went: whoever did not take it is tried again by the next round, nobody is told twice.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from accord.errors import AccordError
from accord.service_levels.breach import Breach
from accord.service_levels.channels import Channel, Send
from accord.service_levels.message import Event, message
from accord.service_levels.settings import Alerting

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spooled:
    """An alert the ledger has not taken yet."""

    breach: Breach
    opened: datetime
    told: tuple[str, ...] = ()
    path: Path = field(repr=False)


def tell_directly(
    alerting: Alerting, breached: Sequence[Breach], to: Mapping[str, Channel | AccordError], send: Send
) -> dict[str, str]:
    """Keep `breached`, and tell everybody who is told at once of what is spooled and was not told; channel → why it was not taken."""
    for one in breached:
        path = _path(alerting, one.key)
        if not path.exists():
            _write(Spooled(breach=one, opened=datetime.now(UTC), path=path))
    problems: dict[str, str] = {}
    for waiting in spooled(alerting):
        told = list(waiting.told)
        for name, channel in to.items():
            if name in told or name in problems:
                continue
            if problem := _tell(alerting, waiting, channel, send):
                problems[name] = problem
            else:
                told.append(name)
        _write(Spooled(breach=waiting.breach, opened=waiting.opened, told=tuple(told), path=waiting.path))
    return problems


def _tell(alerting: Alerting, waiting: Spooled, channel: Channel | AccordError, send: Send) -> str | None:
    if isinstance(channel, AccordError):
        return str(channel)
    one = waiting.breach
    if not channel.wants(owner=one.owner, severity=one.severity, step=0):
        return None
    if channel.silent_until(one.severity, datetime.now(UTC)):
        return "quiet hours"
    try:
        send(channel, message(Event.OPENED, one.as_dict(), alerting, id=waiting.path.stem, opened=waiting.opened))
    except AccordError as error:
        log.warning("an alert was not told directly to %s: %s", channel.name, error)
        return str(error)
    return None


def spooled(alerting: Alerting) -> Iterator[Spooled]:
    """What the ledger has not taken yet, the oldest first. A file that can't be read is left alone, and said so."""
    folder = Path(alerting.spool)
    found = []
    for path in folder.glob("*.json") if folder.is_dir() else ():
        try:
            body = json.loads(path.read_text(encoding="utf-8"))
            found.append(
                Spooled(
                    breach=Breach.from_dict(body["breach"]),
                    opened=datetime.fromisoformat(body["opened"]),
                    told=tuple(body["told"]),
                    path=path,
                )
            )
        except FileNotFoundError:
            continue  # another round has handed it over
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning(
                "the spooled alert %s can't be read (%s): look at it, then delete it", path.name, type(error).__name__
            )
    yield from sorted(found, key=lambda one: one.opened)


def _path(alerting: Alerting, key: str) -> Path:
    return Path(alerting.spool) / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"


def _write(one: Spooled) -> None:
    body = {"breach": one.breach.as_dict(), "opened": one.opened.isoformat(), "told": list(one.told)}
    one.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    half = one.path.with_suffix(f".{os.getpid()}")
    half.write_text(json.dumps(body), encoding="utf-8")
    half.replace(one.path)  # whole or not at all
