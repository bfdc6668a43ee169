"""The set-up company as a cached dump: made once in minutes, restored in a second.

The cache key is made of everything the result depends on: the lock, the installer, what is declared, the modules, the year
(fiscal years are set up around it).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.erp.modules import MODULES
from sandbox.stack.environments import ensure_environment
from sandbox.stack.errors import ServiceFailed
from sandbox.stack.home import folder, locked, write_whole
from sandbox.stack.postgres import Server

HERE = Path(__file__).parent
LOCK, INSTALLER = HERE / "requirements.lock", HERE / "inside" / "install.py"
ACTIVATION = HERE / "inside" / "activate.py"
DECLARED = (HERE / "company.json", HERE / "catalogue.json")
ENVIRONMENT = "tryton-venv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A database with the company in it, ready to be copied."""

    database: str
    dump: Path
    admin_password: str = field(repr=False)


def key() -> str:
    """Names what the template is made from."""
    files = [LOCK, *sorted(INSTALLER.parent.glob("*.py")), *DECLARED]
    parts = [file.read_bytes() for file in files] + [" ".join(MODULES).encode()]
    return hashlib.sha256(b"\0".join([*parts, str(_year()).encode()])).hexdigest()[:12]


def _year() -> int:
    return dt.datetime.now(tz=dt.UTC).year


def python(shared: Path, tell: Callable[[str], None]) -> Path:
    """The interpreter of Tryton's own environment, installed at need."""
    return ensure_environment(shared, ENVIRONMENT, LOCK, tell=tell)


def is_cached(shared: Path) -> bool:
    """Whether the template was made, so that having it takes a second."""
    return all(path.exists() for path in _cached(shared))


def _cached(shared: Path) -> tuple[Path, Path]:
    """The dump, and the password of the admin in it."""
    stem = folder(shared, "cache") / f"tryton-{key()}"
    return stem.with_suffix(".dump"), stem.with_suffix(".password")


def ensure_template(shared: Path, server: Server, *, tell: Callable[[str], None] = lambda _: None) -> Template:
    """Have the template database in ``server``: already there, restored from the dump, or installed.

    Args:
        shared: the home whose cache and Tryton environment are used.

    Raises:
        ServiceFailed: Tryton could not be installed into a database; the message names the log.
    """
    database = f"tryton_template_{key()}"
    dump, password_file = _cached(shared)
    with locked(shared, "tryton-template", waiting=tell):
        if not is_cached(shared):
            _install(shared, server, database, dump, password_file, tell)
        elif not server.exists(database):
            server.restore(dump, database)
    return Template(database=database, dump=dump, admin_password=password_file.read_text().strip())


def write_config(path: Path, server: Server) -> Path:
    """Tryton's configuration file: it holds the database password, so that no command line does."""
    address = server.dsn("")
    write_whole(
        path,
        f"[database]\nuri = {address}\nlist = False\n\n[email]\nfrom = erp@localhost\nuri = smtp://localhost:1\n",
        mode=0o600,
    )
    return path


def _install(
    shared: Path, server: Server, database: str, dump: Path, password_file: Path, tell: Callable[[str], None]
) -> None:
    interpreter = python(shared, tell)
    log = folder(shared, "logs") / "tryton-template.log"
    tell(f"setting up the ERP, once: some minutes (log: {log})")
    half = f"{database}__half"
    server.drop_database(database)
    server.create_database(half, drop=True)
    config = write_config(folder(shared, "cache") / "tryton-template.conf", server)
    write_whole(password_file, secrets.token_urlsafe(24) + "\n", mode=0o600)
    admin: list[str | Path] = [interpreter, ACTIVATION, "-d", half]
    admin += ["-l", "en", "--email", "admin@example.com"]
    steps: list[list[str | Path]] = [
        [*admin, "-u", *MODULES, "--activate-dependencies"],
        [interpreter, INSTALLER, half, config, *DECLARED, str(_year())],
    ]
    with log.open("wb") as output:
        for step in steps:
            done = subprocess.run(  # noqa: S603 - Tryton's own programs with our words
                step,
                stdout=output,
                stderr=output,
                env={"TRYTOND_CONFIG": str(config), "TRYTONPASSFILE": str(password_file)},
                check=False,
            )
            if done.returncode:
                last = log.read_text(errors="replace").strip().splitlines()[-1:]
                raise ServiceFailed(f"Setting up the ERP failed (see {log}): {' '.join(last)}")
    config.unlink()
    server.rename_database(half, database)
    server.dump(database, dump)
