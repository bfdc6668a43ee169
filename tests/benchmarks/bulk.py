"""Bulk: accounts from the org through gates and comparison into the legacy ERP, as a DAG runs it; again; with 1 % changed; and
what the ERP says of them back to Salesforce."""

from __future__ import annotations

from dataclasses import replace

import psycopg

from accord.flows import flow
from tests.benchmarks import floor, steps
from tests.benchmarks.place import HUB, LEGACY, Place, ingest, place
from tests.benchmarks.report import Report

CUSTOMERS = replace(flow("customer__salesforce_to_erp"), name="customer__to_legacy", targets=("legacy",), status=None)
BACK = flow("customer_account__legacy_to_salesforce")
PART = "bulk"
SIDE_BY_SIDE = 2  # chunks loaded at a time: the pool accord_legacy has room for more, two cores have not


def measure(report: Report, records: int, *, back: bool = True) -> None:
    """Measure with an org of `records` accounts."""
    with place() as where:
        with report.timed(PART, "set-up: the org is filled", records):
            where.fill(records)
        ground = floor.measure(where, report, PART)
        for database in (HUB, LEGACY):
            where.fresh(database)
        steps.start(where.environment, where.home)
        first = told(report, PART, "first run", steps.run(CUSTOMERS, full=True, side_by_side=SIDE_BY_SIDE), records)
        _all(first, "applied", records)
        where.analyze()
        report.ratio(PART, "bytes of the hub for a record, after the first run", size(where) / records)
        again = told(report, PART, "unchanged", steps.run(CUSTOMERS, full=True), records)
        _all(again, "unchanged", records)
        changed = change(where, records // 100)
        partly = told(report, PART, "1 % changed", steps.run(CUSTOMERS, full=True), records)
        _all(partly, "applied", changed)
        report.least(PART, "rate against the floor, both posting", ground.posted[0] / first.seconds, 0.4)
        report.least(PART, "the same, neither posting", ground.bare[0] / (first.seconds - first.posting), 0.4)
        report.ratio(PART, "the same, both posting, by processor time", ground.posted[1] / first.cpu)
        report.most(PART, "unchanged against first", again.seconds / first.seconds, 0.5)
        alone = partly.seconds - partly.posting  # as nothing is posted where nothing changed
        report.most(PART, "1 % changed against unchanged, neither posting", alone / again.seconds, 1.1)
        report.ratio(PART, "the same with the ERP's posting", partly.seconds / again.seconds)
        report.ratio(PART, "unchanged against first, by processor time", again.cpu / first.cpu)
        report.ratio(PART, "1 % changed against unchanged, by processor time", partly.cpu / again.cpu)
        report.most(PART, "largest process, MB", max(first.peak, again.peak, partly.peak), 600)
        if back:
            _back(where, report, records)


def told(report: Report, part: str, what: str, took: steps.RunTook, records: int) -> steps.RunTook:
    """Report a run and its steps."""
    for name, step in took.steps.items():
        report.add(part, f"{what}: {name}", step.seconds, records, cpu=step.cpu, peak=step.peak)
    if took.posting:
        report.add(part, f"{what}: of which the ERP posting", took.posting, records)
    report.add(part, f"{what}: all steps", took.seconds, records, cpu=took.cpu, peak=took.peak)
    return took


def change(where: Place, count: int) -> int:
    """Sales changes the telephone number of `count` accounts; how many were changed."""
    people = where.people()
    query = f"SELECT Id FROM Account ORDER BY Id LIMIT {count}"  # noqa: S608 - a number of ours
    ids = [row["Id"] for row in people.soql(query)]
    body = "Id,Phone\n" + "".join(f"{record},+1 832 555 {n % 10_000:04d}\n" for n, record in enumerate(ids))
    ingest(people, "Account", "update", body.encode(), len(ids))
    return len(ids)


def size(where: Place) -> int:
    """Bytes of the hub's tables and indexes."""
    with psycopg.connect(where.server.dsn(HUB)) as session:
        row = session.execute("SELECT pg_database_size(current_database())").fetchone()
    return int(row[0]) if row else 0


def _back(where: Place, report: Report, records: int) -> None:
    """Finance has looked at nobody yet: what the ERP says of every customer is new to Salesforce all the same."""
    first = told(report, PART, "back to Salesforce, first run", steps.run(BACK, full=True), records)
    _all(first, "applied", records)
    again = told(report, PART, "back to Salesforce, unchanged", steps.run(BACK, full=True), records)
    _all(again, "unchanged", records)
    report.most(PART, "back: unchanged against first", again.seconds / first.seconds, 0.5)


def _all(took: steps.RunTook, bucket: str, records: int) -> None:
    """A benchmark of work that was not done measures nothing."""
    if took.counts.get(bucket) != records:
        raise RuntimeError(f"{records} records should have been {bucket}: {took.counts}")
