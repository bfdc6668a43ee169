"""Objects and fields, as the rest of the org sees them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class FieldType(StrEnum):
    """Field types by the names describe gives them."""

    ID = "id"
    STRING = "string"
    TEXTAREA = "textarea"
    PICKLIST = "picklist"
    MULTIPICKLIST = "multipicklist"
    REFERENCE = "reference"
    BOOLEAN = "boolean"
    INT = "int"
    DOUBLE = "double"
    CURRENCY = "currency"
    PERCENT = "percent"
    DATE = "date"
    DATETIME = "datetime"
    EMAIL = "email"
    PHONE = "phone"
    URL = "url"
    ADDRESS = "address"


TEXT_TYPES = frozenset(
    {
        FieldType.STRING,
        FieldType.TEXTAREA,
        FieldType.PICKLIST,
        FieldType.MULTIPICKLIST,
        FieldType.EMAIL,
        FieldType.PHONE,
        FieldType.URL,
    }
)
NUMBER_TYPES = frozenset({FieldType.INT, FieldType.DOUBLE, FieldType.CURRENCY, FieldType.PERCENT})
ID_TYPES = frozenset({FieldType.ID, FieldType.REFERENCE})


class OnDelete(StrEnum):
    """What happens to a child when its parent is deleted."""

    CASCADE = "Cascade"
    SET_NULL = "SetNull"
    RESTRICT = "Restrict"


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryFilter:
    """One condition of a roll-up: `field` of the child, an operation, a value as text."""

    field: str
    operation: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A roll-up: `operation` (count, sum, min, max) of `field` over the children that `via` points to the parent."""

    operation: str
    child: str
    via: str
    field: str | None = None
    filters: tuple[SummaryFilter, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardValue:
    """One value of a standard value set: the status category it stands for, or what a stage means."""

    name: str
    category: str | None = None
    probability: float | None = None
    closed: bool = False
    won: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field. Lengths in characters, `precision` in digits in all, `scale` in digits after the point."""

    name: str
    label: str
    type: FieldType
    length: int = 0
    precision: int = 0
    scale: int = 0
    required: bool = False
    unique: bool = False
    case_sensitive: bool = False
    external_id: bool = False
    createable: bool = True
    updateable: bool = True
    always_visible: bool = False
    custom: bool = False
    reference_to: tuple[str, ...] = ()
    relationship: str | None = None
    child_relationship: str | None = None
    on_delete: OnDelete = OnDelete.SET_NULL
    master_detail: bool = False
    hierarchy: bool = False
    values: tuple[str, ...] = ()
    value_set: str | None = None
    standard_values: tuple[StandardValue, ...] = ()
    restricted: bool = False
    default: str | None = None
    auto_number: str | None = None
    summary: Summary | None = None
    compound: str | None = None
    formula: str | None = None
    blank_as_zero: bool = True
    help: str | None = None

    def means(self, value: str | None) -> StandardValue | None:
        """Return what a value of a standard value set means, or None if the set does not have it."""
        return next((v for v in self.standard_values if v.name == value), None)

    @property
    def polymorphic(self) -> bool:
        """Whether it may point to records of several objects."""
        return len(self.reference_to) > 1

    @property
    def stored(self) -> bool:
        """Whether the field has a column of its own (addresses are put together from their parts, formulas computed)."""
        return self.type is not FieldType.ADDRESS and self.formula is None

    @property
    def filterable(self) -> bool:
        """Whether SOQL may filter on it: long text and addresses can't be."""
        return self.type is not FieldType.ADDRESS and not (self.type is FieldType.TEXTAREA and self.length > 255)

    @property
    def id_lookup(self) -> bool:
        """Whether upsert may use it."""
        return self.external_id or self.type is FieldType.ID


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """A validation rule: a record for which the formula `condition` holds is refused, at `field` if one is named."""

    name: str
    condition: str
    message: str
    field: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicates:
    """A duplicate rule: no two records agree in all these `fields`; unless it `blocks`, a client may insist."""

    name: str
    fields: tuple[str, ...]
    message: str
    blocks: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Object:
    """One object: `prefix` starts its record ids, `fields` are in describe's order, keyed by lower-case name.

    `rights` names the object whose permissions decide, for details that have none of their own (order products).
    """

    name: str
    label: str
    plural: str
    prefix: str
    fields: Mapping[str, Field]
    name_field: str | None = None
    custom: bool = False
    setup: bool = False
    read_only: bool = False
    mergeable: bool = False
    rights: str | None = None
    validations: tuple[Validation, ...] = ()
    duplicates: tuple[Duplicates, ...] = ()

    def field(self, name: str) -> Field | None:
        """Return the field of that name in any letter case, or None."""
        return self.fields.get(name.lower())

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the fields that are stored."""
        return tuple(f.name for f in self.fields.values() if f.stored)


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A relationship seen from the parent: `field` of `object` points here."""

    object: Object
    field: Field


def _shared(name: str, type: FieldType) -> Field:
    return Field(name=name, label=name, type=type, length=255, createable=False, updateable=False, always_visible=True)


# What a polymorphic reference shows of its target in a query, whatever that is.
NAME = Object(
    name="Name",
    label="Name",
    plural="Names",
    prefix="",
    fields={
        "id": _shared("Id", FieldType.ID),
        "name": _shared("Name", FieldType.STRING),
        "type": _shared("Type", FieldType.STRING),
    },
    name_field="Name",
    read_only=True,
)


class Schema:
    """All objects of the org and how they hang together."""

    def __init__(self, objects: Iterable[Object]) -> None:
        self.objects: dict[str, Object] = {o.name.lower(): o for o in objects}
        self.by_prefix: dict[str, Object] = {o.prefix: o for o in self.objects.values()}
        self._children: dict[str, list[Child]] = {name: [] for name in self.objects}
        for obj in self.objects.values():
            for field in obj.fields.values():
                for target in field.reference_to:
                    if target.lower() not in self.objects:
                        raise ValueError(
                            f"{obj.name}.{field.name} refers to {target}, which is not defined: "
                            "add that object's definition or drop the field"
                        )
                    self._children[target.lower()].append(Child(object=obj, field=field))

    def object(self, name: str) -> Object | None:
        """Return the object of that name in any letter case, or None."""
        return self.objects.get(name.lower())

    def children(self, obj: Object) -> list[Child]:
        """Return the relationships that point to this object."""
        return self._children[obj.name.lower()]

    def summaries(self, child: Object) -> list[tuple[Object, Field]]:
        """Return the roll-up fields (with their objects) that are computed from this child."""
        return [
            (obj, field)
            for obj in self.objects.values()
            for field in obj.fields.values()
            if field.summary and field.summary.child.lower() == child.name.lower()
        ]

    def summed(self, child: Object, via: Field) -> list[str]:
        """Return the stored fields of a child object that the roll-ups over one of its references read."""
        summaries = [f.summary for _, f in self.summaries(child) if f.summary]
        here = [s for s in summaries if s.via.lower() == via.name.lower()]
        used = {name for s in here for name in ("IsDeleted", s.field, *(item.field for item in s.filters)) if name}
        return sorted(field.name for name in used if (field := child.field(name)) and field.stored)
