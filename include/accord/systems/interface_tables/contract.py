"""The interface tables as declared data: where requests of an object are put, where its records are read, and what each of the
ERP's codes means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from accord.categories import Category
from accord.errors import Recovery

Needs = dict[str, tuple[str, ...]]  # relation → columns; procedure with its arguments → nothing
COMPANIES: Needs = {"outbound.company": ("code", "currency")}  # whatever is read or sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A constituent in a relation of its own: `fields` are canonical field → column, `number` the column that counts the parts of
    a record in their order, where there is one."""

    relation: str
    fields: Mapping[str, str]
    number: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox:
    """How one object is sent: a request is a row of `relation`, its parts are rows of theirs, `procedure` posts a batch of them.

    `fields`: canonical field → column; `extra`: columns filled in a way of their own; `awaits`: the column that names what a
    held request waits for; `actions`: what is said of a record, and of one that is gone; `codes`: what codes mean of this object,
    before what they mean of any.
    """

    relation: str
    procedure: str
    fields: Mapping[str, str]
    extra: tuple[str, ...] = ()
    parts: Mapping[str, Part] = field(default_factory=dict)
    awaits: str
    actions: tuple[str, str] = ("upsert", "deactivate")
    codes: Mapping[str, Meaning] = field(default_factory=dict)

    @property
    def needs(self) -> Needs:
        """What must be there, for `accord doctor`."""
        answers = ("status", "code", "reason", "answered_number")
        columns = (*REQUEST, *self.extra, *self.fields.values(), *answers)
        parts = {
            part.relation: ("batch", "external_ref", *part.fields.values(), *((part.number,) if part.number else ()))
            for part in self.parts.values()
        }
        return {self.relation: columns, **parts, f"{self.procedure}{CALL}": ()}

    @property
    def places(self) -> dict[str, str]:
        """Dotted path of a canonical field → relation.column."""
        return _places(self.relation, self.fields, self.parts)

    @property
    def relations(self) -> Iterator[str]:
        """Every relation a batch is put into."""
        yield self.relation
        yield from (part.relation for part in self.parts.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbox:
    """How one object is read: a record is a row of `relation`, named by the columns `key`; its parts have these columns too.

    `changes` has a row with `changed_at` for every change of anything a record shows; `relation` has the last. In the native
    id the key's columns are joined by "/", a column `company` as the legal entity's code. `fields`: canonical field →
    column; the field `legal_entity` takes the company. `gone`: a column that is true for a record that was deleted.
    `within_company`: dotted paths of references to records of the same company that are named by it too; their column holds
    the rest of the name.
    """

    relation: str
    key: tuple[str, ...]
    changes: str
    fields: Mapping[str, str]
    parts: Mapping[str, Part] = field(default_factory=dict)
    gone: str | None = None
    within_company: frozenset[str] = frozenset()

    def without(self, names: frozenset[str]) -> Outbox:
        """The same without these fields and constituents."""
        return replace(
            self,
            fields={name: column for name, column in self.fields.items() if name not in names},
            parts={name: part for name, part in self.parts.items() if name not in names},
        )

    @property
    def needs(self) -> Needs:
        """What must be there, for `accord doctor`."""
        gone = (self.gone,) if self.gone else ()
        columns = tuple(dict.fromkeys((*self.key, *self.fields.values(), *gone, "changed_at")))
        parts = {part.relation: (*self.key, *part.fields.values()) for part in self.parts.values()}
        return {self.relation: columns, **parts, self.changes: (*self.key, "changed_at")}

    @property
    def places(self) -> dict[str, str]:
        """Dotted path of a canonical field → relation.column."""
        company = {"legal_entity": "company"} if "company" in self.key else {}
        return _places(self.relation, company | dict(self.fields), self.parts)


def _places(relation: str, fields: Mapping[str, str], parts: Mapping[str, Part]) -> dict[str, str]:
    found = {name: f"{relation}.{column}" for name, column in fields.items()}
    for constituent, part in parts.items():
        found |= {f"{constituent}.{name}": f"{part.relation}.{column}" for name, column in part.fields.items()}
    return found


CALL = "(text)"  # what follows a procedure's name in `needs`: its arguments
REQUEST = ("batch", "external_ref", "action", "version", "read_at")  # every request's own columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a code of the ERP means to Accord."""

    outcome: Recovery
    category: Category
    message: str


def rejected(category: Category, message: str) -> Meaning:
    """A code that says the record can't pass as it is."""
    return Meaning(outcome=Recovery.REJECT, category=category, message=message)


CODES: dict[str, Meaning] = {
    "FIELD_MISSING": Meaning(
        outcome=Recovery.REJECT, category=Category.MISSING_VALUE, message="The ERP needs a value that is missing."
    ),
    "FIELD_TOO_LONG": Meaning(
        outcome=Recovery.REJECT, category=Category.TOO_LONG, message="A value is longer than the ERP takes."
    ),
    "COUNTRY_UNKNOWN": Meaning(
        outcome=Recovery.REJECT, category=Category.REFERENCE_UNKNOWN, message="The ERP does not know the country."
    ),
    "CURRENCY_UNKNOWN": Meaning(
        outcome=Recovery.REJECT, category=Category.INVALID_VALUE, message="The ERP does not know the currency."
    ),
    "ROLE_UNKNOWN": Meaning(
        outcome=Recovery.REJECT,
        category=Category.INVALID_VALUE,
        message="The ERP does not know the role of an address.",
    ),
    "COMPANY_UNKNOWN": Meaning(
        outcome=Recovery.REJECT, category=Category.REFERENCE_UNKNOWN, message="The ERP does not know the company."
    ),
    "CUSTOMER_UNKNOWN": Meaning(
        outcome=Recovery.REJECT, category=Category.REFERENCE_UNKNOWN, message="The ERP has no customer of that number."
    ),
    "CUSTOMER_CLOSED": Meaning(
        outcome=Recovery.REJECT, category=Category.REFUSED, message="Finance has closed the customer in the ERP."
    ),
    "REFERENCE_TAKEN": Meaning(
        outcome=Recovery.REJECT,
        category=Category.DUPLICATE_KEY,
        message="The ERP's customer belongs to another account.",
    ),
    "HIERARCHY_LOOP": Meaning(
        outcome=Recovery.REJECT, category=Category.HIERARCHY_LOOP, message="The customer would be above itself."
    ),
    "PARENT_UNKNOWN": Meaning(
        outcome=Recovery.HOLD, category=Category.PARENT_MISSING, message="The record above it is not in the ERP yet."
    ),
    "STALE": Meaning(
        outcome=Recovery.RETRY, category=Category.CLAIMED_ELSEWHERE, message="The ERP already has a newer version."
    ),
}

OTHER = Meaning(outcome=Recovery.REJECT, category=Category.REFUSED, message="The ERP refused the record.")
