"""Every record of a relation that carries a canonical key: what a reconciliation counts."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql

from accord.systems.collapsing import flat
from accord.systems.erp import CENSUS
from accord.systems.interface_tables.session import Session

_COUNTED = sql.SQL("SELECT external_ref, {native}, {gone} FROM {relation} WHERE external_ref IS NOT NULL")


def counted(session: Session, relation: str, native: str, gone: sql.Composable) -> Iterator[pa.Table]:
    """CENSUS pages of `relation`, whose keys are its external references; `gone` is the condition of what is deactivated."""
    query = _COUNTED.format(native=sql.Identifier(native), gone=gone, relation=sql.Identifier(*relation.split(".")))
    with session.transaction() as cursor:
        for page in session.stream(cursor, query, (), CENSUS.names):
            gone_ones = pc.equal(flat(page["gone"]), "t")
            yield pa.table([page["key"], page["native"], gone_ones], schema=CENSUS)
