"""How fast Accord is, and against what: `python -m tests.benchmarks [--parts bulk,gate,…] [--records 1000000] [--json FILE]`.

Local parts only, started and ended here. Prints a table as it goes and writes everything as JSON; docs/benchmarks.md says what
the parts are and what they measured.
"""

from __future__ import annotations

import argparse
import os
from importlib import import_module
from pathlib import Path

from tests.benchmarks.report import Report
from tests.benchmarks.steps import PROFILES

PARTS = ("parse", "gate", "bulk", "reconcile", "orders", "delta", "tools", "memory", "console")
USUAL = ("parse", "gate", "bulk", "reconcile")


def main() -> int:
    """Measure the parts asked for."""
    asked = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__.splitlines()[0])
    asked.add_argument("--parts", default=",".join(USUAL), help=f"of {', '.join(PARTS)} (default: %(default)s)")
    asked.add_argument("--records", type=int, default=200_000, help="accounts (default: %(default)s)")
    asked.add_argument("--json", type=Path, default=Path(".local/benchmarks.json"), help="default: %(default)s")
    asked.add_argument("--profile", type=Path, help="a folder for a profile (cProfile) of every step of a run")
    given = asked.parse_args()
    if given.profile:
        given.profile.mkdir(parents=True, exist_ok=True)
        os.environ[PROFILES] = str(given.profile.resolve())
    parts = [part.strip() for part in given.parts.split(",") if part.strip()]
    if unknown := sorted(set(parts) - set(PARTS)):
        asked.error(f"unknown parts: {', '.join(unknown)}; known: {', '.join(PARTS)}")
    report = Report()
    try:
        for part in parts:
            import_module(f"tests.benchmarks.{part}").measure(report, given.records)
    finally:
        report.write(given.json)
        given.json.with_suffix(".md").write_text(report.markdown(), encoding="utf-8")
    print(f"written: {given.json} and {given.json.with_suffix('.md')}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
