"""Start, stop and show the sandbox's services.

    python -m sandbox.stack up      [--services postgres,tryton,salesforce,airflow]
    python -m sandbox.stack down    [--services …]
    python -m sandbox.stack status

State lives in ACCORD_HOME (default .local in the checkout). ACCORD_PORT_<NAME> moves a port, ACCORD_PORTS=any takes free
ones, ACCORD_POSTGRES_BIN names a folder with PostgreSQL's programs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sandbox.stack import airflow, services
from sandbox.stack.errors import StackError
from sandbox.stack.home import default_home, locked
from sandbox.stack.processes import Processes

AIRFLOW = "airflow"


def main(words: list[str] | None = None) -> int:
    """Run one command; 0 when it worked, 1 with a sentence when not."""
    parser = argparse.ArgumentParser(
        prog="python -m sandbox.stack", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=("up", "down", "status"))
    parser.add_argument(
        "--services",
        type=lambda text: text.split(","),
        default=None,
        help=f"comma-separated, out of {','.join((*services.NAMES, AIRFLOW))}; up: the first three; down: all",
    )
    given = parser.parse_args(words)
    home = default_home()
    try:
        if given.command == "up":
            _up(home, given.services or list(services.NAMES))
        elif given.command == "down":
            _down(home, given.services)
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    _status(home)
    return 0


def _up(home: Path, wanted: list[str]) -> None:
    ours = [name for name in wanted if name != AIRFLOW]
    if AIRFLOW in wanted and services.POSTGRES not in ours:
        ours.append(services.POSTGRES)  # its metadata is in there
    running = services.up(home, ours, tell=print)
    if AIRFLOW in wanted:
        airflow.ensure_running(home, running.postgres, tell=print)


def _down(home: Path, wanted: list[str] | None) -> None:
    with locked(home, "up", waiting=print):
        keeper = Processes(home)
        if wanted is None or AIRFLOW in wanted:
            airflow.stop(home)
        if wanted is None:
            keeper.stop_all()
        for name in wanted or ():
            keeper.stop(name)


def _status(home: Path) -> None:
    known = Processes(home).status()
    for one in known:
        where = ", ".join(f"{name} {port}" for name, port in one.ports.items())
        print(f"{one.name:22} {'runs' if one.running else 'ended'}  process {one.pid:<8} {where}")
    if not any(one.running for one in known):
        print(f"Nothing of {home} is running.")


if __name__ == "__main__":
    sys.exit(main())
