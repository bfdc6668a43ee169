"""What alerting needs to know of its surroundings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

CONSOLE = "/accord"  # where Airflow serves the console, below its own address


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerting:
    """`environment` is part of every alert's key; `channels` are told (accord.service_levels.channels); `site` is Airflow's address and
    `runbooks` that of docs/runbooks, for links; `heartbeat` the connection of whoever notices that nothing is heard any more, if any;
    `spool` the folder that keeps alerts while the hub is away."""

    environment: str = "local"
    channels: tuple[str, ...] = ()
    site: str = ""
    runbooks: str = "docs/runbooks"
    heartbeat: str = ""
    spool: str = ".local/alerts"

    @classmethod
    def of(cls, setting: Callable[[str], str | None], home: Path, *, site: str = "") -> Self:
        """From the settings environment, alerts (names with commas between), runbooks, heartbeat and spool; `home` has the spool by
        default."""
        names = [name.strip() for name in (setting("alerts") or "").split(",")]
        return cls(
            environment=setting("environment") or "local",
            channels=tuple(dict.fromkeys(filter(None, names))),
            site=(setting("site") or site).rstrip("/"),
            runbooks=(setting("runbooks") or "docs/runbooks").rstrip("/"),
            heartbeat=setting("heartbeat") or "",
            spool=setting("spool") or f"{home}/alerts",
        )
