"""The keeper: starts services once, knows them again later, and ends all of a service but nothing else.

A record in ``<home>/run/<name>.json`` holds the process id and its start time: a recycled id is never taken for ours.
Every process also inherits a mark in its environment (``ACCORD_STACK``), which finds the children a supervisor orphans
(``airflow standalone`` does) and the process of a first run that was killed before it wrote its record.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

from sandbox.stack.errors import ServiceFailed
from sandbox.stack.home import folder, locked, read_json, write_whole
from sandbox.stack.ports import require_free

MARK = "ACCORD_STACK"
_POLL = 0.05  # seconds between two looks at a process


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One started service, as kept on disk."""

    name: str
    pid: int
    started: str
    fingerprint: str
    stop_signal: int = int(signal.SIGTERM)
    ports: dict[str, int] = field(default_factory=dict)
    order: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What ``status()`` tells about a service."""

    name: str
    running: bool
    pid: int
    ports: dict[str, int]
    log: Path


def inherited(without: tuple[str, ...]) -> dict[str, str]:
    """Our environment less the variables whose names begin with one of `without`."""
    return {name: value for name, value in os.environ.items() if not (without and name.startswith(without))}


class Processes:
    """Starts, finds again and ends the processes of one home.

    Args:
        home: the sandbox home; records live in ``run/``, output in ``logs/``.
    """

    def __init__(self, home: Path) -> None:
        self.home = home.resolve()
        self._children: list[subprocess.Popen[bytes]] = []  # kept, so that Python does not warn that they live on

    def start(
        self,
        name: str,
        argv: Sequence[str | Path],
        *,
        ready: Callable[[], bool],
        timeout: float,
        env: Mapping[str, str] | None = None,
        without: tuple[str, ...] = (),
        cwd: Path | None = None,
        ports: Mapping[str, int] | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> bool:
        """Have ``argv`` run in the background as ``name`` and be ready. Running and ready already: returns at once.

        Args:
            ready: asked again and again; may raise OSError while the service is not there yet.
            timeout: seconds until the service must be ready.
            env: variables added to ours. A change here or in ``argv`` makes the next ``start`` replace the process.
            without: beginnings of the names of variables of ours it must not inherit.
            ports: the ports it will listen on, by their names in ``ports.DEFAULTS``; refused when taken.
            stop_signal: what asks this program to end (PostgreSQL: SIGINT, which does not wait for its clients).

        Returns:
            Whether it had to be started.

        Raises:
            PortTaken: a port belongs to another program.
            ServiceFailed: it ended, or was not ready in time; the message carries the end of its log.
        """
        words = [str(word) for word in argv]
        fingerprint = _fingerprint(words, env or {}, cwd)
        with locked(self.home, name):
            record = self._record(name)
            leader = _alive(record)
            if record and leader and record.fingerprint == fingerprint:
                self._wait(name, leader, ready, timeout)
                return False
            self._end(name)  # an older command line, or what a killed first run left behind
            for port_name, port in (ports or {}).items():
                require_free(port_name, port)
            with self.log(name).open("ab") as log:
                child = subprocess.Popen(  # noqa: S603 - the command lines are this package's own
                    words,
                    cwd=cwd,
                    env={**inherited(without), **(env or {}), MARK: self._mark(name)},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            self._children.append(child)
            leader = psutil.Process(child.pid)
            self._keep(
                Record(
                    name=name,
                    pid=child.pid,
                    started=_birth(child.pid),
                    fingerprint=fingerprint,
                    stop_signal=int(stop_signal),
                    ports=dict(ports or {}),
                    order=time.time_ns(),
                )
            )
            try:
                self._wait(name, leader, ready, timeout)
            except BaseException:
                self._end(name)
                raise
            return True

    def stop(self, name: str, *, grace: float = 20.0) -> bool:
        """End every process of a service; after ``grace`` seconds by force. Returns whether there was one."""
        with locked(self.home, name):
            return self._end(name, grace=grace)

    def stop_all(self) -> list[str]:
        """End every service of this home, the last started first. Returns the names of those that ran."""
        names = [record.name for record in sorted(self._records(), key=lambda record: -record.order)]
        return [name for name in names if self.stop(name)]

    def status(self) -> list[Status]:
        """Every service this home has a record of, in the order they were started."""
        return [
            Status(
                name=record.name,
                running=_alive(record) is not None,
                pid=record.pid,
                ports=record.ports,
                log=self.log(record.name),
            )
            for record in sorted(self._records(), key=lambda record: record.order)
        ]

    def is_running(self, name: str) -> bool:
        """Whether the process recorded under ``name`` is alive."""
        return _alive(self._record(name)) is not None

    def log(self, name: str) -> Path:
        """Where a service's output goes."""
        return folder(self.home, "logs") / f"{name}.log"

    def _wait(self, name: str, leader: psutil.Process, ready: Callable[[], bool], timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while True:
            try:
                if ready():
                    return
            except OSError:
                pass  # nobody listens yet
            if not _is_live(leader):
                raise ServiceFailed(f"{name} ended while starting. {self._last_words(name)}")
            if time.monotonic() >= deadline:
                raise ServiceFailed(f"{name} was not ready within {timeout:.0f} s. {self._last_words(name)}")
            time.sleep(_POLL)

    def _end(self, name: str, *, grace: float = 20.0) -> bool:
        record = self._record(name)
        leader = _alive(record)
        members = self._members(name, leader)
        if leader and record:
            _signal_group(leader.pid, signal.Signals(record.stop_signal))
            psutil.wait_procs([leader], timeout=grace)
        # what the leader left behind: asked politely once, then killed
        members = _still_alive(members | self._members(name, None))
        for member in members:
            _send(member, signal.SIGTERM)
        _, stubborn = psutil.wait_procs(list(members), timeout=min(grace, 5.0))
        for member in stubborn:
            _send(member, signal.SIGKILL)
        psutil.wait_procs(stubborn, timeout=5.0)
        self._path(name).unlink(missing_ok=True)
        return bool(leader or members)

    def _members(self, name: str, leader: psutil.Process | None) -> set[psutil.Process]:
        """The leader with its descendants, and every process that carries this service's mark."""
        found: set[psutil.Process] = set()
        if leader:
            found.add(leader)
            try:
                found.update(leader.children(recursive=True))
            except psutil.Error:
                pass  # it ended meanwhile
        mark = self._mark(name)
        for process in psutil.process_iter():
            try:
                if process.pid != os.getpid() and process.environ().get(MARK) == mark:
                    found.add(process)
            except (psutil.Error, OSError):
                continue  # another user's, or gone
        return found

    def _last_words(self, name: str) -> str:
        try:
            lines = self.log(name).read_text(encoding="utf-8", errors="replace").splitlines()[-8:]
        except FileNotFoundError:
            lines = []
        return f"Its log {self.log(name)} ends with:\n" + "\n".join(f"    {line}" for line in lines)

    def _mark(self, name: str) -> str:
        return f"{self.home}:{name}"

    def _path(self, name: str) -> Path:
        return folder(self.home, "run") / f"{name}.json"

    def _keep(self, record: Record) -> None:
        write_whole(self._path(record.name), json.dumps(asdict(record), indent=1) + "\n")

    def _record(self, name: str) -> Record | None:
        try:
            found = read_json(self._path(name))
            return Record(**found) if found else None
        except (ValueError, TypeError):
            return None  # half-written by another version: the mark still finds the process

    def _records(self) -> list[Record]:
        found = (self._record(path.stem) for path in sorted(folder(self.home, "run").glob("*.json")))
        return [record for record in found if record]


def _fingerprint(words: Sequence[str], env: Mapping[str, str], cwd: Path | None) -> str:
    """What makes a running process the wanted one: its command, and the variables we set (not the caller's shell)."""
    return hashlib.sha256(json.dumps([words, dict(env), str(cwd or "")], sort_keys=True).encode()).hexdigest()[:16]


def _alive(record: Record | None) -> psutil.Process | None:
    """The recorded process, if it lives and is the very one (same start time)."""
    if record is None:
        return None
    try:
        process = psutil.Process(record.pid)
        same = _birth(record.pid) == record.started
    except (psutil.Error, OSError):
        return None
    return process if same and _is_live(process) else None


def _birth(pid: int) -> str:
    """When a process was started: the boot, and the clock ticks since; no change of the clock touches it (proc(5))."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return f"{boot}/{after_name[19]}"  # field 22; the name, field 2, may hold blanks


def _is_live(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _still_alive(processes: set[psutil.Process]) -> set[psutil.Process]:
    return {process for process in processes if _is_live(process)}


def _signal_group(leader: int, number: signal.Signals) -> None:
    try:
        os.killpg(leader, number)
    except (ProcessLookupError, PermissionError):
        pass


def _send(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)  # psutil checks the start time first: never a recycled id
    except psutil.Error:
        pass
