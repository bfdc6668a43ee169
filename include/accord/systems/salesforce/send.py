"""Writing canonical changes: which records go how, and what each reply means.

Records with a link are written by Id, the others by their external id, which Salesforce keeps unique: it creates one or
finds the one that is there. A record that somebody deleted in Salesforce while its owner still has it is created again.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from accord.categories import Category
from accord.errors import Recovery
from accord.objects.definition import BusinessObject, Owner
from accord.ports import Sending
from accord.systems.collapsing import flat
from accord.systems.results import Outcome, applied, awaits_parent, results
from accord.systems.salesforce.bulk_ingest import Ingest
from accord.systems.salesforce.client import Client
from accord.systems.salesforce.collections import write_collections
from accord.systems.salesforce.describe import Described, demand, describe
from accord.systems.salesforce.failures import GONE, outcome
from accord.systems.salesforce.mapping import Writing
from accord.systems.salesforce.payload import Group, columns_of, gone_columns, unspeakable
from accord.systems.salesforce.read_back import natives_by_key
from accord.systems.salesforce.replies import Refusal, Replies

_JUST_CREATED = Outcome(
    outcome=Recovery.RETRY, category=Category.LOCKED, message="Another run has just created the record in Salesforce."
)


def send(client: Client, definition: BusinessObject, writing: Writing, changes: pa.Table, sending: Sending) -> pa.Table:
    """Apply `changes` (collapsed, with `native` filled where it is known) and return one RESULTS row per key.

    Raises Unavailable, BadCredentials, SchemaDrift or InDoubt when nothing was sent.
    """
    described = describe(client, writing.sobject)
    names = definition.sent_by(Owner.ERP, creating=True) & writing.fields.keys()
    parent = writing.fields[definition.parent] if definition.parent and definition.parent in names else None
    fields = [writing.fields[n] for n in names]
    if writing.external_id:
        demand(described.missing([*fields, writing.external_id], "createable"), "create")
    demand(described.missing([field for field in fields if field != parent], "updateable"), "edit")
    return _Send(client, definition, writing, described, sending, parent).run(changes)


class _Send:
    """One sending: the replies so far, and how a group of records goes."""

    def __init__(
        self,
        client: Client,
        definition: BusinessObject,
        writing: Writing,
        described: Described,
        sending: Sending,
        parent: str | None,
    ) -> None:
        self._client, self._definition, self._writing = client, definition, writing
        self._parent = parent
        self._moves = parent is None or described.allows(parent, "updateable")
        self._ingest = Ingest(client, sending)
        self._sending = sending
        self._bulk = False
        self._outcomes: dict[str, Outcome] = {}
        self._sent = False

    def run(self, changes: pa.Table) -> pa.Table:
        """Send what can be sent and say what became of every key."""
        keys = changes["key"].to_pylist()
        self._bulk = len(keys) > self._client.options.bulk_threshold
        changes = self._found(changes)
        # children of one parent side by side: Salesforce locks the parent while it writes them
        if self._parent:
            changes = changes.sort_by([(f"{self._definition.parent}__native", "ascending"), ("key", "ascending")])
        gone, new = flat(changes["gone"]), pc.is_null(flat(changes["native"]))
        here = pc.invert(gone)

        self._settle(changes.filter(pc.and_(gone, new)), applied(None))  # never was there
        create = self._with_parent(changes.filter(pc.and_(here, new)))
        update = changes.filter(pc.and_(here, pc.invert(new)))
        leave = changes.filter(pc.and_(gone, pc.invert(new)))
        self._write(create, creating=True)
        lost = self._write(update, creating=False)
        self._settle_lost(self._write(leave, creating=False, gone=True))
        if len(lost):
            self._write(self._with_parent(lost), creating=True)
        return results((key, self._outcomes[key]) for key in keys)

    def _found(self, changes: pa.Table) -> pa.Table:
        """`changes` with the native id of records that are there though no link says so: those that are gone in the
        source, and, where a child can't change its parent, all (a parent may then be written on create only)."""
        if not self._writing.external_id:
            return changes
        native = flat(changes["native"])
        asked = pc.is_null(native) if not self._moves else pc.and_(pc.is_null(native), flat(changes["gone"]))
        keys = flat(changes["key"]).filter(asked).to_pylist()
        found = natives_by_key(self._client, self._writing, keys) if keys else {}
        if not found:
            return changes
        known = pa.array([found.get(key) for key in changes["key"].to_pylist()], pa.string())
        return changes.set_column(changes.column_names.index("native"), "native", pc.coalesce(native, known))

    def _with_parent(self, create: pa.Table) -> pa.Table:
        """Those whose parent is there; the others wait for it."""
        name = self._definition.parent
        if not self._parent or not name:
            return create
        orphans = pc.is_null(flat(create[f"{name}__native"]))
        for row in create.filter(orphans).select(["key", name]).to_pylist():
            self._outcomes[row["key"]] = awaits_parent(row[name])
        return create.filter(pc.invert(orphans))

    def _write(self, changes: pa.Table, *, creating: bool, gone: bool = False) -> pa.Table:
        """Send one group. Returns the records that turned out to be deleted in Salesforce and can be created again."""
        if not len(changes):
            return changes
        if gone:
            columns, kept = gone_columns(self._writing, len(changes)), frozenset[str]()
        else:
            names = self._definition.sent_by(Owner.ERP, creating=creating) & self._writing.fields.keys()
            if not creating and not self._moves:
                names -= {self._definition.parent or ""}
            columns, kept = columns_of(self._definition, self._writing, changes, names)
        if not columns.num_columns:
            self._settle(changes, None)
            return changes.slice(0, 0)
        group = Group(
            sobject=self._writing.sobject,
            by=(self._writing.external_id or "Id") if creating else "Id",
            keys=changes["key"].to_pylist(),
            ids=flat(changes["key"] if creating and self._writing.external_id else changes["native"]),
            columns=columns,
            kept=kept,
        )
        replies = self._deliver(group)
        lost = pa.array(self._judge(changes, replies, creating), pa.string())
        return changes.filter(pc.is_in(changes["key"], value_set=lost))

    def _deliver(self, group: Group) -> Replies:
        """Many records go as one bulk job, few as calls; so do the records a bulk job can't express."""
        replies: Replies = {}
        if self._bulk:
            odd = unspeakable(group)
            bulk, group = group.where(pc.invert(odd)), group.where(odd)
            if len(bulk):
                replies |= self._ingest.write(bulk, earlier=self._sent)
                self._sent = True
        if len(group):
            replies |= write_collections(self._client, group, self._sending, earlier=self._sent)
            self._sent = True
        return replies

    def _judge(self, changes: pa.Table, replies: Replies, creating: bool) -> list[str]:
        """Store what became of each record; returns the keys of those that are deleted in Salesforce."""
        lost = []
        parents = changes[self._definition.parent].to_pylist() if self._parent else [None] * len(changes)
        rows = zip(changes["key"].to_pylist(), changes["native"].to_pylist(), parents, strict=True)
        for key, native, parent in rows:
            reply = replies[key]
            if isinstance(reply, Outcome):
                self._outcomes[key] = reply
            elif creating and reply.code in GONE and parent:
                self._outcomes[key] = awaits_parent(parent)
            elif creating and self._raced(reply):
                self._outcomes[key] = _JUST_CREATED
            else:
                self._outcomes[key] = outcome(reply.faults, native=native, values=reply.values)
                if not creating and reply.code in GONE and self._writing.external_id:
                    lost.append(key)
        return lost

    def _raced(self, reply: Refusal) -> bool:
        """Whether the record came into being between our look and our write."""
        fields = {field for fault in reply.faults for field in fault.fields}
        if reply.code == "DUPLICATE_VALUE":
            return self._writing.external_id in fields or f": {self._writing.external_id} " in reply.faults[0].message
        return reply.code == "INVALID_FIELD_FOR_INSERT_UPDATE" and not self._moves and fields == {self._parent}

    def _settle(self, changes: pa.Table, outcome_: Outcome | None) -> None:
        for key, native in zip(changes["key"].to_pylist(), changes["native"].to_pylist(), strict=True):
            self._outcomes[key] = outcome_ or applied(native)

    def _settle_lost(self, lost: pa.Table) -> None:
        """Gone in the source and deleted in Salesforce: both agree."""
        self._settle(lost, None)
