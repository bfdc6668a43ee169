"""A made-up business object with every kind of field, for tests of what is derived from a definition."""

from __future__ import annotations

from accord.objects.definition import (
    BusinessObject,
    Choice,
    ChoiceSet,
    Constituent,
    Day,
    Field,
    FieldType,
    Flag,
    Instant,
    Money,
    Number,
    Owner,
    Reference,
    Text,
    Whole,
)


def field(name: str, kind: FieldType) -> Field:
    return Field(name=name, type=kind, owner=Owner.ERP, meaning="Made up.")


LINES = Constituent(
    name="lines",
    meaning="Made up.",
    key="id",
    fields=(
        field("id", Text(limit=10)),
        field("quantity", Number(digits=6, scale=2)),
        field("product", Reference(object="product")),
        field("due", Day()),
    ),
)
THING = BusinessObject(
    name="thing",
    version=1,
    meaning="Made up.",
    fields=(
        field("title", Text(limit=40)),
        field("kind", Choice(values=("a", "b"))),
        field("tags", ChoiceSet(values=("x", "y", "z"))),
        field("live", Flag()),
        field("price", Money(digits=8, scale=4)),
        field("count", Whole()),
        field("share", Number(digits=5, scale=1)),
        field("day", Day()),
        field("at", Instant()),
        field("owner", Reference(object="customer")),
        field("currency", Choice(values=("EUR",))),
        field("guess", Text(limit=40)),
    ),
    constituents=(LINES, Constituent(name="notes", meaning="Made up.", key="id", fields=(field("id", Text(limit=9)),))),
)
NOT_READ = frozenset({"guess", "notes"})  # follows from the rest
