"""Writing the parts of roots that are in Salesforce now, as a full set.

Per root and constituent: what is there is asked by the owning field; parts that are there go by Id, new ones by their
external id, and only when all of a root's parts are well what is no longer wanted is deleted. A crash between any two
requests leaves a state from which sending again comes to the same end.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc

from accord.categories import Category
from accord.errors import AccordError, Recovery, Stop
from accord.objects.definition import BusinessObject, Reference
from accord.systems.collapsing import flat
from accord.systems.nesting import unnested
from accord.systems.results import Outcome
from accord.systems.salesforce.client import Client
from accord.systems.salesforce.collapsing import says_something
from accord.systems.salesforce.delivery import Delivery
from accord.systems.salesforce.describe import demand, describe
from accord.systems.salesforce.failures import GONE, outcome
from accord.systems.salesforce.ids import long_id
from accord.systems.salesforce.mapping import ChildWriting, Writing, staged_type
from accord.systems.salesforce.payload import Group, columns_of, constants
from accord.systems.salesforce.read_back import own_columns, parts_of_roots
from accord.systems.salesforce.references import gone_reference, missing
from accord.systems.salesforce.replies import UNSENT, Refusal, Replies

_ROOT, _OWNER, _IDENTITY, _NATIVE = "_root", "_owner", "_identity", "_native"  # no field is called so
# a root is as well as the worst of its parts; what may still take effect comes before what is certain
_WORST = (Recovery.UNKNOWN, Recovery.REJECT, Recovery.HOLD, Recovery.RETRY)
_TWICE = Outcome(
    outcome=Recovery.REJECT, category=Category.DUPLICATE_KEY, message="Two of them have the same key, or one has none."
)
_ELSEWHERE = Outcome(
    outcome=Recovery.REJECT,
    category=Category.REFERENCE_UNKNOWN,
    message="One of them is not, or no longer, a part of the record in Salesforce.",
)
_MOVING = Outcome(
    outcome=Recovery.RETRY, category=Category.LOCKED, message="Somebody changed the record in Salesforce meanwhile."
)


@dataclass(slots=True, kw_only=True)
class _There:
    """What Salesforce has: (owner, identity) → Id, and the identities of each owner that hold anything of ours."""

    ids: dict[tuple[str, str], str] = field(default_factory=dict)
    of: dict[str, list[str]] = field(default_factory=dict)


class Parts:
    """The parts of one constituent in one sending. Raises SchemaDrift at once when they can't be written."""

    def __init__(
        self,
        client: Client,
        name: str,
        definition: BusinessObject,
        writing: Writing,
        child: ChildWriting,
        delivery: Delivery,
    ) -> None:
        self._client, self._name, self._definition, self._writing = client, name, definition, writing
        self._child, self._delivery = child, delivery
        self._constituent = definition.constituent(child.constituent)
        self._fields = [(f, child.fields[f.name]) for f in self._constituent.fields if f.name in child.fields]
        self._inherited = [(definition.field(name), column) for name, column in child.inherited.items()]
        described = describe(client, child.sobject)
        columns = [column for _, column in self._fields]
        if child.external_id:
            every = [*columns, child.external_id, child.parent, *child.inherited.values()]
            demand(described.lacking("createable", "updateable", "deletable"), "create, edit and delete")
            demand(described.missing(every, "createable"), "create")
        else:
            demand(described.missing(columns, "updateable"), "edit")
        self._fixed = {
            column
            for column in (*columns, *child.inherited.values())
            if child.external_id and not described.allows(column, "updateable")
        }
        self._worst: dict[str, Outcome] = {}

    def write(self, roots: pa.Table) -> dict[str, Outcome]:
        """Write the parts of `roots`, which are in Salesforce by `native`; returns root → outcome where it is not well."""
        self._worst = {}
        if not len(roots):
            return {}
        try:
            there = self._there(roots)
        except AccordError:
            if not self._delivery.begun:
                raise
            return {key: replace(UNSENT, native=native) for key, native in _pairs(roots)}
        parts = self._parts(roots, there)
        size = len(parts)
        new = pc.is_null(flat(parts[_NATIVE]))
        self._judge(parts, self._update(parts.filter(pc.invert(new)), size))
        self._judge(parts, self._create(parts.filter(new), size))
        self._clear(roots, parts, there)
        natives = dict(_pairs(roots))
        return {key: self._told(bad, natives[key]) for key, bad in self._worst.items()}

    # ------------------------------------------------------------------------------------------------- what is there
    def _there(self, roots: pa.Table) -> _There:
        child, there = self._child, _There()
        owners = roots["key"] if child.by_key else roots["native"]
        columns = own_columns(child) | ({} if child.external_id else self._kinds())
        for table in parts_of_roots(self._client, child, columns, owners.to_pylist()):
            if child.external_id is None:
                told = says_something(self._constituent, child, table.rename_columns(self._names(table)))
                identities = table["Id"].to_pylist()
            else:
                told = pc.is_valid(flat(table[child.external_id]))  # a part without our key is somebody's own
                identities = table[child.external_id].to_pylist()
            rows = zip(
                table[child.parent].to_pylist(), identities, table["Id"].to_pylist(), told.to_pylist(), strict=True
            )
            for owner, identity, id_, ours in rows:
                if identity:
                    there.ids[owner, identity] = id_
                if ours:
                    there.of.setdefault(owner, []).append(identity)
        return there

    def _kinds(self) -> dict[str, pa.DataType]:
        return {column: staged_type(f.type) for f, column in self._fields}

    def _names(self, table: pa.Table) -> list[str]:
        names = {column: f.name for f, column in self._fields}
        return [names.get(column, column) for column in table.column_names]

    # ----------------------------------------------------------------------------------------------- what is wanted
    def _parts(self, roots: pa.Table, there: _There) -> pa.Table:
        """The parts that can be sent, sorted by root, each with its owner, identity and, where it is there, Id."""
        child, key = self._child, self._constituent.key
        owners = flat(roots["key"] if child.by_key else roots["native"])
        lifted = pa.table({_ROOT: flat(roots["key"]), child.constituent: flat(roots[child.constituent])})
        parts = unnested(lifted, child.constituent, root=_ROOT)
        at = pc.index_in(flat(parts[_ROOT]), value_set=flat(roots["key"]))
        parts = parts.append_column(_OWNER, owners.take(at))
        for field_, _ in self._inherited:
            column = f"{field_.name}__native" if isinstance(field_.type, Reference) else field_.name
            if column not in parts.column_names:
                parts = parts.append_column(column, flat(roots[column]).take(at))
        if child.external_id:
            identities = pc.binary_join_element_wise(flat(parts[_ROOT]), flat(parts[key]), "#")
        else:
            identities = pa.array([self._own_id(text) for text in parts[key].to_pylist()], pa.string())
        pairs = list(zip(parts[_OWNER].to_pylist(), identities.to_pylist(), strict=True))
        natives = pa.array([there.ids.get(pair) for pair in pairs], pa.string())
        parts = parts.append_column(_IDENTITY, identities).append_column(_NATIVE, natives)
        self._refuse(parts, pairs)
        parts = parts.sort_by([(_ROOT, "ascending"), (_IDENTITY, "ascending")])
        return parts.filter(pc.invert(pc.is_in(parts[_ROOT], value_set=pa.array(list(self._worst), pa.string()))))

    def _refuse(self, parts: pa.Table, pairs: list[tuple[str, str | None]]) -> None:
        """Note the roots of which nothing more is to be sent."""
        roots = parts[_ROOT].to_pylist()
        waiting = missing((f for f, _ in self._fields), parts)
        seen: set[tuple[str, str | None]] = set()
        for at, (root, pair) in enumerate(zip(roots, pairs, strict=True)):
            if pair in seen or (pair[1] is None and self._child.external_id):
                self._note(root, _TWICE)
            elif self._child.external_id is None and parts[_NATIVE][at].as_py() is None:
                self._note(root, _ELSEWHERE)
            elif at in waiting:
                self._note(root, waiting[at])
            seen.add(pair)

    def _own_id(self, key: str | None) -> str | None:
        origin, _, native = (key or "").partition(":")
        try:
            return long_id(native) if origin == self._name else None
        except Stop:
            return None

    # --------------------------------------------------------------------------------------------------------- writing
    def _update(self, parts: pa.Table, size: int) -> Replies:
        pairs = [(f, c) for f, c in (*self._fields, *self._inherited) if c not in self._fixed]
        columns, kept = columns_of(pairs, parts)
        return self._deliver(parts, "Id", parts[_NATIVE], columns, kept, size) if columns.num_columns else {}

    def _create(self, parts: pa.Table, size: int) -> Replies:
        columns, kept = columns_of((*self._fields, *self._inherited), parts)
        columns = columns.append_column(self._child.parent, parts[_OWNER])
        return self._deliver(parts, str(self._child.external_id), parts[_IDENTITY], columns, kept, size)

    def _deliver(
        self, parts: pa.Table, by: str, ids: pa.ChunkedArray, columns: pa.Table, kept: frozenset[str], size: int
    ) -> Replies:
        if not len(parts):
            return {}
        keys = parts[_IDENTITY].to_pylist()
        group = Group(sobject=self._child.sobject, by=by, keys=keys, ids=flat(ids), columns=columns, kept=kept)
        return self._delivery.deliver(group, of=size)

    def _clear(self, roots: pa.Table, parts: pa.Table, there: _There) -> None:
        """Delete what is no longer wanted of roots that are well so far; empty what is a record of its own."""
        wanted = set(zip(parts[_OWNER].to_pylist(), parts[_IDENTITY].to_pylist(), strict=True))
        owners = roots["key"] if self._child.by_key else roots["native"]
        old = [
            (key, there.ids[owner, identity])
            for key, owner in zip(roots["key"].to_pylist(), owners.to_pylist(), strict=True)
            if key not in self._worst
            for identity in there.of.get(owner, ())
            if (owner, identity) not in wanted
        ]
        if not old:
            return
        ids = [id_ for _, id_ in old]
        group = Group(
            sobject=self._child.sobject, by="Id", keys=ids, ids=pa.array(ids), columns=pa.table({}), deletes=True
        )
        if self._child.external_id is None:
            nothing = {c: False if pa.types.is_boolean(kind) else None for c, kind in self._kinds().items()}
            group = replace(group, columns=constants(nothing, len(ids)), deletes=False)
        replies = self._delivery.deliver(group, of=len(ids))
        for key, id_ in old:
            reply = replies[id_]
            if isinstance(reply, Refusal):
                if reply.code in GONE:  # somebody deleted it meanwhile
                    continue
                reply = outcome(reply.faults, values=reply.values)
            self._note(key, reply)

    # -------------------------------------------------------------------------------------------------------- judging
    def _judge(self, parts: pa.Table, replies: Replies) -> None:
        names = [f.name for f, _ in self._fields if isinstance(f.type, Reference)]
        columns = [parts[name].to_pylist() for name in (_ROOT, _IDENTITY, _NATIVE, *names)]
        for root, identity, native, *references in zip(*columns, strict=True):
            reply = replies.get(identity)
            if reply is not None:
                self._note(root, self._meaning(reply, native, references) if isinstance(reply, Refusal) else reply)

    def _meaning(self, reply: Refusal, native: str | None, references: Iterable[str | None]) -> Outcome:
        named = frozenset(name for fault in reply.faults for name in fault.fields)
        if reply.code in GONE:
            waiting = None
            if named & {column for _, column in self._fields}:
                waiting = gone_reference(self._fields, named, references)
            return waiting or _MOVING
        if native is None and self._raced(reply, named):
            return _MOVING
        return outcome(reply.faults, values=reply.values)

    def _raced(self, reply: Refusal, named: frozenset[str]) -> bool:
        """Whether a new part came into being between our look and our write."""
        external = self._child.external_id
        if reply.code == "DUPLICATE_VALUE":
            return external in named or f": {external} " in reply.faults[0].message
        fixed = self._fixed | {self._child.parent}
        return reply.code == "INVALID_FIELD_FOR_INSERT_UPDATE" and bool(named) and named <= fixed

    def _note(self, root: str, found: Outcome) -> None:
        """Keep the worst of what is known of a root."""
        if found.outcome is Recovery.APPLIED:
            return
        known = self._worst.get(root)
        if known is None or _WORST.index(found.outcome) < _WORST.index(known.outcome):
            self._worst[root] = found

    def _told(self, found: Outcome, native: str | None) -> Outcome:
        kind = self._constituent.name
        answer = f"{kind}: {found.answer}" if found.answer else None
        return replace(found, native=native, message=f"{kind}: {found.message}", answer=answer)


def _pairs(roots: pa.Table) -> Iterable[tuple[str, str | None]]:
    return zip(roots["key"].to_pylist(), roots["native"].to_pylist(), strict=True)
