"""`python -m sandbox.company`: look at the sample company, or load it into an org."""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from sandbox.company.generator import SEED, company
from sandbox.company.load import load
from sandbox.company.org import Org, OrgRefused
from sandbox.company.records import Account
from sandbox.company.rows import rows


def main(words: list[str] | None = None) -> int:
    """Run one command. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.company", description="The sample company.")
    commands = parser.add_subparsers(dest="command", required=True)
    show = commands.add_parser("show", help="count what it is made of")
    loader = commands.add_parser("load", help="have it in an org; loading again changes nothing")
    loader.add_argument("--org", required=True, metavar="URL", help="such as http://127.0.0.1:18080")
    for command in (show, loader):
        command.add_argument(
            "--seed", type=int, default=SEED, help="another seed gives other customers (default %(default)s)"
        )
    chosen = parser.parse_args(words)
    accounts = company(chosen.seed)
    if chosen.command == "show":
        print(summary(accounts))
        return 0
    try:
        done = load(Org.as_administrator(chosen.org), list(rows(accounts)))
    except OrgRefused as refusal:
        print(refusal, file=sys.stderr)
        return 1
    print(done)
    for number, reason in done.refused.items():
        print(f"  {number}: {reason}")
    return 0


def summary(accounts: list[Account]) -> str:
    """The sample in numbers."""
    entities = Counter(" + ".join(account.legal_entities) or "none" for account in accounts)
    countries = Counter(account.bill_to.country or "none" for account in accounts)
    flaws = Counter(str(account.flaw) for account in accounts if account.flaw)
    lines = [f"{len(accounts)} accounts, {sum(len(account.contacts) for account in accounts)} contacts"]
    lines.append("legal entities: " + ", ".join(f"{name} {count}" for name, count in entities.most_common()))
    lines.append("countries: " + ", ".join(f"{name} {count}" for name, count in countries.most_common()))
    lines.append(f"bad on purpose: {sum(flaws.values())}")
    lines += [f"  {count} with {name}" for name, count in flaws.most_common()]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
