"""What is kept no longer, and the erasure of a person."""

from __future__ import annotations

import argparse
import getpass
from typing import TYPE_CHECKING

from accord.commands.common import print_json

if TYPE_CHECKING:
    from accord.commands.common import Commands
    from accord.runtime import Accord


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """`accord housekeeping` and `accord forget`."""
    housekeeping = commands.add_parser(
        "housekeeping", parents=[common], help="delete what is kept no longer, make room for what comes"
    )
    housekeeping.add_argument("--dry-run", action="store_true", help="only say what would go")
    housekeeping.set_defaults(command=_housekeeping)

    forget = commands.add_parser(
        "forget", parents=[common], help="what erasing a person would do; with --apply, erase the person from the hub"
    )
    forget.add_argument("key", metavar="KEY", help="canonical id of a record (a customer) or of a part (a contact)")
    how = forget.add_mutually_exclusive_group()
    how.add_argument("--dry-run", action="store_true", help="only say what would be erased: the default")
    how.add_argument("--apply", action="store_true", help="erase it")
    forget.set_defaults(command=_forget)


def _housekeeping(accord: Accord, asked: argparse.Namespace) -> int:
    from accord.housekeeping import housekeep

    kept = housekeep(accord, dry_run=asked.dry_run)
    if asked.json:
        print_json(kept)
        return 0
    would = "would be " if asked.dry_run else ""
    for name in kept.made:
        print(f"partition {name} {would}made")
    for name, rows in kept.dropped.items():
        print(f"partition {name} {would}dropped ({rows:,} rows)")
    for table, rows in kept.rows.items():
        print(f"{rows:,} rows of {table} {would}deleted")
    print(f"{kept.staged:,} staged folders and {kept.reports:,} report files {would}deleted")
    return 0


def _forget(accord: Accord, asked: argparse.Namespace) -> int:
    from accord.forget import forget

    found = forget(accord, asked.key, who=getpass.getuser(), dry_run=not asked.apply)
    if asked.json:
        print_json(found | {"applied": asked.apply})
        return 0
    would = "" if asked.apply else "would be "
    print(f"{asked.key}: personal values of {', '.join(found['records'])} {would}erased")
    for table, rows in found["rows"].items():
        print(f"  {rows:,} rows of {table}")
    print(
        f"  {found['staged']:,} staged folders of ended runs {would}deleted; {found['staged_in_use']:,} in use go with their run"
    )
    if not asked.apply:
        print(
            f"Nothing was written. `accord forget {asked.key} --apply` does it; erase the person in the source first."
        )
    return 0
