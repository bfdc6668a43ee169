"""Writing canonical changes: which records go how, and what each reply means.

Records with a link are written by Id, the others by their external id, which Salesforce keeps unique: it creates one or
finds the one that is there. A record that somebody deleted in Salesforce while its owner still has it is created again.
Roots go first, then their parts (accord.systems.salesforce.send_parts); sending all of it again changes nothing.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from accord.categories import Category
from accord.errors import AccordError, Recovery
from accord.objects.definition import BusinessObject, Field, Owner, Reference
from accord.ports import Sending
from accord.systems.collapsing import flat
from accord.systems.results import Outcome, applied, results
from accord.systems.salesforce.client import Client
from accord.systems.salesforce.delivery import Delivery
from accord.systems.salesforce.describe import Described, demand, describe
from accord.systems.salesforce.failures import GONE, outcome
from accord.systems.salesforce.mapping import Writing
from accord.systems.salesforce.payload import Group, columns_of, constants
from accord.systems.salesforce.read_back import natives_by_identity, natives_by_key
from accord.systems.salesforce.references import awaits, gone_reference, missing
from accord.systems.salesforce.replies import Refusal, Replies
from accord.systems.salesforce.send_parts import Parts
from accord.systems.salesforce.standard_price import ensure_standard

JUST_CREATED = Outcome(
    outcome=Recovery.RETRY, category=Category.LOCKED, message="Another run has just created the record in Salesforce."
)
NOT_OURS = Outcome(
    outcome=Recovery.REJECT,
    category=Category.REFERENCE_UNKNOWN,
    message="Its key names no record of this Salesforce org, and records of this kind are not created.",
)


def send(
    client: Client, name: str, definition: BusinessObject, writing: Writing, changes: pa.Table, sending: Sending
) -> pa.Table:
    """Apply `changes` (collapsed, with `native` filled where it is known) and return one RESULTS row per key.

    Raises Unavailable, BadCredentials, SchemaDrift or InDoubt when nothing was sent.
    """
    described = describe(client, writing.sobject)
    sent = definition.sent_by(Owner.ERP, creating=True)
    columns = [writing.fields[n] for n in sent & writing.fields.keys()]
    if writing.external_id:
        demand(described.lacking("createable", "updateable"), "create and edit")
        demand(described.missing([*columns, writing.external_id], "createable"), "create")
    else:
        demand(described.missing(columns, "updateable"), "edit")
    delivery = Delivery(client, sending)
    parts = [
        Parts(client, name, definition, writing, child, delivery)
        for child in writing.children
        if child.constituent in sent
    ]
    outcomes = _Send(client, definition, writing, described, delivery).run(changes)
    for part in parts:
        natives = [outcomes[key].native for key in changes["key"].to_pylist()]
        there = pa.array([outcomes[key].outcome is Recovery.APPLIED for key in changes["key"].to_pylist()], pa.bool_())
        roots = changes.set_column(changes.column_names.index("native"), "native", pa.array(natives, pa.string()))
        outcomes |= part.write(roots.filter(pc.and_(there, pc.invert(flat(changes["gone"])))))
    return results((key, outcomes[key]) for key in changes["key"].to_pylist())


class _Send:
    """The roots of one sending: the outcomes so far, and how a group of records goes."""

    def __init__(
        self, client: Client, definition: BusinessObject, writing: Writing, described: Described, delivery: Delivery
    ) -> None:
        self._client, self._definition, self._writing = client, definition, writing
        self._delivery = delivery
        # what nobody may change after creation: a detail that may not move to another master, the product of a price
        self._fixed = {
            name
            for name, column in writing.fields.items()
            if writing.external_id and not described.allows(column, "updateable")
        }
        self._size = 0
        self._outcomes: dict[str, Outcome] = {}

    def run(self, changes: pa.Table) -> dict[str, Outcome]:
        """Send what can be sent and say what became of every key."""
        self._size = len(changes)
        changes = self._found(changes)
        # children of one parent side by side: Salesforce locks the parent while it writes them
        owners = [f"{field.name}__native" for field in self._fields() if field.required and _refers(field)]
        changes = changes.sort_by([(name, "ascending") for name in (*owners[:1], "key")])
        gone, new = flat(changes["gone"]), pc.is_null(flat(changes["native"]))
        here = pc.invert(gone)

        self._settle(changes.filter(pc.and_(gone, new)), applied(None))  # never was there
        create = self._with_standard_price(self._ready(changes.filter(pc.and_(here, new))))
        update = self._ready(changes.filter(pc.and_(here, pc.invert(new))))
        leave = changes.filter(pc.and_(gone, pc.invert(new)))
        self._write(create, creating=True)
        lost = self._write(update, creating=False)
        self._settle(self._write(leave, creating=False, gone=True), None)  # deleted in Salesforce: both agree
        self._write(lost, creating=True)
        return self._outcomes

    def _fields(self) -> list[Field]:
        """The root fields that are written, in the order of the definition."""
        sent = self._definition.sent_by(Owner.ERP, creating=True) & self._writing.fields.keys()
        return [field for field in self._definition.fields if field.name in sent]

    def _found(self, changes: pa.Table) -> pa.Table:
        """`changes` with the native id of records that are there though no link says so: those that are gone in the
        source, those the org knows by their identity, and, where something may be written on create only, all."""
        known: dict[str, str] = {}
        unlinked = changes.filter(pc.is_null(flat(changes["native"])))
        if self._writing.identity:
            known |= natives_by_identity(self._client, self._definition, self._writing, unlinked)
        if self._writing.external_id:
            asked = unlinked if self._fixed else unlinked.filter(flat(unlinked["gone"]))
            known |= natives_by_key(self._client, self._writing, asked["key"].to_pylist())
        if not known:
            return changes
        natives = pa.array([known.get(key) for key in changes["key"].to_pylist()], pa.string())
        natives = pc.coalesce(flat(changes["native"]), natives)
        return changes.set_column(changes.column_names.index("native"), "native", natives)

    def _ready(self, changes: pa.Table) -> pa.Table:
        """Those that can go; the others wait for a record they refer to, or have none to be written on."""
        held = missing(self._fields(), changes)
        if not self._writing.external_id:
            held = self._nowhere(changes) | held
        keys = changes["key"].to_pylist()
        self._outcomes |= {keys[at]: outcome_ for at, outcome_ in held.items()}
        return changes.filter(pa.array([at not in held for at in range(len(changes))], pa.bool_()))

    def _nowhere(self, changes: pa.Table) -> dict[int, Outcome]:
        """Row → outcome of those that can only be updated and name no record of the org."""
        by = self._writing.addressed_by
        found: dict[int, Outcome] = {}
        for at in pc.indices_nonzero(pc.is_null(flat(changes["native"]))).to_pylist():
            key = changes[by][at].as_py() if by else None
            found[at] = awaits(self._definition.reference(by), key) if by and key else NOT_OURS
        return found

    def _with_standard_price(self, create: pa.Table) -> pa.Table:
        """Those whose standard price is there now; the others can't be created yet."""
        rule = self._writing.standard_price
        if rule is None:
            return create
        failed = ensure_standard(self._client, self._writing, rule, create, self._delivery)
        self._outcomes |= failed
        return create.filter(pc.invert(pc.is_in(create["key"], value_set=pa.array(list(failed), pa.string()))))

    def _write(self, changes: pa.Table, *, creating: bool, gone: bool = False) -> pa.Table:
        """Send one group. Returns the records that turned out to be deleted in Salesforce and can be created again."""
        if not len(changes):
            return changes
        external = self._writing.external_id
        if gone:
            columns, kept = constants(self._writing.gone, len(changes)), frozenset[str]()
        else:
            names = self._definition.sent_by(Owner.ERP, creating=creating) - (set() if creating else self._fixed)
            fields = [(f, self._writing.fields[f.name]) for f in self._fields() if f.name in names]
            columns, kept = columns_of(fields, changes)
            if external and self._writing.identity and not creating:  # one that is taken over gets its key
                columns = columns.append_column(external, changes["key"])
        if not columns.num_columns and not (creating and external):
            self._settle(changes, None)
            return changes.slice(0, 0)
        group = Group(
            sobject=self._writing.sobject,
            by=external if creating and external else "Id",
            keys=changes["key"].to_pylist(),
            ids=flat(changes["key"] if creating and external else changes["native"]),
            columns=columns,
            kept=kept,
        )
        replies = self._delivery.deliver(group, of=self._size)
        if creating:
            replies |= dict.fromkeys(self._met(changes, replies), JUST_CREATED)
        lost = pa.array(self._judge(changes, replies, creating), pa.string())
        return changes.filter(pc.is_in(changes["key"], value_set=lost))

    def _met(self, changes: pa.Table, replies: Replies) -> list[str]:
        """Keys refused because a record of the same identity came into being between our look and our write: asked, as
        Salesforce has more than one code for it."""
        refused = [key for key, reply in replies.items() if isinstance(reply, Refusal)]
        if not refused or not self._writing.identity:
            return []
        rows = changes.filter(pc.is_in(changes["key"], value_set=pa.array(refused, pa.string())))
        try:
            return list(natives_by_identity(self._client, self._definition, self._writing, rows))
        except AccordError:  # the refusal stands; sending again finds out
            return []

    def _judge(self, changes: pa.Table, replies: Replies, creating: bool) -> list[str]:
        """Store what became of each record; returns the keys of those that are deleted in Salesforce."""
        lost = []
        fields = [(field, self._writing.fields[field.name]) for field in self._fields()]
        names = [field.name for field, _ in fields if _refers(field)]
        rows = zip(changes["key"].to_pylist(), changes["native"].to_pylist(), *_lists(changes, names), strict=True)
        for key, native, *references in rows:
            reply = replies[key]
            if isinstance(reply, Outcome):
                self._outcomes[key] = reply
                continue
            waiting = None
            if creating and reply.code in GONE:
                waiting = gone_reference(fields, _named(reply), references)
            if waiting:
                self._outcomes[key] = waiting
            elif creating and self._raced(reply):
                self._outcomes[key] = JUST_CREATED
            else:
                self._outcomes[key] = outcome(reply.faults, native=native, values=reply.values)
                if not creating and reply.code in GONE and self._writing.external_id:
                    lost.append(key)
        return lost

    def _raced(self, reply: Refusal) -> bool:
        """Whether the record came into being between our look and our write."""
        if reply.code == "DUPLICATE_VALUE":
            external = self._writing.external_id
            return (
                bool(self._writing.identity) or external in _named(reply) or f": {external} " in reply.faults[0].message
            )
        fixed = {self._writing.fields[name] for name in self._fixed}
        return reply.code == "INVALID_FIELD_FOR_INSERT_UPDATE" and bool(fixed) and _named(reply) <= fixed

    def _settle(self, changes: pa.Table, outcome_: Outcome | None) -> None:
        for key, native in zip(changes["key"].to_pylist(), changes["native"].to_pylist(), strict=True):
            self._outcomes[key] = outcome_ or applied(native)


def _refers(field: Field) -> bool:
    return isinstance(field.type, Reference)


def _named(reply: Refusal) -> frozenset[str]:
    """The fields Salesforce named in its refusal."""
    return frozenset(field for fault in reply.faults for field in fault.fields)


def _lists(table: pa.Table, names: list[str]) -> list[list[str | None]]:
    return [table[name].to_pylist() for name in names]
