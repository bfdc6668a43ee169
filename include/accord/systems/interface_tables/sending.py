"""Sending: copy one batch in, have the ERP post it, read its answers, remove the batch."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql

from accord.categories import Category
from accord.errors import InDoubt, Recovery, Retry, Stop, Unavailable
from accord.ports import Sending
from accord.records import RESULTS
from accord.systems.collapsing import flat
from accord.systems.interface_tables.contract import CODES, OTHER, Inbox, Meaning, Part
from accord.systems.interface_tables.session import Locked, Session, without_nul
from accord.systems.nesting import unnested

_ANSWERS = ("external_ref", "status", "code", "reason", "answered_number", "awaits")
Columns = dict[str, Any]
_LOCKED = Meaning(
    outcome=Recovery.RETRY, category=Category.TABLES_LOCKED, message="Other work in the ERP holds what the batch needs."
)
_BROKEN = Meaning(
    outcome=Recovery.UNKNOWN, category=Category.INTERRUPTED, message="The connection ended before the ERP answered."
)
_NUL = Meaning(outcome=Recovery.REJECT, category=Category.INVALID_VALUE, message="A text holds the character U+0000.")


class Post:
    """Sends one table of changes of one object. `own` gives what of a request is this object's, as columns of the inbox."""

    def __init__(self, session: Session, system: str, inbox: Inbox, own: Callable[[pa.Table], Columns]) -> None:
        self._session, self._system, self._inbox, self._own = session, system, inbox, own

    def send(self, changes: pa.Table, sending: Sending) -> pa.Table:
        """RESULTS for `changes` (collapsed), in their order.

        What is copied in takes no effect before the ERP posts it, so only a break while posting leaves anything in doubt.
        Raises Unavailable, BadCredentials, SchemaDrift, Stop; InDoubt when the send deadline has passed.
        """
        parts = {name: unnested(changes, name) for name in self._inbox.parts}
        storable = _storable(changes, parts)
        sent = changes.filter(storable)
        refused = _same(changes.filter(pc.invert(storable)), _NUL)
        if not sent.num_rows:
            return refused
        sending.before_request()
        batch = f"{self._system}-{sending.dispatch}-{uuid.uuid4().hex[:16]}"
        try:
            answered = self._posted(batch, sent, parts, sending)
        finally:
            self._forget(batch)
        return _in_order_of(changes, pa.concat_tables([answered, refused]))

    def _posted(self, batch: str, sent: pa.Table, parts: Mapping[str, pa.Table], sending: Sending) -> pa.Table:
        inbox = self._inbox
        try:
            with self._session.transaction() as cursor:
                self._session.copy_in(cursor, inbox.relation, self._requests(batch, sent))
                for name, part in inbox.parts.items():
                    self._session.copy_in(cursor, part.relation, _parts(batch, sent, parts[name], part))
        except (InDoubt, Locked):
            raise Unavailable(
                "The ERP's database went away before it was asked to post.", cure="It is tried again."
            ) from None
        sending.before_request()
        try:
            with self._session.transaction() as cursor:
                cursor.execute(sql.SQL("CALL {}(%s)").format(sql.Identifier(*inbox.procedure.split("."))), [batch])
        except Locked:
            return _same(sent, _LOCKED)
        except InDoubt:
            return _same(sent, _BROKEN)
        try:
            with self._session.transaction() as cursor:
                columns = sql.SQL(", ").join(map(sql.Identifier, (*_ANSWERS[:-1], inbox.awaits)))
                relation = sql.Identifier(*inbox.relation.split("."))
                query = sql.SQL("SELECT {} FROM {} WHERE batch = %s").format(columns, relation)
                answers = self._session.read(cursor, query, [batch], _ANSWERS)
        except Retry:
            return _same(sent, _BROKEN)
        return _results(sent, answers, CODES | dict(inbox.codes))

    def _requests(self, batch: str, changes: pa.Table) -> pa.Table:
        """Rows of the inbox."""
        gone = pc.fill_null(flat(changes["gone"]), False)
        columns = {
            "batch": pa.repeat(batch, changes.num_rows),
            "external_ref": changes["key"],
            "action": pc.if_else(gone, self._inbox.actions[1], self._inbox.actions[0]),
            "version": changes["version"],
            "read_at": changes["read_at"],
        }
        columns |= {column: changes[name] for name, column in self._inbox.fields.items()}
        return pa.table(columns | self._own(changes))

    def _forget(self, batch: str) -> None:
        """Requests hold personal data: once answered they are removed, even a batch that was never posted."""
        try:
            with self._session.transaction() as cursor:
                for relation in self._inbox.relations:
                    name = sql.Identifier(*relation.split("."))
                    cursor.execute(sql.SQL("DELETE FROM {} WHERE batch = %s").format(name), [batch])
        except (Retry, Stop):
            pass  # the ERP's owners purge what stays behind (docs/interface-tables.md); the outcome is known all the same


def _parts(batch: str, changes: pa.Table, parts: pa.Table, into: Part) -> pa.Table:
    """Rows of a constituent's table, those of `changes` only."""
    parts = parts.filter(pc.is_in(parts["key"], value_set=flat(changes["key"])))
    values = {column: parts[name] for name, column in into.fields.items()}
    if into.number:
        values[into.number] = _numbers(parts["key"].to_pylist())
    return pa.table({"batch": pa.repeat(batch, parts.num_rows), "external_ref": parts["key"], **values})


def _numbers(owners: list[str]) -> pa.Array:
    """1, 2, 3 … for the parts of each owner, in their order."""
    counted: Counter[str] = Counter()
    numbers = []
    for owner in owners:
        counted[owner] += 1
        numbers.append(counted[owner])
    return pa.array(numbers, pa.int32())


def _storable(changes: pa.Table, parts: Mapping[str, pa.Table]) -> pa.Array:
    """False for rows PostgreSQL could not store; one of them would fail the whole copy."""
    good = without_nul(changes)
    for table in parts.values():
        bad = table.filter(pc.invert(without_nul(table)))["key"]
        good = pc.and_(good, pc.invert(pc.is_in(flat(changes["key"]), value_set=flat(bad))))
    return good


def _results(sent: pa.Table, answers: pa.Table, codes: Mapping[str, Meaning] = CODES) -> pa.Table:
    """The ERP's answers as RESULTS. A row without one is in doubt."""
    meanings = [*codes.values(), OTHER, _BROKEN]
    place = pc.index_in(flat(answers["code"]), value_set=pa.array(list(codes), pa.string()))
    place = pc.fill_null(place, len(codes))
    place = pc.if_else(pc.equal(flat(answers["status"]), "rejected"), place, len(codes) + 1)
    applied = pc.equal(flat(answers["status"]), "accepted")
    nothing = pa.scalar(None, pa.string())

    def said(values: list[str]) -> pa.Array:
        return pc.if_else(applied, nothing, pa.array(values, pa.string()).take(place))

    outcome = pc.if_else(
        applied, Recovery.APPLIED.value, pa.array([m.outcome.value for m in meanings], pa.string()).take(place)
    )
    answer = pc.binary_join_element_wise(answers["code"], answers["reason"], ": ", null_handling="emit_null")
    table = pa.table(
        {
            "key": flat(answers["external_ref"]),
            "native": flat(answers["answered_number"]),
            "outcome": outcome,
            "category": said([m.category.value for m in meanings]),
            "message": said([m.message for m in meanings]),
            "answer": flat(answer),
            "awaits": pc.if_else(pc.equal(outcome, Recovery.HOLD.value), flat(answers["awaits"]), nothing),
        },
        schema=RESULTS,
    )
    silent = sent.filter(pc.invert(pc.is_in(sent["key"], value_set=flat(table["key"]))))
    return pa.concat_tables([table, _same(silent, _BROKEN)])


def _same(changes: pa.Table, meaning: Meaning) -> pa.Table:
    """The same outcome for every row of `changes`."""
    count, nothing = changes.num_rows, pa.nulls(changes.num_rows, pa.string())
    said = [pa.repeat(pa.scalar(v, pa.string()), count) for v in (meaning.outcome, meaning.category, meaning.message)]
    return pa.table([flat(changes["key"]), flat(changes["native"]), *said, nothing, nothing], schema=RESULTS)


def _in_order_of(changes: pa.Table, answered: pa.Table) -> pa.Table:
    return answered.take(pc.index_in(flat(changes["key"]), value_set=flat(answered["key"])))
