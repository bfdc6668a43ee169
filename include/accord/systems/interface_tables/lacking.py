"""Which canonical fields and constituents the interface tables no longer have a column for, by the database's catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from accord.objects.definition import BusinessObject, ChoiceSet, Day, Field, Instant, Money, Number, Whole
from accord.systems.interface_tables.contract import Outbox
from accord.systems.interface_tables.session import Session

_NUMBERS = ("numeric", "integer", "bigint", "smallint", "double precision", "real")
# how the catalogue's names of the types begin that can be read as a kind; any other kind can be read from anything
_KINDS: tuple[tuple[type, tuple[str, ...]], ...] = (
    (Day, ("date", "timestamp")),
    (Instant, ("timestamp with time zone",)),
    (ChoiceSet, ("ARRAY",)),
    (Money, _NUMBERS),
    (Number, _NUMBERS),
    (Whole, _NUMBERS),
)

_COLUMNS = """
SELECT a.attname, CASE WHEN t.typcategory = 'A' THEN 'ARRAY' ELSE format_type(t.oid, NULL) END
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped
  AND has_column_privilege(a.attrelid, a.attnum, 'SELECT')
"""


def lacking(session: Session, outbox: Outbox, definition: BusinessObject) -> dict[str, str]:
    """Root field or constituent → relation.column that is missing, of another type or not permitted; {} when what names a record
    or says when it changed is."""
    found: dict[str, str] = {}
    with session.transaction() as cursor:
        known = {
            relation: dict(cursor.execute(_COLUMNS, [relation]).fetchall())
            for relation in (outbox.relation, outbox.changes, *(part.relation for part in outbox.parts.values()))
        }
    if any({*outbox.key, "changed_at"} - known[relation].keys() for relation in (outbox.relation, outbox.changes)):
        return {}
    root = [(definition.field(name), column) for name, column in outbox.fields.items()]
    for field, place in _wrong(root, outbox.relation, known[outbox.relation]):
        found[field.name] = place
    for name, part in outbox.parts.items():
        fields = {f.name: f for f in definition.constituent(name).fields}
        columns = [(fields[field], column) for field, column in part.fields.items()]
        if set(outbox.key) - known[part.relation].keys():
            found[name] = part.relation
        for _, place in _wrong(columns, part.relation, known[part.relation]):
            found[name] = place
    return found


def _wrong(columns: Iterable[tuple[Field, str]], relation: str, known: dict[str, str]) -> Iterator[tuple[Field, str]]:
    for field, column in columns:
        wanted = next((types for kind, types in _KINDS if isinstance(field.type, kind)), None)
        if column not in known or (wanted and not known[column].startswith(wanted)):
            yield field, f"{relation}.{column}"
