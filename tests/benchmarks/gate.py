"""The gate: records a second for 12, 25 and 50 expectations, with 0 %, 1 % and 10 % of the records failing one of them."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa

from accord.batch import RECORDS
from accord.objects import CUSTOMER
from accord.quality.gate import ChunkView, Gate, Judgement, Verdict
from accord.quality.rule import CANONICAL, Rule, Scope, Suite
from accord.quality.suites import suite_for
from accord.records import schema_of
from accord.runtime import CHUNK_ROWS
from tests.benchmarks.accounts import account
from tests.benchmarks.report import Report, Watch
from tests.fakes.source import FakeSource

PART = "gate"
COUNTS = (12, 25, 50)
FAILING = (0, 1, 10)  # percent of the records
SPOILED = "phone.length"  # what they fail
LEAST = 300_000  # records a second at twelve expectations
_AT = datetime(2026, 1, 1, tzinfo=UTC)


def measure(report: Report, records: int) -> None:
    """Judge `records` customers, a chunk at a time."""
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", category=DeprecationWarning, module="great_expectations")
    judged(suite_of(COUNTS[0]), list(customers(1000, 1)))  # the first one imports Great Expectations
    for percent in FAILING:
        chunks = list(customers(records, percent))
        for count in COUNTS:
            suite = suite_of(count)
            watch = Watch()
            judgement = judged(suite, chunks)
            seconds, cpu = watch.seconds, watch.cpu
            _as_expected(judgement, records, percent)
            figure = report.add(PART, f"{count} expectations, {percent} % failing", seconds, records, cpu=cpu)
            if count == COUNTS[0] and percent == FAILING[0]:
                report.least(PART, "records a second at 12 expectations", figure.rate, LEAST)
                report.ratio(PART, "records a processor second at 12 expectations", records / cpu)


def suite_of(count: int) -> Suite:
    """The customer's own canonical suite, cut to `count` expectations or, beyond its own, with lengths asked once more."""
    own = suite_for(CUSTOMER, CANONICAL, FakeSource())
    rules = sorted(own.rules, key=lambda rule: (rule.name != SPOILED, rule.part != RECORDS, rule.scope is Scope.BATCH))
    more: list[Rule] = [
        replace(rule, name=f"{rule.name}.again", arguments={**rule.arguments, "max_value": 200 + n})
        for n, rule in enumerate(rule for rule in own.rules if rule.name.endswith(".length") and rule.name != SPOILED)
    ]
    return replace(own, rules=tuple([*rules, *more][:count]))


def judged(suite: Suite, chunks: list[pa.Table]) -> Judgement:
    """A whole batch past the gate."""
    gate = Gate(suite)
    for number, table in enumerate(chunks):
        gate.chunk(ChunkView(number=number, parts={RECORDS: table}))
    return gate.finish()


def customers(count: int, percent: int) -> Iterator[pa.Table]:
    """Canonical customers with two addresses and a contact each, of which `percent` have a telephone number that is too long."""
    schema = schema_of(CUSTOMER)
    for first in range(0, count, CHUNK_ROWS):
        rows = [_customer(n, spoiled=n % 100 < percent) for n in range(first, min(count, first + CHUNK_ROWS))]
        yield pa.Table.from_pylist(rows, schema=schema)


def _customer(n: int, *, spoiled: bool) -> dict[str, object]:
    name, legal, currency, tax, phone, website, entity, *addresses = account(n)
    names = ("street", "city", "region", "postal_code", "country")
    places = {"bill_to": addresses[:5], "ship_to": addresses[5:]}
    return {
        "key": f"salesforce:001{n:015d}",
        "version": _AT,
        "read_at": _AT,
        "gone": False,
        "name": name,
        "legal_name": legal,
        "country": "US",
        "currency": currency,
        "tax_registration": tax,
        "phone": phone * 4 if spoiled else phone,
        "website": website,
        "legal_entities": [entity],
        "addresses": [{"role": role, **dict(zip(names, where, strict=True))} for role, where in places.items()],
        "contacts": [{"id": f"salesforce:003{n:015d}", "last_name": "Jansen", "email": f"jansen{n}@example.com"}],
    }


def _as_expected(judgement: Judgement, records: int, percent: int) -> None:
    wanted = Verdict.QUARANTINE if percent else Verdict.PASS
    failing = sum(n % 100 < percent for n in range(records))
    if judgement.verdict is not wanted or judgement.quarantined != failing:
        raise RuntimeError(f"{judgement.verdict}, {judgement.quarantined} of {failing} records: {judgement.reasons}")
