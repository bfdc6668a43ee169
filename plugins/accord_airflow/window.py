"""What an Airflow run asks of a flow: its kind, its interval and its params. The domain decides the window from it.

| run | kind | interval |
|---|---|---|
| of a data-interval schedule | scheduled | the schedule's |
| backfill | backfill | the schedule's, one run each |
| by hand, with a logical date | manual | the schedule's before that date |
| by hand, without one | manual | none: the context has no such keys |
| by an asset | event | none |
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from airflow.sdk import Context

from accord.errors import Stop

# DagRun.run_type → accord.pipeline.RunKind; what is not here was started by somebody on purpose
KINDS = {"scheduled": "scheduled", "backfill": "backfill", "asset_triggered": "event"}
# what such a run leaves out, the next one reads
GOES_ON_FROM_WATERMARK = ("scheduled", "event")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One run as Airflow started it. `engine_run` stays the same when it is cleared or retried."""

    engine_run: str
    kind: str
    interval: tuple[datetime, datetime] | None


def asked(context: Context) -> Asked:
    """What the run in `context` asks for."""
    run = context["dag_run"]
    start, end = context.get("data_interval_start"), context.get("data_interval_end")
    return Asked(
        engine_run=f"{run.dag_id}/{run.run_id}",
        kind=KINDS.get(str(getattr(run.run_type, "value", run.run_type)), "manual"),
        interval=(_utc(start), _utc(end)) if start and end else None,
    )


def chosen(name: str, argument: Any, params: Mapping[str, Any]) -> Any:
    """The operator's argument, or else the run's param of that name."""
    return params.get(name) if argument is None else argument


def instant(name: str, value: datetime | str | None) -> datetime | None:
    """An instant in UTC from a param; one without a zone is taken as UTC. Raises Stop when it is not one."""
    if value is None or value in ("", "None"):
        return None
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            raise Stop(f"{name} is not an instant: {value!r}.", cure="Write it like 2026-01-31T09:30:00Z.") from None
    return _utc(value)


def words(value: Iterable[str] | str | None) -> tuple[str, ...]:
    """Keys from a param: a list, or text with one on each line or separated by commas; blanks are dropped."""
    if value is None or value == "None":
        return ()
    parts = value.replace(",", "\n").splitlines() if isinstance(value, str) else value
    return tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))


def flag(name: str, value: bool | str | None) -> bool:
    """Yes or no from a param or a rendered template. Raises Stop when it is neither."""
    text = str(value).strip().lower()
    if text in ("true", "yes", "1"):
        return True
    if text in ("false", "no", "0", "none", ""):
        return False
    raise Stop(f"{name} is neither true nor false: {value!r}.", cure="Write true or false.")


def _utc(value: datetime) -> datetime:
    plain = datetime.fromisoformat(value.isoformat())  # Airflow's are pendulum's, which not every library takes
    return plain.replace(tzinfo=UTC) if plain.tzinfo is None else plain.astimezone(UTC)
