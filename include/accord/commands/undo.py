"""Taking a run back."""

from __future__ import annotations

import argparse
import getpass
from typing import TYPE_CHECKING, Any

from accord.commands.common import print_json

if TYPE_CHECKING:
    from accord.commands.common import Commands
    from accord.runtime import Accord


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """`accord undo`."""
    undo = commands.add_parser(
        "undo", parents=[common], help="what taking a run back would do; with --apply, take it back"
    )
    undo.add_argument("run", type=int, metavar="RUN", help="the run's number in the hub")
    how = undo.add_mutually_exclusive_group()
    how.add_argument("--dry-run", action="store_true", help="only say what would be done: the default")
    how.add_argument("--apply", action="store_true", help="write the values before back")
    undo.set_defaults(command=_undo)


def _undo(accord: Accord, asked: argparse.Namespace) -> int:
    from accord.commands.flows import summary_lines
    from accord.pipeline import undo

    summary: dict[str, Any] | None = None
    if asked.apply:
        steps, summary = undo.undo(accord, asked.run, who=getpass.getuser())
    else:
        steps = undo.plan(accord, asked.run)
    shown = [one for one in steps if one.step is not undo.Step.ELSEWHERE]
    if asked.json:
        records = [
            {"target": o.target, "key": o.key, "step": o.step, "why": o.why, "fields": list(o.fields)} for o in shown
        ]
        print_json({"run": asked.run, "applied": asked.apply, "counts": undo.counts(steps), "records": records,
                    "summary": summary})  # fmt: skip
        return 0
    for one in shown:
        what = f": {one.why}" if one.why else f": {', '.join(one.fields)}" if one.fields else ""
        print(f"{one.target} {one.key} {one.step}{what}")
    if summary:
        print("\n".join(summary_lines(summary)))
    else:
        print(
            f"Nothing was written. `accord undo {asked.run} --apply` does it." if shown else "There is nothing to undo."
        )
    return 0
