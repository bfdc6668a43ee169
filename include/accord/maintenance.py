"""Maintenance windows of a system, declared in its connection's extra:

    "maintenance": [
      {"cron": "0 2 * * SUN", "minutes": 120, "zone": "Europe/Amsterdam"},
      {"from": "2026-12-24T22:00", "to": "2026-12-25T06:00", "zone": "Europe/Amsterdam"}
    ]

A cron expression says when a window begins, in local time of the zone; an instant that names its own offset needs none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from accord.errors import Stop
from accord.settings import Connection

_LONGEST = timedelta(days=7)
_FORM = (
    'Write {"cron": "0 2 * * SUN", "minutes": 120, "zone": "Europe/Amsterdam"} or '
    '{"from": "2026-12-24T22:00", "to": "2026-12-25T06:00", "zone": "Europe/Amsterdam"}.'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One window, or one that comes again and again."""

    zone: tzinfo
    begins: datetime | None = None
    ends: datetime | None = None
    cron: str = ""
    length: timedelta = timedelta()

    def end(self, now: datetime) -> datetime | None:
        """The end of the window that is open at `now`; None when none is."""
        if self.begins is not None and self.ends is not None:
            return self.ends if self.begins <= now < self.ends else None
        begun = self._begun(now)
        return begun + self.length if begun + self.length > now else None

    def following(self, now: datetime) -> datetime | None:
        """When it begins next; None when it never does."""
        if self.begins is not None:
            return self.begins if self.begins > now else None
        from croniter import croniter

        found: datetime = croniter(self.cron, now.astimezone(self.zone)).get_next(datetime)
        return found.astimezone(UTC)

    def _begun(self, now: datetime) -> datetime:
        from croniter import croniter

        # the beginning itself counts: the last one before a moment later
        soon = (now + timedelta(seconds=1)).astimezone(self.zone)
        found: datetime = croniter(self.cron, soon).get_prev(datetime)
        return found.astimezone(UTC)


def windows_of(connection: Connection) -> tuple[Window, ...]:
    """The windows a connection declares. Raises Stop naming the one that can't be understood."""
    declared = connection.extra.get("maintenance") or ()
    if not isinstance(declared, list | tuple):
        raise _wrong(connection, "is no list")
    return tuple(_window(connection, number, one) for number, one in enumerate(declared, 1))


def open_until(windows: Iterable[Window], now: datetime) -> datetime | None:
    """When the last of the windows that are open at `now` ends, windows that follow without a gap included."""
    windows, end = tuple(windows), None
    moment = now
    while ends := [found for one in windows if (found := one.end(moment))]:
        moment = end = max(ends)
        if end - now > _LONGEST:
            break
    return end


def _window(connection: Connection, number: int, given: Any) -> Window:
    if not isinstance(given, dict) or not ({"cron", "minutes"} <= given.keys() or {"from", "to"} <= given.keys()):
        raise _wrong(connection, f"number {number} has neither cron and minutes nor from and to")
    if unknown := given.keys() - {"cron", "minutes", "from", "to", "zone"}:
        raise _wrong(connection, f"number {number} has {', '.join(sorted(unknown))}, which means nothing")
    try:
        zone = ZoneInfo(given["zone"]) if "zone" in given else None
    except (ZoneInfoNotFoundError, ValueError, TypeError):
        raise _wrong(connection, f"number {number} names no time zone") from None
    if "cron" in given:
        return _recurring(connection, number, given, zone)
    begins, ends = (_instant(connection, number, str(given[name]), zone) for name in ("from", "to"))
    if not begins < ends:
        raise _wrong(connection, f"number {number} ends before it begins")
    return Window(zone=zone or UTC, begins=begins, ends=ends)


def _recurring(connection: Connection, number: int, given: dict[str, Any], zone: ZoneInfo | None) -> Window:
    from croniter import croniter

    if zone is None:
        raise _wrong(connection, f"number {number} has no zone")
    if not croniter.is_valid(str(given["cron"])):
        raise _wrong(connection, f"number {number} has no valid cron expression")
    try:
        length = timedelta(minutes=float(given["minutes"]))
    except (TypeError, ValueError, OverflowError):
        length = timedelta()
    if not timedelta() < length <= _LONGEST:
        raise _wrong(connection, f"number {number} lasts no time, or longer than a week")
    return Window(zone=zone, cron=str(given["cron"]), length=length)


def _instant(connection: Connection, number: int, text: str, zone: ZoneInfo | None) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise _wrong(connection, f"number {number} has no instant where one belongs") from None
    if found.tzinfo is None:
        if zone is None:
            raise _wrong(connection, f"number {number} has no zone")
        found = found.replace(tzinfo=zone)
    return found.astimezone(UTC)


def _wrong(connection: Connection, what: str) -> Stop:
    return Stop(f"maintenance of the connection {connection.id}: {what}.", cure=_FORM)


def upcoming(windows: Iterable[Window], now: datetime) -> datetime | None:
    """When the next window begins."""

    def beginnings() -> Iterator[datetime]:
        for one in windows:
            if found := one.following(now):
                yield found

    return min(beginnings(), default=None)
