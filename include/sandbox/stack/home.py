"""Where a running sandbox keeps its state: one folder (``ACCORD_HOME``, default ``.local`` in the checkout).

``run/`` process records and locks · ``logs/`` · ``cache/`` · ``secrets.json`` (0600) · one folder per service.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets as randomness
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox.stack.errors import HomeBusy

CHECKOUT = Path(__file__).resolve().parents[3]


def default_home() -> Path:
    """The home named by ``ACCORD_HOME``, else ``.local`` in the checkout."""
    return Path(os.environ.get("ACCORD_HOME") or CHECKOUT / ".local").resolve()


def folder(home: Path, name: str) -> Path:
    """A sub-folder of the home, made when missing."""
    path = home / name
    path.mkdir(parents=True, exist_ok=True)
    return path


def write_whole(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Write a file so that a reader sees the old text or the new one, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.{os.getpid()}")
    half.unlink(missing_ok=True)
    handle = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)
    half.replace(path)


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file; empty when the file does not exist."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return value if isinstance(value, dict) else {}


@contextmanager
def locked(
    home: Path, name: str, *, timeout: float = 900.0, waiting: Callable[[str], None] | None = None
) -> Iterator[None]:
    """Hold the lock ``name`` across processes; it is released when this process ends, however it ends.

    Args:
        timeout: seconds to wait for another holder.
        waiting: told once, in words, when there is another holder.

    Raises:
        HomeBusy: the other holder did not finish in time.
    """
    path = folder(home, "run") / f"{name}.lock"
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = time.monotonic() + timeout
        told = False
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                holder = os.pread(handle, 32, 0).decode(errors="replace").strip() or "unknown"
                if time.monotonic() >= deadline:
                    raise HomeBusy(
                        f"Process {holder} is still changing {home} ({name}): wait for it, or end it, and run this again."
                    ) from None
                if waiting and not told:
                    waiting(f"waiting for process {holder}, which is changing {home}")
                    told = True
                time.sleep(0.05)
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(handle)


def secret(home: Path, name: str, *, size: int = 24) -> str:
    """The home's secret ``name``, made at first use and kept in ``secrets.json`` (readable by its owner only).

    ``ACCORD_SECRET_<NAME>`` from the environment comes first: for programs that must agree on one beforehand.

    Args:
        size: random bytes of a new secret (the text is about a third longer).
    """
    given = os.environ.get(f"ACCORD_SECRET_{name.upper()}")
    if given:
        return given
    path = home / "secrets.json"
    known = read_json(path).get(name)
    if isinstance(known, str):
        return known
    with locked(home, "secrets"):
        every = read_json(path)
        value = every.setdefault(name, randomness.token_urlsafe(size))
        write_whole(path, json.dumps(every, indent=1, sort_keys=True) + "\n", mode=0o600)
    return str(value)
