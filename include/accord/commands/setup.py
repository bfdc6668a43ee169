"""The set-up: is it well, its schema, its pages."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from accord.commands.common import print_json

if TYPE_CHECKING:
    from accord.commands.common import Commands
    from accord.runtime import Accord


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """`accord doctor`, `docs` and `hub`."""
    doctor = commands.add_parser("doctor", parents=[common], help="check connections, permissions, fields and settings")
    doctor.set_defaults(command=_doctor)

    docs = commands.add_parser("docs", parents=[common], help="write the business objects' pages and contracts")
    docs.add_argument("--folder", default="docs/objects", help="where to (docs/objects)")
    docs.set_defaults(command=_docs)

    hub = commands.add_parser("hub", help="the hub's schema").add_subparsers(required=True, metavar="ACTION")
    upgrade = hub.add_parser("upgrade", parents=[common], help="bring the hub's schema to this version")
    upgrade.set_defaults(command=_upgrade)


def _doctor(accord: Accord, asked: argparse.Namespace) -> int:
    from accord.doctor import examine

    checks = list(examine(accord))
    if asked.json:
        print_json(
            [
                {"system": system, "subject": c.subject, "ok": c.ok, "found": c.found, "cure": c.cure}
                for system, c in checks
            ]
        )
    else:
        for system, check in checks:
            print(
                f"{'ok  ' if check.ok else 'BAD '} {system}: {check.subject.removeprefix(f'{system}: ')}: {check.found}"
            )
            if not check.ok:
                print(f"       cure: {check.cure}")
    return 0 if all(check.ok for _, check in checks) else 1


def _docs(accord: Accord, asked: argparse.Namespace) -> int:
    from pathlib import Path

    from accord.documentation import write_documents

    changed = write_documents(Path(asked.folder))
    if asked.json:
        print_json({"changed": changed})
    else:
        print(f"Written: {', '.join(changed)}." if changed else "Everything is up to date.")
    return 0


def _upgrade(accord: Accord, asked: argparse.Namespace) -> int:
    revision = accord.hub.upgrade()
    if asked.json:
        print_json({"revision": revision})
    else:
        print(f"The hub is at revision {revision}.")
    return 0
