"""sObject tree: records with their children, nested, created in one request, all or none.

Source: REST API Developer Guide, "sObject Tree": 200 records, five levels, five kinds of objects; every record has a
referenceId of its own; the errors name it.
"""

from dataclasses import dataclass, field
from typing import Any

from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.fronts.messages import Answer, Call
from sandbox.salesforce.org import Org
from sandbox.salesforce.records.drafts import Draft, Operation, Reader
from sandbox.salesforce.schema.model import Object
from sandbox.salesforce.schema.permissions import Actor

LARGEST, DEEPEST, MOST_KINDS = 200, 5, 5


@dataclass(slots=True, kw_only=True)
class Node:
    """One record of the tree: its values without its children, and the node and field it hangs from."""

    object: Object
    name: str
    values: dict[str, Any]
    depth: int
    above: "Node | None" = None
    via: str = ""
    draft: Draft = field(default_factory=Draft)


class _RollBack(Exception):
    pass


def create(org: Org, call: Call, actor: Actor, name: str) -> Answer:
    """Answer ``POST /composite/tree/<object>``: 201 with the ids, or 400 with the errors and nothing created."""
    root = org.object(actor, name)
    nodes: list[Node] = []
    records = call.record().get("records")
    if not isinstance(records, list) or not records:
        raise ApiError(400, "INVALID_INPUT", "records must be a list of at least one record")
    for record in records:
        _collect(org, actor, root, record, nodes, 1)
    if len({node.name for node in nodes}) < len(nodes):
        raise ApiError(400, "INVALID_INPUT", "Duplicate ReferenceId provided in the request")
    if len({node.object.name for node in nodes}) > MOST_KINDS:
        raise ApiError(400, "INVALID_INPUT", f"The tree may hold at most {MOST_KINDS} kinds of objects")
    try:
        with org.store.write():
            _save(org, call, actor, nodes)
    except _RollBack:
        bad = [node for node in nodes if node.draft.errors]
        results = [{"referenceId": n.name, "errors": [e.as_save_result() for e in n.draft.errors]} for n in bad]
        return Answer(400, {"hasErrors": True, "results": results})
    return Answer(201, {"hasErrors": False, "results": [{"referenceId": n.name, "id": n.draft.id} for n in nodes]})


def _collect(
    org: Org,
    actor: Actor,
    obj: Object,
    record: Any,
    nodes: list[Node],
    depth: int,
    above: Node | None = None,
    via: str = "",
) -> None:
    attributes = record.get("attributes") if isinstance(record, dict) else None
    if not isinstance(attributes, dict) or not isinstance(attributes.get("referenceId"), str):
        raise ApiError(400, "INVALID_INPUT", "Include a referenceId for every record, in its attributes")
    if str(attributes.get("type", "")).lower() != obj.name.lower():
        raise ApiError(400, "INVALID_INPUT", f"attributes.type must be {obj.name} here")
    if depth > DEEPEST:
        raise ApiError(400, "INVALID_INPUT", f"The tree may have at most {DEEPEST} levels")
    if len(nodes) >= LARGEST:
        raise ApiError(400, "INVALID_INPUT", f"The tree may hold at most {LARGEST} records")
    nested = {k: v["records"] for k, v in record.items() if isinstance(v, dict) and isinstance(v.get("records"), list)}
    node = Node(
        object=obj,
        name=attributes["referenceId"],
        values={key: value for key, value in record.items() if key not in nested},
        depth=depth,
        above=above,
        via=via,
    )
    nodes.append(node)
    for name, children in nested.items():
        found = next(
            (
                c
                for c in org.schema.children(obj)
                if (c.field.child_relationship or "").lower() == name.lower()
                and actor.permissions.allows(c.object, "read")
            ),
            None,
        )
        if found is None:
            raise ApiError(400, "INVALID_FIELD", f"No such relationship '{name}' on sobject of type {obj.name}", ())
        for child in children:
            _collect(org, actor, found.object, child, nodes, depth + 1, node, found.field.name)


def _save(org: Org, call: Call, actor: Actor, nodes: list[Node]) -> None:
    for depth in range(1, DEEPEST + 1):
        for obj in {node.object.name: node.object for node in nodes if node.depth == depth}.values():
            level = [node for node in nodes if node.depth == depth and node.object is obj]
            values = [{**n.values, n.via: n.above.draft.id} if n.above else n.values for n in level]
            drafts = Reader(org.schema, actor, obj, Operation.INSERT).from_json(values)
            for node, draft in zip(level, drafts, strict=True):
                node.draft = draft
            org.save(
                actor,
                obj,
                Operation.INSERT,
                drafts,
                place=call.place,
                spoil=org.row_rule(*call.place),
                duplicates=call.duplicates,
            )
        if any(node.draft.errors for node in nodes):
            raise _RollBack
