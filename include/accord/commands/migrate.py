"""Moving a legal entity to the ERP the routing names now."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from accord.commands.common import print_json

if TYPE_CHECKING:
    from accord.commands.common import Commands
    from accord.runtime import Accord


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """`accord migrate`."""
    migrate = commands.add_parser(
        "migrate", parents=[common], help="move a legal entity to the ERP the routing names now (accord.routing)"
    )
    migrate.add_argument("entity", metavar="ENTITY", help="its code, such as GB01")
    migrate.add_argument("--dry-run", action="store_true", help="say what would happen; write nothing but the runs")
    migrate.set_defaults(command=_migrate)


def _migrate(accord: Accord, asked: argparse.Namespace) -> int:
    from accord.commands.flows import summary_lines
    from accord.migration import migrate

    done = migrate(accord, asked.entity, dry_run=asked.dry_run)
    if asked.json:
        print_json(done)
        return 0
    print(f"{done.entity}: from {', '.join(done.former)} to {done.system}{', dry' if done.dry_run else ''}")
    for one in done.matched:
        print(f"  {one.object}: {one.matched:,} of {one.former} are known in {done.system} by {', '.join(one.fields)}")
        if one.missing:
            print(f"    {len(one.missing):,} are not, as {', '.join(one.missing[:5])}: orders of them will wait")
    for summary in done.runs:
        print("\n".join(summary_lines(summary)))
    for row in done.left:
        print(f"  {row['system']} still has {row['orders']:,}: {row['state']}")
    for row in done.waiting:
        print(f"  {row['records']:>6,} wait: {row['object']}, {row['category']} ({row['target'] or 'any ERP'})")
    return 0
