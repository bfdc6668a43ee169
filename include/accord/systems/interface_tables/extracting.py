"""Reading customer accounts: one row per customer and company, with what changed when."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql

from accord.ports import Selection, Sink
from accord.routing import entities_of
from accord.systems.collapsing import flat
from accord.systems.erp_account import ACCOUNT, STAGED, split_native
from accord.systems.interface_tables.contract import ACCOUNT_COLUMNS
from accord.systems.interface_tables.session import Session

_COUNT = sql.SQL(
    "SELECT count(*) FROM (SELECT DISTINCT customer_number, company FROM outbound.customer_account_change "
    "WHERE company = ANY (%s) AND changed_at >= %s AND changed_at < %s) changed"
)
_EVERYTHING = sql.SQL("WHERE a.company = ANY (%s)")
_WINDOW = sql.SQL(
    "WHERE (a.customer_number, a.company) IN (SELECT customer_number, company FROM outbound.customer_account_change "
    "WHERE company = ANY (%s) AND changed_at >= %s AND changed_at < %s) AND a.changed_at >= %s AND a.changed_at < %s"
)
_GIVEN = sql.SQL(
    "WHERE (a.customer_number, a.company) IN (SELECT number, company FROM unnest(%s::text[], %s::text[]) AS w (number, company))"
)
_MODIFIED = sql.SQL("""to_char(a.changed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')""")
_FOREVER = (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))


def extract_accounts(session: Session, system: str, selection: Selection, sink: Sink) -> datetime:
    """Write the selected customer accounts to `sink` in the shape STAGED; the instant the read began, by the ERP's clock."""
    companies = {entity.code: entity.company for entity in entities_of(system)}
    since, until = selection.since or _FOREVER[0], selection.until or _FOREVER[1]
    with session.transaction() as cursor:
        # rows stream as fast as the sink takes them: no time-out fits
        cursor.execute("SELECT set_config('statement_timeout', '0', true)")
        began = cursor.execute("SELECT clock_timestamp()").fetchone()
        read_at: datetime = began[0].astimezone(UTC) if began else datetime.now(UTC)
        known = list(companies.values())
        where = _EVERYTHING
        parameters: list[Any] = [known]
        if selection.natives is not None:
            pairs = [split_native(native) for native in selection.natives]
            where = _GIVEN
            parameters = [[number for _, number in pairs], [companies.get(entity) for entity, _ in pairs]]
            sink.expect(len(pairs))
        else:
            if selection.since or selection.until:
                where, parameters = _WINDOW, [known, since, until, since, until]
            counted = cursor.execute(_COUNT, [known, since, until]).fetchone()
            sink.expect(int(counted[0]) if counted else 0)
        for rows in _accounts(session, cursor, where, parameters):
            sink.write(ACCOUNT, _staged(rows, companies), "account")
    return read_at


def _accounts(session: Session, cursor: Any, where: sql.SQL, parameters: list[Any]) -> Any:
    columns = [sql.Identifier("a", column) for column in ACCOUNT_COLUMNS.values()]
    query = sql.SQL("SELECT {}, {} FROM outbound.customer_account a {}").format(
        sql.SQL(", ").join(columns), _MODIFIED, where
    )
    return session.copy_out(cursor, query, parameters, (*ACCOUNT_COLUMNS, "modified"))


def _staged(rows: pa.Table, companies: dict[str, str]) -> pa.Table:
    """With the column `account`: <legal entity>/<customer number>."""
    place = pc.index_in(flat(rows["company"]), value_set=pa.array(list(companies.values()), pa.string()))
    entity = pa.array(list(companies), pa.string()).take(place)
    account = pc.binary_join_element_wise(entity, flat(rows["customer"]), "/")
    return rows.append_column("account", account).select(STAGED.names).cast(STAGED)
