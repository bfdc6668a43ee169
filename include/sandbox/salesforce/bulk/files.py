"""CSV files of Bulk 2.0 jobs: what was uploaded, and the results in pages."""

import csv
import itertools
import json
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sandbox.salesforce.bulk.jobs import DELIMITERS, LINE_ENDINGS, Job
from sandbox.salesforce.errors import ApiError

csv.field_size_limit(32_000_000)
_ROWS_AT_ONCE = 2000


class Upload:
    """The uploaded rows of an ingest job."""

    def __init__(self, path: Path, job: Job) -> None:
        self.path, self.job = path, job

    def rows(self) -> Iterator[list[str]]:
        """Yield the header and then the rows that are not empty lines.

        Raises:
            ApiError: The file is no CSV of the declared kind; the job fails with the message.
        """
        with open(self.path, encoding="utf-8-sig", newline="") as file:
            self._check_line_ending()
            reader = csv.reader(file, delimiter=DELIMITERS[self.job.delimiter], strict=True)
            try:
                for row in reader:
                    if row:
                        yield row
            except csv.Error as error:
                raise ApiError(
                    400, "INVALIDBATCH", f"ClientInputError : Failed to parse CSV at line {reader.line_num}: {error}"
                ) from error
            except UnicodeDecodeError as error:
                raise ApiError(400, "INVALIDBATCH", "ClientInputError : The data is not valid UTF-8") from error

    def _check_line_ending(self) -> None:
        with open(self.path, "rb") as file:
            line = file.readline(1_000_000)
        if line.endswith(b"\r\n") != (self.job.line_ending == "CRLF") and line.endswith(b"\n"):
            raise ApiError(
                400,
                "INVALIDBATCH",
                "ClientInputError : LineEnding is invalid on user data. Current LineEnding "
                f"setting is {self.job.line_ending}",
            )


def csv_lines(rows: Iterable[Iterable[Any]], job: Job) -> list[str]:
    """Return one text per row, line ending included."""
    lines: list[str] = []

    class Sink:
        write = staticmethod(lines.append)

    writer = csv.writer(
        Sink, delimiter=DELIMITERS[job.delimiter], lineterminator=LINE_ENDINGS[job.line_ending], quoting=csv.QUOTE_ALL
    )
    writer.writerows(rows)
    return lines


class ResultFile:
    """The rows of a query job: a header line, all rows, and where each row begins, so that any page is a slice."""

    def __init__(self, folder: Path) -> None:
        self.header, self.body, self.index = folder / "header.csv", folder / "rows.csv", folder / "rows.index"

    def write(self, header: list[str], rows: Iterator[tuple[str]], job: Job) -> int:
        """Write the file, each row being one CSV line, and return the number of rows."""
        self.header.write_bytes("".join(csv_lines([header], job)).encode())
        count, position = 0, 0
        with open(self.body, "wb") as body, open(self.index, "wb") as index:
            while chunk := list(itertools.islice(rows, _ROWS_AT_ONCE)):
                lines = [line.encode() for (line,) in chunk]
                starts = array("Q", itertools.accumulate(map(len, lines[:-1]), initial=position))
                starts.tofile(index)
                body.write(b"".join(lines))
                position = starts[-1] + len(lines[-1])
                count += len(chunk)
            array("Q", [position]).tofile(index)
        return count

    def page(self, first: int, count: int) -> bytes:
        """Return the header and up to `count` rows from row `first` (0-based)."""
        bounds = array("Q")
        with open(self.index, "rb") as index:
            index.seek(first * 8)
            bounds.frombytes(index.read((count + 1) * 8))
        with open(self.body, "rb") as body:
            body.seek(bounds[0])
            return self.header.read_bytes() + body.read(bounds[-1] - bounds[0])


def ingest_results(
    upload: Upload, batches: Iterable[tuple[int, str]], wanted: str, job: Job, *, shuffled: bool = False
) -> bytes:
    """Return a result file of an ingest job.

    Args:
        upload: The uploaded rows.
        batches: First row and packed results of each processed batch.
        wanted: ``successfulResults``, ``failedResults`` or ``unprocessedrecords``.
        job: The job.
        shuffled: Give the rows in reverse, which Salesforce allows itself.
    """
    results: dict[int, list[Any]] = {}
    for first, packed in batches:
        results.update(enumerate(json.loads(packed), first))
    extra = {"successfulResults": ["sf__Id", "sf__Created"], "failedResults": ["sf__Id", "sf__Error"]}.get(wanted, [])
    header: list[str] = []
    chosen: list[list[Any]] = []
    try:
        rows = upload.rows() if upload.path.is_file() else iter(())
        header = next(rows, [])
        for at, row in enumerate(rows):
            result = results.get(at)
            if result is None:
                if wanted == "unprocessedrecords":
                    chosen.append(row)
            elif wanted == "successfulResults" and result[2] is None:
                chosen.append([result[0], "true" if result[1] else "false", *row])
            elif wanted == "failedResults" and result[2] is not None:
                chosen.append([result[0] or "", result[2], *row])
    except ApiError:
        # The upload can't be read to its end. What was read is reported; the job's message says what is wrong.
        pass
    if shuffled:
        chosen.reverse()
    return "".join(csv_lines([[*extra, *header], *chosen], job)).encode()
