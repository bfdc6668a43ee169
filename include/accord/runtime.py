"""The composition root: builds the real things, and nothing before it is used."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from accord.batch import Staging
from accord.breaker import Rules
from accord.errors import AccordError, Stop
from accord.service_levels.settings import Alerting
from accord.settings import Connection, connection_from_environment, dsn

if TYPE_CHECKING:
    from accord.availability import Availability
    from accord.hub import Hub
    from accord.outbox.subscribers import Subscriber
    from accord.ports import Source, System, Target

# rows of a chunk: the unit of memory, of a dispatch and of a mapped task
CHUNK_ROWS = 50_000
# a sender that says nothing for this long may be taken for dead
LEASE = timedelta(seconds=30)


class Accord:
    """Hub, staging and systems, opened at first use.

    `chunk_rows` bounds the memory of every step; `lease` is how long a sender may stay silent before its chunk is in doubt;
    `retries` how often a record that may pass is sent again before it is parked, with `backoff` seconds doubling between;
    `rules` when a system that fails gets no more calls, and how it comes back; `engine_run` is the engine's name of the run this
    works in, <dag id>/<run id>, empty outside one.
    """

    def __init__(
        self,
        *,
        connection_of: Callable[[str], Connection],
        staging: Staging,
        reports: str,
        chunk_rows: int = CHUNK_ROWS,
        lease: timedelta = LEASE,
        retries: int = 3,
        backoff: float = 1.0,
        rules: Rules | None = None,
        open_system: Callable[[str, Connection], System] | None = None,
        subscribers: Sequence[str] = (),
        alerting: Alerting | None = None,
        engine_run: str = "",
    ) -> None:
        self._connection_of = connection_of
        self._open_system = open_system
        self._systems: dict[str, System] = {}
        self._hub: Hub | None = None
        self.staging = staging
        self.reports = reports
        self.chunk_rows = chunk_rows
        self.lease = lease
        self.retries = retries
        self.backoff = backoff
        self.subscribers = tuple(dict.fromkeys(subscribers))
        self.alerting = alerting or Alerting()
        self.rules = rules or Rules()
        self.engine_run = engine_run
        self._availability: Availability | None = None

    @classmethod
    def build(
        cls,
        connection_of: Callable[[str], Connection],
        *,
        staging: str,
        reports: str,
        subscribers: str = "",
        alerting: Alerting | None = None,
        engine_run: str = "",
    ) -> Accord:
        """Accord over the connections accord_hub, accord_<system>, accord_subscriber_<name> and accord_alert_<name>. `staging` is a
        fsspec URL, `reports` a folder, `subscribers` the names of those who are told of events, with commas between, `alerting` who is
        told of alerts, `engine_run` the engine's name of the run this works in, <dag id>/<run id>.

        Tunable from the environment: ACCORD_CHUNK_ROWS, ACCORD_LEASE_SECONDS.
        """
        return cls(
            connection_of=connection_of,
            staging=Staging(staging),
            reports=reports,
            chunk_rows=int(os.environ.get("ACCORD_CHUNK_ROWS", CHUNK_ROWS)),
            lease=timedelta(seconds=float(os.environ.get("ACCORD_LEASE_SECONDS", LEASE.total_seconds()))),
            subscribers=[name.strip() for name in subscribers.split(",") if name.strip()],
            alerting=alerting,
            engine_run=engine_run,
        )

    @classmethod
    def from_environment(cls) -> Accord:
        """Accord over AIRFLOW_CONN_*; ACCORD_STAGING and ACCORD_REPORTS default to folders below ACCORD_HOME (`.local`);
        ACCORD_SUBSCRIBERS names nobody by default."""
        home = Path(os.environ.get("ACCORD_HOME", ".local")).resolve()
        return cls.build(
            connection_from_environment,
            staging=os.environ.get("ACCORD_STAGING", f"file://{home}/staging"),
            reports=os.environ.get("ACCORD_REPORTS", f"{home}/reports"),
            subscribers=os.environ.get("ACCORD_SUBSCRIBERS", ""),
            alerting=Alerting.of(lambda name: os.environ.get(f"ACCORD_{name.upper()}"), home),
        )

    def connection(self, name: str) -> Connection:
        """The connection `name`. Raises Stop when there is none."""
        return self._connection_of(name)

    @property
    def hub(self) -> Hub:
        """The hub."""
        if self._hub is None:
            from accord.hub import Hub

            self._hub = Hub(dsn(self._connection_of("accord_hub")))
        return self._hub

    @property
    def availability(self) -> Availability:
        """Which systems take calls."""
        if self._availability is None:
            from accord.availability import Availability

            self._availability = Availability(
                hub=lambda: self.hub, connection_of=self._connection_of, usage_of=self._usage_of, rules=self.rules
            )
        return self._availability

    def source(self, name: str) -> Source:
        """The system `name`, to read from, behind its breaker."""
        system = self.system(name)
        if not hasattr(system, "extract"):
            raise Stop(f"{name} can't be read.", cure="Choose a system whose adapter is a source.")
        return self._guarded(system)  # type: ignore[no-any-return]

    def target(self, name: str) -> Target:
        """The system `name`, to write to, behind its breaker."""
        system = self.system(name)
        if not hasattr(system, "send"):
            raise Stop(f"{name} can't be written.", cure="Choose a system whose adapter is a target.")
        return self._guarded(system)  # type: ignore[no-any-return]

    def system(self, name: str) -> System:
        """The adapter of the system `name`, from connection accord_<name>."""
        if name not in self._systems:
            opener = self._open_system
            if opener is None:
                from accord.systems import open_system

                opener = open_system
            self._systems[name] = opener(name, self._connection_of(f"accord_{name}"))
        return self._systems[name]

    def subscriber(self, name: str) -> Subscriber:
        """The subscriber `name`, from connection accord_subscriber_<name>. Raises Stop when it is not declared, or wrongly."""
        from accord.outbox.subscribers import connection_id, subscriber

        if name not in self.subscribers:
            raise Stop(
                f"There is no subscriber {name}.", cure=f"Declared are: {', '.join(self.subscribers) or 'none'}."
            )
        return subscriber(name, self._connection_of(connection_id(name)))

    def _guarded(self, system: System) -> Any:
        from accord.systems.guarded import Guarded

        return Guarded(system, self.availability)

    def _usage_of(self, name: str) -> tuple[int, int] | None:
        """What a system that counts its requests says of them now; None where it does not, or can't be asked."""
        ask = getattr(self.system(name), "current_usage", None)
        try:
            return ask() if ask else None
        except AccordError:
            return None

    def close(self) -> None:
        """Let go of every connection."""
        if self._hub is not None:
            self._hub.close()
        for system in self._systems.values():
            system.close()
        self._systems.clear()
