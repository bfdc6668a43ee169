"""Memory: the largest process of a run, at a tenth of the records asked for and at all of them: it should be the same."""

from __future__ import annotations

from accord.runtime import CHUNK_ROWS
from tests.benchmarks import steps
from tests.benchmarks.bulk import CUSTOMERS, told
from tests.benchmarks.place import place
from tests.benchmarks.report import Report

PART = "memory"


def measure(report: Report, records: int) -> None:
    """A first run at each size; a size below two chunks tells nothing, as memory is bounded by the chunk."""
    peaks = []
    for count in (max(records // 10, 2 * CHUNK_ROWS), records):
        with place() as where:
            where.fill(count)
            steps.start(where.environment, where.home)
            took = steps.run(CUSTOMERS, full=True, side_by_side=2)
            peaks.append(told(report, PART, f"{count:,} records", took, count).peak)
    report.most(PART, "largest process, MB", max(peaks), 600)
    report.most(PART, "largest process at all records against a tenth", peaks[1] / peaks[0], 1.1)
