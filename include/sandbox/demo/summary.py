"""What the demo prints at the end, read from the hub: per flow and target the records and amounts of the proof, then
what waits for a person, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from accord.categories import Category, remedy
from accord.flows import FLOWS
from accord.hub.processes import Process
from accord.pipeline.runs import read_run
from accord.pipeline.settle import OUT, summarize
from accord.quality.report import money
from accord.recurring import arr
from accord.runtime import Accord
from sandbox.company.org import Org

CENT = Decimal("0.01")
WORDS = {"applied": "written"}  # a reader's word for a bucket, where the hub's is not plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How many records wait in one queue for one reason."""

    records: int
    flow: str
    category: str
    queue: str
    target: str
    message: str


def flow_summaries(accord: Accord, since: datetime) -> list[dict[str, Any]]:
    """The newest finished run of each flow; what other runs since then wrote (the scheduler's own) is added as `also`."""
    found = []
    with accord.hub.session() as session:
        for name in FLOWS:
            rows = session.execute(
                "SELECT id FROM run WHERE flow = %s AND state = 'succeeded' AND started >= %s AND NOT dry ORDER BY id DESC",
                (name, since),
            ).fetchall()
            if rows:
                newest, *earlier = (summarize(accord, session, read_run(accord.hub, row["id"])) for row in rows)
                found.append(newest | {"also": {t: _written(earlier, t) for t in newest["targets"]}})
    return found


def waiting(accord: Accord) -> list[Waiting]:
    """The open exceptions of every flow, the largest groups first."""
    with accord.hub.session() as session:
        rows = session.execute(
            """SELECT flow, category, queue, target, count(*) AS records, min(message) AS message FROM exception
               WHERE state <> 'closed' GROUP BY flow, category, queue, target ORDER BY records DESC, category, target"""
        ).fetchall()
    return [Waiting(**row) for row in rows]


# business object → its Salesforce object and the field that holds its amount
DOCUMENTS = {
    "invoice": ("ERP_Invoice__c", "Total__c"),
    "credit_memo": ("ERP_Credit_Memo__c", "Total__c"),
    "payment": ("ERP_Payment__c", "Amount__c"),
}


def agreement(org: Org, summaries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What the ERPs say and what Salesforce holds, per document and currency, as lines; the cent decides."""
    yield "What both sides say:"
    for name, (sobject, field) in DOCUMENTS.items():
        told: dict[str, Decimal] = {}
        for summary in summaries:
            if FLOWS[summary["flow"]].object == name:
                for currency, amount in summary["amounts"].items():
                    told[currency] = told.get(currency, Decimal(0)) + Decimal(amount)
        soql = f"SELECT CurrencyIsoCode, SUM({field}) total FROM {sobject} GROUP BY CurrencyIsoCode"  # noqa: S608 - our own words
        held = {row["CurrencyIsoCode"]: Decimal(str(row["total"])).quantize(CENT) for row in org.query(soql)}
        for currency in sorted(told.keys() | held.keys()):
            theirs, ours = told.get(currency, Decimal(0)), held.get(currency, Decimal(0))
            verdict = "=" if theirs == ours else "≠"
            plural = name.replace("_", " ") + "s"
            yield f"    {plural:<14}{theirs:>16,.2f} {currency} in the ERPs {verdict} {ours:>16,.2f} {currency} in Salesforce"


def recurring(org: Org, today: date) -> Iterator[str]:
    """Annual recurring revenue as Salesforce's own contract lines make it, and as the ERPs told it, per currency, as lines."""
    fields = ("Quantity__c", "Unit_Price__c", "Billing_Period__c", "Start_Date__c", "End_Date__c")
    lines = org.query(
        f"SELECT {', '.join(fields)}, Contract__r.CurrencyIsoCode FROM Contract_Line__c "  # noqa: S608 - our own words
        "WHERE Contract__r.ERP_Contract_Number__c != NULL"
    )
    made: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        quantity, price, period, start, end = (line[name] for name in fields)
        made.setdefault(line["Contract__r"]["CurrencyIsoCode"], []).append(
            {
                "quantity": Decimal(str(quantity)),
                "unit_price": Decimal(str(price)),
                "billing_period": period,
                "start_date": date.fromisoformat(start),
                "end_date": date.fromisoformat(end),
            }
        )
    told = org.query("SELECT CurrencyIsoCode, SUM(ARR__c) total FROM Contract GROUP BY CurrencyIsoCode")
    held = {row["CurrencyIsoCode"]: Decimal(str(row["total"] or 0)).quantize(CENT) for row in told}
    for currency in sorted(made):
        ours, theirs = arr(made[currency], today), held.get(currency, Decimal(0))
        verdict = "=" if ours == theirs else "≠"
        yield f"    {'ARR':<14}{theirs:>16,.2f} {currency} in the ERPs {verdict} {ours:>16,.2f} {currency} by Salesforce's lines"


def on_their_way(process: Process, places: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Where the records of a process stand, as lines."""
    if places:
        yield f"{process.subject.capitalize()}s from {process.begin} to {process.end}:"
    for place in places:
        yield f"    {place['records']:>7,} {place['step']}, {place['status']}"


def lines(summaries: Sequence[Mapping[str, Any]], groups: Sequence[Waiting]) -> Iterator[str]:
    """The summary as text."""
    for summary in summaries:
        flow = FLOWS[summary["flow"]]
        released = f", {summary['released']} released" if summary["released"] else ""
        yield f"{flow.name}: {summary['extracted']:,} records extracted from {flow.source}{released}{_money(summary['amounts'])}"
        for target, part in summary["targets"].items():
            counts = part["counts"]
            for bucket in OUT:
                if counts.get(bucket):
                    yield f"    {counts[bucket]:>7,} {WORDS.get(bucket, bucket):<12}{target}{_money(part['amounts'].get(bucket, {}))}"
            if summary["also"].get(target):
                yield f"    {summary['also'][target]:>7,} written to {target} by the scheduled run of the same time"
    if groups:
        yield ""
        yield "Waiting for a person or another record:"
    for group in groups:
        where = f" ({group.target})" if group.target else ""
        cure = remedy(Category(group.category), FLOWS[group.flow].source if group.flow in FLOWS else "")
        reason = "" if group.message == cure else f": {group.message}"
        yield f"    {group.records:>7,} {group.category}{where}{reason}"
        yield f"            {group.queue}: {cure}"


def _written(summaries: Sequence[Mapping[str, Any]], target: str) -> int:
    return sum(int(summary["targets"].get(target, {}).get("counts", {}).get("applied", 0)) for summary in summaries)


def _money(amounts: Mapping[str, str]) -> str:
    return f", {money(amounts)}" if amounts else ""
