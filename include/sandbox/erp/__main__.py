"""The sandbox ERP: Tryton with the sample company.

python -m sandbox.erp up         install (once), start, show where
python -m sandbox.erp down       stop it (PostgreSQL stays)
python -m sandbox.erp status     where it answers
python -m sandbox.erp reset      throw its data away and start afresh
python -m sandbox.erp finance    do finance's work for customers that are new to finance
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import requests

from sandbox.erp import server
from sandbox.erp.finance import finance
from sandbox.erp.rpc import TrytonError
from sandbox.erp.server import Erp
from sandbox.stack import services
from sandbox.stack.errors import StackError
from sandbox.stack.home import default_home
from sandbox.stack.processes import Processes


def main(words: list[str] | None = None) -> int:
    """Run one command; 0 when it worked, 1 with a sentence when not."""
    parser = argparse.ArgumentParser(
        prog="python -m sandbox.erp", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=("prepare", "up", "down", "status", "reset", "finance"))
    command = parser.parse_args(words).command
    home = default_home()
    try:
        if command == "prepare":
            server.prepare(home, tell=print)
        if command in ("up", "reset", "finance"):
            running = services.up(home, [services.TRYTON], tell=print)
            if command == "reset":
                server.reset(home, running.postgres, tell=print)
            if command == "finance":
                print(f"Finance looked at {finance(running.erp)} customer accounts.")
        elif command == "down":
            Processes(home).stop(server.SERVICE)
    except (StackError, TrytonError, requests.RequestException) as error:
        print(error, file=sys.stderr)
        return 1
    _status(home)
    return 0


def _status(home: Path) -> None:
    found = next((one for one in Processes(home).status() if one.name == server.SERVICE and one.running), None)
    if found is None:
        print("Tryton is not running: `python -m sandbox.erp up` starts it.")
        return
    erp = Erp(home=home, port=found.ports["tryton"])
    print(f"Tryton answers JSON-RPC at {erp.url}/{erp.database}/rpc/ (process {found.pid}).")
    print(f"Logins {', '.join(server.LOGINS)}: passwords in {home / 'secrets.json'}.")


if __name__ == "__main__":
    sys.exit(main())
