"""Records on their way in: from JSON objects or CSV rows to checked field values."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sandbox.salesforce.errors import ApiError, FieldProblem, RowError
from sandbox.salesforce.records import values
from sandbox.salesforce.schema.model import Field, FieldType, Object, Schema
from sandbox.salesforce.schema.permissions import Actor

_AUDIT = frozenset({"createddate", "createdbyid", "lastmodifieddate", "lastmodifiedbyid"})


class Operation(StrEnum):
    """What is done with a record, by Bulk's names."""

    INSERT = "insert"
    UPDATE = "update"
    UPSERT = "upsert"
    DELETE = "delete"
    HARD_DELETE = "hardDelete"


@dataclass(slots=True)
class Draft:
    """One record being saved: its id once known, its new values, what is wrong with it."""

    id: str | None = None
    values: dict[str, Any] = field(default_factory=dict)
    parents: tuple[tuple["Column", Any], ...] = ()
    errors: list[RowError] = field(default_factory=list)
    created: bool = False
    matches: Sequence[str] = ()

    def refuse(self, code: str, message: str, *fields: str) -> None:
        """Note why the record can't be saved."""
        self.errors.append(RowError(code, message, fields))


@dataclass(slots=True, kw_only=True)
class Column:
    """What one key of a JSON record or one CSV column stands for."""

    field: Field
    convert: values.Converter
    parent: Object | None = None
    parent_field: Field | None = None


def no_such_column(obj: Object, name: str) -> ApiError:
    """The field does not exist or the user may not see it."""
    return ApiError(400, "INVALID_FIELD", f"No such column '{name}' on sobject of type {obj.name}", ())


class Reader:
    """Turns what a client sent for one object into drafts."""

    def __init__(
        self, schema: Schema, actor: Actor, obj: Object, operation: Operation, external: Field | None = None
    ) -> None:
        self.schema, self.actor, self.obj = schema, actor, obj
        self.operation, self.external = operation, external
        self._columns: dict[tuple[str, bool], Column] = {}

    def column(self, name: str, *, nested: bool) -> Column:
        """Return what a key means; `nested` for a parent given by its external id.

        Raises:
            ApiError: INVALID_FIELD, as Salesforce refuses the whole request.
        """
        found = self._columns.get((name, nested))
        if found is None:
            found = self._columns[name, nested] = self._parent(name) if nested else self._own(name)
        return found

    def _own(self, name: str) -> Column:
        item = self.actor.field(self.obj, name)
        if item is None or item.type is FieldType.ADDRESS:
            raise no_such_column(self.obj, name)
        return Column(field=item, convert=values.converter(item))

    def _parent(self, name: str) -> Column:
        relation, _, key = name.rpartition(".")
        kind, _, relation = relation.rpartition(":")
        for item in self.obj.fields.values():
            if item.relationship and item.relationship.lower() == relation.lower():
                if kind and kind.lower() not in (name.lower() for name in item.reference_to):
                    break
                if item.polymorphic and not kind:
                    message = (
                        f"{relation} may be of several objects: name one, as in {item.reference_to[0]}:{relation}.Key"
                    )
                    raise ApiError(400, "INVALID_FIELD", message, ())
                target = self.schema.object(kind or item.reference_to[0])
                if target is None or not self.actor.permissions.reads(self.obj, item):
                    break
                looked_up = self.actor.field(target, key)
                if looked_up is None or not looked_up.id_lookup:
                    raise ApiError(400, "INVALID_FIELD", f"{key} is not an External ID field of {target.name}", ())
                return Column(field=item, convert=values.converter(looked_up), parent=target, parent_field=looked_up)
        raise no_such_column(self.obj, relation)

    def _writable(self, item: Field) -> bool:
        if item.type is FieldType.ID:
            return True
        permissions = self.actor.permissions
        if permissions.admin and self.operation is Operation.INSERT and item.name.lower() in _AUDIT:
            return True
        if item is self.external:
            return True
        may = item.createable if self.operation is Operation.INSERT else item.updateable
        if self.operation is Operation.UPSERT:
            may = item.createable or item.updateable
        return may and permissions.edits(self.obj, item)

    def from_json(self, records: Iterable[Mapping[str, Any]]) -> list[Draft]:
        """Return a draft for each JSON record: a missing key leaves the field alone, null clears it."""
        drafts = []
        for record in records:
            if not isinstance(record, Mapping):
                raise ApiError(400, "JSON_PARSER_ERROR", "The HTTP entity body is required, but this is not a record")
            draft = Draft()
            locked = []
            for key, value in record.items():
                if key.lower() == "attributes":
                    continue
                if isinstance(value, Mapping):
                    inner = [name for name in value if name.lower() not in ("attributes", "type")]
                    if len(inner) != 1:
                        raise ApiError(
                            400, "INVALID_FIELD", f"{key}: give exactly one external id field of the parent", ()
                        )
                    column = self.column(f"{key}.{inner[0]}", nested=True)
                    value = value[inner[0]]
                else:
                    column = self.column(key, nested=False)
                if not self._writable(column.field):
                    locked.append(column.field.name)
                    continue
                try:
                    self._set(draft, column, value)
                except values.Unreadable:
                    raise values.unreadable_json(column.field, value) from None
                except FieldProblem as problem:
                    draft.errors.append(problem.error)
            self._refuse_locked(draft, locked)
            drafts.append(draft)
        return drafts

    def columns(self, header: Sequence[str]) -> list[Column]:
        """Return what the columns of a CSV file mean.

        Raises:
            ApiError: A column is unknown or comes twice.
        """
        if len({name.lower() for name in header}) < len(header):
            raise ApiError(400, "INVALID_FIELD", "InvalidBatch : Duplicate field name in the header")
        try:
            return [self.column(name, nested="." in name) for name in header]
        except ApiError as error:
            name = error.message.split("'")[1] if "'" in error.message else error.message
            raise ApiError(400, "INVALID_FIELD", f"InvalidBatch : Field name not found : {name}") from None

    def from_csv(self, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[Draft]:
        """Return a draft for each CSV row: an empty cell leaves the field alone, ``#N/A`` clears it."""
        drafts = [Draft() for _ in rows]
        locked = [column.field.name for column in columns if not self._writable(column.field)]
        for at, column in enumerate(columns):
            if column.field.name in locked:
                continue
            simple = column.parent is None and column.field.type is not FieldType.ID
            name, convert, plain = column.field.name, column.convert, column.field.type is not FieldType.BOOLEAN
            for draft, row in zip(drafts, rows, strict=True):
                if at >= len(row) or not (cell := row[at]):
                    continue
                try:
                    if simple and (plain or cell != "#N/A"):
                        draft.values[name] = None if cell == "#N/A" else convert(cell)
                    else:
                        self._set(draft, column, None if cell == "#N/A" else cell)
                except values.Unreadable:
                    draft.errors.append(values.unreadable_csv(column.field, at, cell).error)
                except FieldProblem as problem:
                    draft.errors.append(problem.error)
        for draft in drafts if locked else ():
            self._refuse_locked(draft, locked)
        return drafts

    def _set(self, draft: Draft, column: Column, value: Any) -> None:
        item = column.field
        if value is None and item.type is FieldType.BOOLEAN:
            raise FieldProblem(
                "INVALID_TYPE_ON_FIELD_IN_RECORD", f"{item.label}: value not of required type: null", item.name
            )
        stored = None if value is None else column.convert(value)
        if column.parent is not None:
            if stored is None:
                draft.values[item.name] = None
            else:
                draft.parents += ((column, stored),)
        elif item.type is FieldType.ID:
            draft.id = stored
        else:
            draft.values[item.name] = stored

    def _refuse_locked(self, draft: Draft, names: Sequence[str]) -> None:
        if names:
            draft.refuse(
                "INVALID_FIELD_FOR_INSERT_UPDATE",
                f"Unable to create/update fields: {', '.join(names)}. Please check the security settings of this field "
                "and verify that it is read/write for your profile or permission set.",
                *names,
            )
