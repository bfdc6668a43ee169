"""Good records to spoil, and the short way to a judgement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from accord.hub.gate_reports import GateReport, HeldRecord, RuleReport
from accord.objects import CUSTOMER, CUSTOMER_ACCOUNT
from accord.objects.definition import BusinessObject
from accord.quality.gate import ChunkView, Gate, Judgement
from accord.quality.rule import CANONICAL, HALF, Suite, Threshold
from accord.quality.suites import suite_for
from tests.fakes.source import FakeSource
from tests.tables import canonical

Row = dict[str, Any]
LATER = datetime(2026, 2, 1, tzinfo=UTC)
NEVER = Threshold(share=1.0)


def customer(number: int = 1, **changed: Any) -> Row:
    """A customer nothing is wrong with, changed as told."""
    return {
        "key": f"salesforce:{number}",
        "name": f"Customer {number} B.V.",
        "country": "NL",
        "currency": "EUR",
        "tax_registration": "NL004495445B01",  # python-stdnum's own example of a valid one
        "legal_entities": ["NL01"],
        "addresses": [address("bill_to"), address("ship_to")],
        "contacts": [{"id": f"salesforce:c{number}", "last_name": "Jansen"}],
    } | changed


def address(role: str, **changed: Any) -> Row:
    return {"role": role, "street": "Kade 1", "city": "Delft", "country": "NL"} | changed


def account(number: int = 1, **changed: Any) -> Row:
    """An ERP account nothing is wrong with, changed as told."""
    return {
        "key": f"tryton:NL01/{number}",
        "customer": f"salesforce:{number}",
        "legal_entity": "NL01",
        "system": "tryton",
        "customer_number": str(number),
        "currency": "EUR",
        "credit_limit": Decimal("1000.00"),
        "credit_hold": False,
        "balance": Decimal("100.00"),
        "overdue": Decimal("0.00"),
        "risk": "Low",
        "risk_level": 0,
        "active": True,
    } | changed


def suite(definition: BusinessObject) -> Suite:
    return suite_for(definition, CANONICAL, FakeSource())


def table(definition: BusinessObject, rows: Iterable[Mapping[str, Any]], **added: pa.Array) -> pa.Table:
    """A canonical table; `problems` and what else the pipeline adds may be given as columns."""
    made = canonical(definition, rows)
    for name, column in added.items():
        made = made.append_column(name, column)
    return made


def problems(*lists: list[str] | None) -> pa.Array:
    return pa.array(lists, pa.list_(pa.string()))


def judge(against: Suite, *tables: pa.Table, history: Sequence[int] = ()) -> Judgement:
    """The judgement over `tables`, one chunk each."""
    gate = Gate(against, history)
    for number, chunk in enumerate(tables):
        gate.chunk(ChunkView(number=number, parts={"records": chunk}))
    return gate.finish()


def judge_customers(*rows: Row) -> Judgement:
    return judge(suite(CUSTOMER), table(CUSTOMER, rows))


def judge_accounts(*rows: Row) -> Judgement:
    return judge(suite(CUSTOMER_ACCOUNT), table(CUSTOMER_ACCOUNT, rows))


def failing(judgement: Judgement) -> set[tuple[str, str]]:
    """(key, rule) of every failure."""
    rows = judgement.failures.to_pylist()
    found = {(row["key"], row["rule"]) for row in rows}
    assert len(found) == len(rows), "a failure comes twice"
    return found


def lenient(against: Suite) -> Suite:
    """The suite without its total threshold."""
    from dataclasses import replace

    assert against.total == HALF
    return replace(against, total=NEVER)


def report_of(judgement: Judgement, *, flow: str = "customer__salesforce_to_erp", run_name: str = "x") -> GateReport:
    """The report of a judgement nothing came before, its records still held."""
    samples = [
        [asdict(one) | {"correlation": "c-1", "fields": dict(one.fields)} for one in r.samples]
        for r in judgement.results
    ]
    rules = [
        RuleReport(
            rule=r.rule, title=r.title, part=r.part, severity=str(r.severity), owner=str(r.queue), category=str(r.category),
            consequence=r.consequence, checked=r.checked, failed=r.failed, errored=r.errored, message=r.message,
            fresh=r.failed, recurring=0, fixed=0, before=None, at_risk={}, samples=shown, trend=[r.failed],
        )
        for r, shown in zip(judgement.results, samples, strict=True)
    ]  # fmt: skip
    held = [
        HeldRecord(
            key=key,
            rules=[rule],
            correlation="c-1",
            currency=None,
            at_risk=None,
            fate="still held",
            exception=1,
            settled=None,
        )
        for key, rule in sorted(failing(judgement))
    ]
    return GateReport(
        run=1, flow=flow, object=judgement.object, gate=judgement.gate, engine_run=run_name, kind="scheduled", dry=False, at=LATER,
        verdict=str(judgement.verdict), records=judgement.records, quarantined=judgement.quarantined, reasons=judgement.reasons,
        at_risk={}, report="", previous=None, rules=sorted(rules, key=lambda r: r.holds), trend=[],
        fates={"still held": len(held)} if held else {}, held=held,
    )  # fmt: skip
