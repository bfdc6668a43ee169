"""Running a program that refuses root, without adding a user to the machine."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.stack.errors import ToolMissing

_CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True, slots=True, kw_only=True)
class Disguise:
    """How a command is run as somebody who is not root.

    ``user`` is a real account of the machine, which then must own the files; without one, our own files stay ours.
    """

    prefix: tuple[str, ...] = ()
    user: str | None = None

    def give(self, path: Path) -> None:
        """Let the account own a folder (nothing to do when it is still us)."""
        if self.user:
            entry = pwd.getpwnam(self.user)
            os.chown(path, entry.pw_uid, entry.pw_gid)

    def can_use(self, program: Path, folder: Path) -> bool:
        """Whether the account may run ``program`` and write in ``folder``."""
        return _works([*self.prefix, str(program), "--version"]) and _works([*self.prefix, "test", "-w", str(folder)])


def disguises() -> list[Disguise]:
    """The ways this machine offers, best first. An ordinary user needs none.

    Raises:
        ToolMissing: we are root and the machine offers no way to be anybody else.
    """
    if os.geteuid() != 0:
        return [Disguise()]
    ways = []
    namespace = ("unshare", "-U", "--map-user=1000", "--map-group=1000")
    if shutil.which("unshare") and _works([*namespace, "true"]):
        ways.append(Disguise(prefix=namespace))
    if shutil.which("setpriv"):
        for user in _CANDIDATES:
            try:
                entry = pwd.getpwnam(user)
            except KeyError:
                continue
            prefix = ("setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups")
            if _works([*prefix, "true"]):
                ways.append(Disguise(prefix=prefix, user=user))
    if not ways:
        raise ToolMissing(
            "PostgreSQL does not run as root, and this machine lets root neither open a user namespace (unshare) "
            "nor change to another account (setpriv): run this as an ordinary user."
        )
    return ways


def _works(argv: Sequence[str]) -> bool:
    try:
        return subprocess.run(argv, capture_output=True, timeout=20, check=False).returncode == 0  # noqa: S603 - own words
    except (OSError, subprocess.TimeoutExpired):
        return False
