"""Every record of an object that carries a canonical key: what a reconciliation counts."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from accord.systems.erp import CENSUS
from accord.systems.salesforce.bulk_query import bulk_pages
from accord.systems.salesforce.client import Client
from accord.systems.salesforce.mapping import Writing
from accord.systems.salesforce.read_back import looks_gone
from accord.systems.salesforce.rest_query import count, rest_pages
from accord.systems.salesforce.soql import Select, compare


def census(client: Client, writing: Writing) -> Iterator[pa.Table]:
    """CENSUS pages; none for an object without an external id, whose records are somebody else's."""
    if not writing.external_id:
        return
    columns = {"Id": pa.string(), writing.external_id: pa.string()}
    columns |= {c: pa.bool_() if isinstance(value, bool) else pa.string() for c, value in writing.gone.items()}
    there = (compare(writing.external_id, "!=", None), compare("IsDeleted", "=", False))
    select = Select(sobject=writing.sobject, columns=tuple(columns), where=there)
    many = count(client, select) > client.options.bulk_threshold
    pages = bulk_pages(client, select, columns) if many else rest_pages(client, select, columns, deleted=False)
    for page in pages:
        yield pa.table([page[writing.external_id], page["Id"], looks_gone(writing, page)], schema=CENSUS)
