"""Channels: who is told of which alerts, and where. Declared as data: a name in ACCORD_ALERTS, the rest in its connection.

| Connection accord_alert_<name> | meaning |
|---|---|
| type | smtp, slackwebhook, pagerduty_events or http (a signed webhook): its provider's own fields say where |
| extra `owners` | list of owner queues it is told about; all when left out |
| extra `severity` | the least grave it is told about: critical, error or warning (the default) |
| extra `escalation` | 0: told at once; 1, 2, …: when nobody acknowledged for so many times |
| extra `quiet` | its quiet hours, in the form of maintenance windows: only what is critical goes through |
| extra `to` | for smtp: list of addresses |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from accord.categories import Queue
from accord.errors import Stop
from accord.maintenance import Window, open_until, windows_of
from accord.service_levels.message import Message
from accord.service_levels.targets import Severity
from accord.settings import Connection

KINDS = ("smtp", "slackwebhook", "pagerduty_events", "http")
_GRAVE = list(Severity)  # the gravest first


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """Where alerts go. Its repr shows no address."""

    name: str
    kind: str
    owners: frozenset[str] | None = None
    severity: Severity = Severity.WARNING
    escalation: int = 0
    quiet: tuple[Window, ...] = ()
    to: tuple[str, ...] = field(default=(), repr=False)

    @property
    def connection(self) -> str:
        """The connection it is declared by."""
        return connection_id(self.name)

    def wants(self, *, owner: str, severity: str, step: int) -> bool:
        """Whether it is told of an alert of `owner` that was escalated `step` times."""
        grave = _GRAVE.index(Severity(severity)) <= _GRAVE.index(self.severity)
        return grave and self.escalation <= step and (self.owners is None or owner in self.owners)

    def silent_until(self, severity: str, now: datetime) -> datetime | None:
        """The end of its quiet hours, when they hold this back; None when it may go."""
        return None if severity == Severity.CRITICAL else open_until(self.quiet, now)


# gives a message to a channel; raises AccordError, naming no address and no secret, when it was not taken
Send = Callable[[Channel, Message], None]


def connection_id(name: str) -> str:
    """The connection of the channel `name`."""
    return f"accord_alert_{name}"


def channel(name: str, connection: Connection) -> Channel:
    """The channel a connection declares. Raises Stop for what can't be meant, naming no address and no secret."""
    extra = connection.extra
    if connection.kind not in KINDS:
        raise _wrong(name, "has no usable type", f"Choose one of {', '.join(KINDS)}.")
    to = _words(name, extra, "to")
    if connection.kind == "smtp" and not to:
        raise _wrong(name, "names no address", 'Its extra\'s `to` is a list: {"to": ["on-call@example.com"]}.')
    owners = _words(name, extra, "owners")
    if unknown := [one for one in owners if one not in list(Queue)]:
        raise _wrong(name, f"knows owners there are not ({', '.join(unknown)})", f"Choose of {', '.join(Queue)}.")
    severity = extra.get("severity", Severity.WARNING)
    if severity not in list(Severity):
        raise _wrong(name, "has no usable `severity`", f"Choose one of {', '.join(Severity)}.")
    step = extra.get("escalation", 0)
    if isinstance(step, bool) or not isinstance(step, int) or not 0 <= step <= 9:
        raise _wrong(name, "has no usable `escalation`", "Give a whole number from 0 to 9.")
    return Channel(
        name=name,
        kind=connection.kind,
        owners=frozenset(owners) or None,
        severity=Severity(severity),
        escalation=step,
        quiet=_quiet(name, connection),
        to=tuple(to),
    )


def _quiet(name: str, connection: Connection) -> tuple[Window, ...]:
    try:
        return windows_of(connection, "quiet")
    except Stop as error:
        raise _wrong(name, "has no usable `quiet`", error.cure) from None


def _words(name: str, extra: Mapping[str, Any], what: str) -> list[str]:
    found = extra.get(what) or []
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise _wrong(name, f"has no usable `{what}`", "Give a list of texts.")
    return found


def _wrong(name: str, what: str, cure: str) -> Stop:
    return Stop(f"Alert channel {name} {what}.", cure=f"{cure} Connection: {connection_id(name)}.")
