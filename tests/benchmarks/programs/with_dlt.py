"""Run in dlt's own environment: pages of CSV into PostgreSQL with merge by Id. Arguments: `dictionaries` or `arrow`, a folder for dlt's
own files, the pages; the database's address comes in DSN. Prints the seconds without the imports."""

import csv
import os
import sys
import time
from collections.abc import Iterator
from typing import Any

import dlt
from dlt.destinations import postgres
from pyarrow import csv as arrow_csv


def dictionaries(pages: list[str]) -> Iterator[list[dict[str, Any]]]:
    for page in pages:
        with open(page, newline="", encoding="utf-8") as file:
            yield list(csv.DictReader(file))


def tables(pages: list[str]) -> Iterator[Any]:
    for page in pages:
        yield arrow_csv.read_csv(page, parse_options=arrow_csv.ParseOptions(newlines_in_values=True))


def main() -> None:
    how, folder, *pages = sys.argv[1:]
    begun = time.perf_counter()
    rows = dictionaries(pages) if how == "dictionaries" else tables(pages)
    resource = dlt.resource(rows, name="customer", primary_key="Id", write_disposition="merge")
    destination = postgres(credentials=os.environ["DSN"])
    pipeline = dlt.pipeline(f"benchmark_{how}", destination=destination, dataset_name=how, pipelines_dir=folder)
    pipeline.run(resource).raise_on_failed_jobs()
    print(time.perf_counter() - begun)


if __name__ == "__main__":
    main()
