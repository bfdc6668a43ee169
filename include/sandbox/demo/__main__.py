"""`python -m sandbox.demo up|down|status`."""

from __future__ import annotations

import argparse
import sys

from sandbox.stack.errors import StackError
from sandbox.stack.home import default_home


def main(words: list[str] | None = None) -> int:
    """Run one command. Returns the exit status; what goes wrong is one sentence on standard error."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.demo", description="Accord's demo on this machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser(
        "up", help="start everything, load the sample company, run the customer DAGs, print what happened"
    )
    commands.add_parser("down", help="stop every process the demo started, and nothing else; the data stays")
    commands.add_parser("status", help="what runs, where, and how to log in")
    command = parser.parse_args(words).command
    home = default_home()
    from accord.errors import AccordError
    from sandbox.company.org import OrgRefused
    from sandbox.demo import story

    try:
        {"up": story.up, "down": story.down, "status": story.status}[command](home)
    except (StackError, OrgRefused, AccordError, story.DemoFailed) as problem:
        print(
            f"\n{problem}\nWhat is started keeps running; `make demo` goes on from here, `make down` stops it.",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. `make demo` goes on from here, `make down` stops what is started.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
