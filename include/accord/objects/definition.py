"""The words in which a business object is declared. Everything else (extraction list, transform, payloads, structure
checks, ownership, masking, lineage, contract, documentation) is derived from a definition."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any


class Owner(StrEnum):
    """The system of record of a field."""

    SALESFORCE = "salesforce"
    ERP = "erp"
    ACCORD = "accord"


class Sensitivity(StrEnum):
    """How a value may be shown: personal and financial values are masked in every report."""

    PUBLIC = "public"
    INTERNAL = "internal"
    PERSONAL = "personal"
    FINANCIAL = "financial"


class Priority(StrEnum):
    """Who goes first when a system's requests run short: the share each may use is accord.quota's."""

    CRITICAL = "critical"  # orders, and what became of them
    STANDARD = "standard"
    BULK = "bulk"  # reference data, and whatever reads a lot: it yields first


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Unicode text of at most `limit` characters."""

    limit: int
    pattern: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of a closed vocabulary."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceSet:
    """Any number of a closed vocabulary, kept sorted."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """True or false."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """A decimal amount of `digits` digits, `scale` of them after the point, in the currency named by field `currency`."""

    digits: int = 18
    scale: int = 2
    currency: str = "currency"


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A whole number."""

    least: int | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A decimal number without a currency (a quantity, a percentage): `digits` digits, `scale` of them after the point."""

    digits: int = 18
    scale: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A calendar date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instant:
    """A point in time, UTC, to the microsecond."""


class Unknown(StrEnum):
    """What becomes of a record that refers to something no link knows."""

    PARK = "park"  # it waits, as an exception with an owner
    EXCLUDE = "exclude"  # it is out of scope, quietly, until the other record is known
    OMIT = "omit"  # it goes without the reference, and again once the other record is known


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """The canonical id of a record of another (or the same) business object."""

    object: str
    unknown: Unknown = Unknown.PARK


FieldType = Text | Choice | ChoiceSet | Flag | Money | Whole | Number | Day | Instant | Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One canonical field.

    `owner` is the only side whose value is written to the other side; `seeded_by` names the side that may supply the
    value when the record is created there, and never after.
    """

    name: str
    type: FieldType
    owner: Owner
    meaning: str
    seeded_by: Owner | None = None
    required: bool = False
    sensitivity: Sensitivity = Sensitivity.INTERNAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Constituent:
    """A list of parts that belong to a record (contacts, addresses, lines). When one changes, the whole root is read again.

    `key` names the field that identifies a part within its root.
    """

    name: str
    meaning: str
    key: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateRule:
    """Two records that agree in all of `fields`, each of them filled, are suspects of being one.

    Texts are compared as codes (accord.matching.normalized_code), those in `names` as company names (normalized_name).
    Records that both have `unless_differ`, and differ in it, are two.
    """

    fields: tuple[str, ...]
    names: tuple[str, ...] = ()
    unless_differ: str | None = None

    @property
    def name(self) -> str:
        """The fields joined by +."""
        return "+".join(self.fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Direction:
    """The way an object travels: one flow from Salesforce to every ERP, or one from each ERP to Salesforce.

    `schedule` is cron in UTC; `overlap` is read again below the watermark because rows may be committed after their
    modification instant; `status` names the object that tells the source how its records fared; `erps` the ERPs that take
    part, all of them by default; `priority` who goes first when requests run short.
    """

    towards: Owner
    schedule: str
    overlap: timedelta = timedelta(minutes=10)
    status: str | None = None
    erps: tuple[str, ...] | None = None
    priority: Priority = Priority.STANDARD


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which records travel at all: those whose `field` is one of `travels`.

    One of `ends` is the record's end: it is gone for the other side. Any other value keeps it out until that changes.
    """

    field: str
    travels: tuple[str, ...]
    ends: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """What decides the legal entity of a record that names none (accord.routing.ROUTES): the fields that hold the legal entities
    the customer buys from and its country, and, of the constituent `lines`, the field that holds the product line."""

    entities: str
    country: str
    lines: str
    family: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciling:
    """How much a reconciliation of an object may put right without asking a person.

    `lag`: how long a change may be on its way before it is late. Corrections of one reconciliation and target are made by
    themselves when they are at most `records` and at most `amount` is at risk in any one currency; beyond that all of them
    wait for an approval, as so many at once rather have one cause that a person should see.
    """

    lag: timedelta = timedelta(hours=1)
    records: int = 100
    amount: Decimal = Decimal(10_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What tells how far the other side is with a record: records of `object`, with the record's own key. In one of the states
    `open` nothing of it has begun: when its legal entity moves to another ERP, the record moves with it. In any other one the ERP
    that has it finishes it."""

    object: str
    open: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """A record may be carried on by another record of the same object: they are one, under the canonical id of the first.

    `keeps`: fields that stay as the first record says, as the other side can't change them. `parts`: the constituent whose parts
    are carried on too; `told_by` the fields in which a part of the one equals a part of the other, the surest way first.
    """

    keeps: tuple[str, ...]
    parts: str
    told_by: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """An amount no field holds: what the `parts` of a record come to, in its field `currency`. `of` adds up those that have all they
    `needs`; `name` and `meaning` are for people."""

    name: str
    meaning: str
    parts: str
    currency: str
    needs: tuple[str, ...]
    of: Callable[[Iterable[Mapping[str, Any]]], Decimal]


# columns every record has, or gets on its way
RESERVED = frozenset(
    "key version read_at gone merged_into native modified depth hash problems unresolved out_of_scope carries_on carried_on "
    "carried_parts said".split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessObject:
    """A canonical definition.

    `duplicate_rules` say what makes two records suspects of being one; `parent` names the reference to the record above
    in a hierarchy of the same object; `amounts` the money fields, all in one currency, that count for completeness, and `worth` an
    amount that none of them holds;
    `routed_by` the legal entity, or the set of them, that decides which ERPs hold the record, `routing` what decides it where it
    is not given; `scope` which records travel; `state` the field whose last applied value the hub remembers, for processes
    and figures; `progress` what tells how far the other side is with it; `known_by` the fields by which a record of one ERP is
    recognized in another; `carried` whether a record may be carried on by another; `about` the object whose records its own tell
    of: their keys are the same. Of an `ordered` object, what the source says later waits behind a refusal until a person has
    settled that; of the others the newest state is enough. `reconciling` is how much a reconciliation may put right by itself.
    `version` rises with every incompatible change of the contract. Raises ValueError for a declaration that contradicts
    itself.
    """

    name: str
    version: int
    meaning: str
    fields: tuple[Field, ...]
    constituents: tuple[Constituent, ...] = ()
    directions: tuple[Direction, ...] = ()
    amounts: tuple[str, ...] = ()
    worth: Worth | None = None
    parent: str | None = None
    duplicate_rules: tuple[DuplicateRule, ...] = ()
    routed_by: str | None = None
    routing: Routing | None = None
    scope: Scope | None = None
    state: str | None = None
    reconciling: Reconciling = Reconciling()
    progress: Progress | None = None
    known_by: tuple[str, ...] = ()
    carried: Carried | None = None
    about: str | None = None
    ordered: bool = False

    def __str__(self) -> str:
        return self.name

    @property
    def has_one_place(self) -> bool:
        """Whether a record belongs into one ERP alone: a single legal entity decides which."""
        return self.routed_by is not None and isinstance(self.field(self.routed_by).type, Choice)

    def __post_init__(self) -> None:
        if taken := RESERVED & {path for path, _ in self.every_field()}:
            raise ValueError(f"{self.name}: {', '.join(sorted(taken))} means something else in every record")
        if len(self.currencies) > 1:
            raise ValueError(f"{self.name}: amounts that count together must be in one currency")
        if self.parent is not None and self.reference(self.parent).object != self.name:
            raise ValueError(f"{self.name}: a parent is a {self.name}; declare other records as references")

    @property
    def counted(self) -> frozenset[str]:
        """Fields and constituents that hold what counts for completeness."""
        return frozenset(self.amounts) | ({self.worth.parts} if self.worth else set())

    @property
    def currencies(self) -> frozenset[str]:
        """Name of the field with the currency of what counts for completeness; nothing where nothing does."""
        return frozenset(self.money(name).currency for name in self.amounts) | (
            {self.worth.currency} if self.worth else set()
        )

    def field(self, name: str) -> Field:
        """The field called `name`. Raises KeyError with the object's name."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(f"{self.name} has no field {name!r}")

    def constituent(self, name: str) -> Constituent:
        """The constituent called `name`. Raises KeyError with the object's name."""
        for constituent in self.constituents:
            if constituent.name == name:
                return constituent
        raise KeyError(f"{self.name} has no constituent {name!r}")

    def reference(self, name: str) -> Reference:
        """The type of the reference field `name`. Raises TypeError when it is of another type."""
        kind = self.field(name).type
        if not isinstance(kind, Reference):
            raise TypeError(f"{self.name}.{name} is no reference")
        return kind

    def money(self, name: str) -> Money:
        """The type of the money field `name`. Raises TypeError when it is of another type."""
        kind = self.field(name).type
        if not isinstance(kind, Money):
            raise TypeError(f"{self.name}.{name} is no amount")
        return kind

    def references(self) -> Iterator[tuple[str, Reference]]:
        """(dotted path, type) of every reference to another record but the parent, constituents' ones included."""
        for path, field in self.every_field():
            if isinstance(field.type, Reference) and path != self.parent:
                yield path, field.type

    def every_field(self) -> Iterator[tuple[str, Field]]:
        """(dotted path, field) of the root's fields and of every constituent's."""
        for field in self.fields:
            yield field.name, field
        for constituent in self.constituents:
            for field in constituent.fields:
                yield f"{constituent.name}.{field.name}", field

    def without(self, names: frozenset[str]) -> BusinessObject:
        """The definition as if it had none of these root fields and constituents. None of them may be used by another part of it."""
        return replace(
            self,
            fields=tuple(f for f in self.fields if f.name not in names),
            constituents=tuple(c for c in self.constituents if c.name not in names),
        )

    def sent_by(self, side: Owner, *, creating: bool) -> frozenset[str]:
        """Names of the root fields and constituents `side` may write to the other side.

        Seeds only when creating; Accord's own fields always. A constituent belongs to the owner of its fields.
        """
        names = {
            field.name
            for field in self.fields
            if field.owner in (side, Owner.ACCORD) or (creating and field.seeded_by is side)
        }
        names |= {c.name for c in self.constituents if all(f.owner is side for f in c.fields)}
        return frozenset(names)
