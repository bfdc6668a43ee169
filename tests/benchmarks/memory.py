"""Memory: the largest process of a first run at 100,000, 1,000,000 and 10,000,000 records: it should be the same."""

from __future__ import annotations

from tests.benchmarks import steps
from tests.benchmarks.bulk import CUSTOMERS
from tests.benchmarks.place import place
from tests.benchmarks.report import Report

PART = "memory"
SIZES = (100_000, 1_000_000, 10_000_000)
LOADED = 20  # chunks at most: what a load takes is a chunk's, and ten million take an hour and 50 GB to load


def measure(report: Report, records: int) -> None:
    """A first run at each of the SIZES up to `records`; below two chunks nothing is told, as memory is bounded by the chunk."""
    peaks = {count: at(report, count).peak for count in SIZES if count <= max(records, SIZES[0])}
    least, most = min(peaks), max(peaks)
    report.most(PART, "largest process, MB", max(peaks.values()), 600)
    if most > least:
        report.most(PART, f"largest process at {most:,} against {least:,}", peaks[most] / peaks[least], 1.1)


def at(report: Report, count: int) -> steps.RunTook:
    """A first run over `count` records in a place of its own."""
    with place() as where:
        with report.timed(PART, f"{count:,} records: set-up: the org is filled", count):
            where.fill(count)
        steps.start(where.environment, where.home)
        report.add(PART, "a process that has imported everything", 0.0, peak=steps.step("import", {}, None).peak)

        def tell(name: str, step: steps.Took) -> None:
            report.add(PART, f"{count:,} records: {name}", step.seconds, count, cpu=step.cpu, peak=step.peak)

        took = steps.run(CUSTOMERS, full=True, side_by_side=2, most=LOADED, tell=tell)
        if took.loaded < took.chunks:
            report.note(
                f"{count:,} records: {took.loaded} of {took.chunks} chunks were loaded, and the run not settled"
            )
        return took
