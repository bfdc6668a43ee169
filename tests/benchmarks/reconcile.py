"""Reconciliation: every customer of Salesforce held against every customer of the ERP, field by field, and the census."""

from __future__ import annotations

import os
from typing import Any

import psycopg

from tests.benchmarks import steps
from tests.benchmarks.bulk import CUSTOMERS
from tests.benchmarks.place import LEGACY, Place, place
from tests.benchmarks.report import Report

PART = "reconcile"
MINUTE = 1_000_000 / 60  # records a second: "a million customers in a minute"
APART = 1000  # one customer of so many is changed in the ERP behind everybody's back


def measure(report: Report, records: int) -> None:
    """Measure with both sides filled by a run."""
    with place() as where:
        where.fill(records)
        steps.start(where.environment, where.home)
        steps.run(CUSTOMERS, full=True, side_by_side=2)
        where.analyze()
        compare(where, report, records)


def compare(where: Place, report: Report, records: int) -> None:
    """Measure with both sides alike, then with one record of a thousand apart."""
    took = _told(report, "nothing differs", records)
    report.least(PART, "records a second against a million a minute", took.rate / MINUTE, 1.0)
    report.most(PART, "largest process, MB", took.peak or 0.0, 600)
    with psycopg.connect(where.server.dsn(LEGACY)) as session:
        apart = session.execute(
            "UPDATE erp.customer SET phone = '+1 000' WHERE hashtext(customer_number) %% %s = 0", (APART,)
        ).rowcount
    _told(report, "one of a thousand differs", records, apart)


def _told(report: Report, what: str, records: int, apart: int = 0) -> Any:
    took = steps.step("reconcile", os.environ, CUSTOMERS, "legacy")
    agreed = took.result["counts"].get("agreed", 0)
    if agreed != records - apart:  # what is apart is a difference, or was changed too lately to be one
        raise RuntimeError(f"{records - apart} customers should agree: {took.result['counts']}")
    return report.add(PART, what, took.seconds, records, cpu=took.cpu, peak=took.peak)
