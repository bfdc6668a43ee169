"""Arrow tables into PostgreSQL by COPY."""

from __future__ import annotations

from io import BytesIO

import pyarrow as pa
from psycopg import sql
from pyarrow import csv

from accord.hub.connection import Session

_ROWS = 2_000  # rows that are CSV at the same time: with images they are a kilobyte each


def copy_into(session: Session, table_name: str, table: pa.Table) -> None:
    """COPY the rows of `table` into the columns of the same names of `table_name`. Binary columns travel as hex."""
    for index, field in enumerate(table.schema):
        if pa.types.is_binary(field.type) or pa.types.is_fixed_size_binary(field.type):
            texts = [None if v is None else "\\x" + v.hex() for v in table[field.name].to_pylist()]
            table = table.set_column(index, field.name, pa.array(texts, pa.string()))
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(
        sql.Identifier(table_name), sql.SQL(", ").join(sql.Identifier(n) for n in table.column_names)
    )
    with session.cursor() as cursor, cursor.copy(statement) as copy:
        for batch in table.to_batches(max_chunksize=_ROWS):
            sink = BytesIO()
            # empty text is quoted and null is not, which is how COPY tells them apart
            csv.write_csv(batch, sink, csv.WriteOptions(include_header=False))
            copy.write(sink.getvalue())
