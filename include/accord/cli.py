"""`accord`: the same work without Airflow. Connections come from the environment, as Airflow's own AIRFLOW_CONN_* do."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Sequence

from accord.commands import TOPICS
from accord.commands.common import print_json
from accord.errors import AccordError
from accord.runtime import Accord


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when all is well, 1 when something is not."""
    asked = _parse(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    if asked.verbose:
        logging.getLogger("accord").setLevel(logging.INFO)
    accord = Accord.from_environment()
    command: Callable[[Accord, argparse.Namespace], int] = asked.command
    try:
        return command(accord, asked)
    except AccordError as error:
        if asked.json:
            print_json({"error": type(error).__name__, "message": str(error), "cure": error.cure})
        else:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    finally:
        accord.close()


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = _parser()
    asked = parser.parse_args(arguments)
    if getattr(asked, "scheduled", False) and (asked.since or asked.until or asked.keys):
        parser.error("--scheduled reads from the watermark until now: leave out --since, --until and --key")
    return asked


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="accord", description="Keep Salesforce and the ERPs in agreement.", parents=[_common(default=False)]
    )
    common = _common(default=argparse.SUPPRESS)  # a default here would undo what was said before the command
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    for topic in TOPICS:
        topic.add(commands, common)
    return parser


def _common(default: object) -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", default=default, help="print JSON")
    common.add_argument("-v", "--verbose", action="store_true", default=default, help="log every step")
    return common


if __name__ == "__main__":
    sys.exit(main())
