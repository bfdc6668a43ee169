"""python -m sandbox.erp.legacy install|finance --dsn postgresql://…"""

from __future__ import annotations

import argparse
import os
import sys

import psycopg

from sandbox.erp.legacy.install import finance, install


def main(words: list[str] | None = None) -> int:
    """Run one command; 0 when it worked."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.erp.legacy", description=__doc__)
    parser.add_argument("command", choices=("install", "finance"), help="install the schemas; or do finance's work")
    parser.add_argument(
        "--dsn", default=os.environ.get("ACCORD_LEGACY_DSN"), help="its database (or ACCORD_LEGACY_DSN)"
    )
    given = parser.parse_args(words)
    if not given.dsn:
        parser.error("say which database: --dsn postgresql://user:password@host:port/database")
    try:
        if given.command == "install":
            install(given.dsn)
            print("The legacy ERP is installed.")
        else:
            print(f"Finance looked at {finance(given.dsn)} customer accounts.")
    except psycopg.OperationalError as error:
        print(f"The database does not answer: {str(error).splitlines()[0]}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
