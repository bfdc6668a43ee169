"""Queries through REST: a page of at most 2,000 rows at a time, deleted rows included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pyarrow as pa

from accord.systems.salesforce.client import Client
from accord.systems.salesforce.columns import from_records
from accord.systems.salesforce.soql import Select


def rest_pages(
    client: Client, select: Select, columns: Mapping[str, pa.DataType], *, deleted: bool = True
) -> Iterator[pa.Table]:
    """The rows of `select` as tables of `columns`, page by page; `deleted` ones too unless told otherwise."""
    page = client.json("/queryAll" if deleted else "/query", params={"q": select.text})
    while True:
        if page["records"]:
            yield from_records(page["records"], columns)
        if page.get("done", True):
            return
        page = client.json(page["nextRecordsUrl"])


def count(client: Client, select: Select) -> int:
    """How many rows `select` has, deleted ones included."""
    return int(client.json("/queryAll", params={"q": select.count})["totalSize"])
