"""The org's clock: UTC, to the second as Salesforce stores it, and movable for tests."""

from datetime import UTC, datetime, timedelta


class Clock:
    """Tells the org's time: the machine's, shifted by `offset`; or the instant it stands at, as long as it is `standing`."""

    def __init__(self) -> None:
        self.offset = timedelta()
        self.standing: datetime | None = None

    def now(self) -> datetime:
        """Return the org's present instant."""
        return self.standing or datetime.now(UTC) + self.offset

    def stamp(self) -> str:
        """Return the present instant as it is stored: ``2026-01-31T12:00:00.000Z``."""
        return stored(self.now())


def exact(instant: datetime) -> str:
    """Return an instant, to the millisecond, so that it compares as text with stored ones."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def stored(instant: datetime) -> str:
    """Return an instant as the store keeps it: UTC, whole seconds, sortable as text."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
