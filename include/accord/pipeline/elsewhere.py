"""Where what is told of a record is kept in its origin: on the record itself, or on the one that carries it on."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from accord.flows import origins
from accord.hub.connection import Session
from accord.hub.identities import natives
from accord.objects import business_object
from accord.objects.definition import BusinessObject
from accord.systems.collapsing import flat
from accord.systems.nesting import with_part_column


def kept_elsewhere(session: Session, definition: BusinessObject, target: str, changes: pa.Table) -> pa.Table:
    """`changes` into the origin of what they are about, with `native` and the parts' ids of the records that carry it on."""
    about = business_object(definition.about) if definition.about else None
    if about is None or about.carried is None or target not in origins(about.name):
        return changes
    keys = changes["key"].to_pylist()
    found = natives(session, about.name, keys)
    if not found:
        return changes
    own = flat(changes["native"])
    kept = pa.array([found[key].partition(":")[2] if key in found else None for key in keys], pa.string())
    changes = changes.set_column(changes.column_names.index("native"), "native", pc.coalesce(kept, own))
    parts = about.carried.parts
    if any(one.name == parts for one in definition.constituents):
        key_field = definition.constituent(parts).key
        lists = flat(changes[parts])
        ids = pc.struct_field(pc.list_flatten(lists), key_field).to_pylist()
        named = natives(session, f"{about.name}.{parts}", ids)
        renamed = pa.array([named.get(one, one) for one in ids], pa.string())
        changes = changes.set_column(
            changes.column_names.index(parts), parts, with_part_column(lists, key_field, renamed)
        )
    return changes
