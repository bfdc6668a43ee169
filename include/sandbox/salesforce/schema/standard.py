"""Reads the table of standard objects (`tables/*.txt`; the format is told at the head of `standard.txt`).

Standard value sets are lines of `tables/value_sets.csv`: set;value;status category;probability;closed;won.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from sandbox.salesforce.schema.model import Field, FieldType, Object, OnDelete, StandardValue, Summary

TABLES = Path(__file__).parent / "tables"
_TYPE = re.compile(r"(\w+)(?:\((.*)\))?$")
_ADDRESS = (
    ("Street", FieldType.TEXTAREA, 255),
    ("City", FieldType.STRING, 40),
    ("State", FieldType.STRING, 80),
    ("PostalCode", FieldType.STRING, 20),
    ("Country", FieldType.STRING, 80),
    ("StateCode", FieldType.PICKLIST, 255),
    ("CountryCode", FieldType.PICKLIST, 255),
)


def spaced(name: str) -> str:
    """Return the label a camel-case name suggests: ``AnnualRevenue`` becomes ``Annual Revenue``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name.removesuffix("__c").replace("_", " "))


def value_sets() -> dict[str, tuple[StandardValue, ...]]:
    """Return the standard value sets a new org has."""
    sets: dict[str, tuple[StandardValue, ...]] = {}
    for line in (TABLES / "value_sets.csv").read_text(encoding="utf-8").splitlines():
        name, value, category, probability, closed, won = line.split(";")
        found = StandardValue(
            name=value,
            category=category or None,
            probability=float(probability) if probability else None,
            closed=bool(closed),
            won=bool(won),
        )
        sets[name] = (*sets.get(name, ()), found)
    return sets


def system_fields(*, currencies: tuple[str, ...] | None, owner: bool, currency: str = "") -> Iterator[Field]:
    """Yield the fields every object has.

    Args:
        currencies: Values of CurrencyIsoCode, the default first; None leaves the field out.
        owner: Whether records have an owner.
        currency: ``readonly`` or ``createonly`` for objects whose currency can't be given or changed.
    """

    def fixed(name: str, type: FieldType, label: str = "", default: str | None = None) -> Field:
        user = type is FieldType.REFERENCE
        return Field(
            name=name,
            label=label or spaced(name),
            type=type,
            length=18 if user or type is FieldType.ID else 0,
            required=True,
            createable=False,
            updateable=False,
            always_visible=True,
            default=default,
            reference_to=("User",) if user else (),
            relationship=name.removesuffix("Id") if user else None,
            on_delete=OnDelete.RESTRICT,
        )

    yield fixed("Id", FieldType.ID, "Record ID")
    yield fixed("IsDeleted", FieldType.BOOLEAN, "Deleted", "false")
    if owner:
        yield Field(
            name="OwnerId",
            label="Owner ID",
            type=FieldType.REFERENCE,
            length=18,
            reference_to=("User",),
            relationship="Owner",
            always_visible=True,
            on_delete=OnDelete.RESTRICT,
        )
    if currencies is not None:
        yield Field(
            name="CurrencyIsoCode",
            label="Currency ISO Code",
            type=FieldType.PICKLIST,
            length=255,
            values=currencies,
            restricted=True,
            default=currencies[0],
            always_visible=True,
            createable=currency != "readonly",
            updateable=not currency,
        )
    yield fixed("CreatedDate", FieldType.DATETIME)
    yield fixed("CreatedById", FieldType.REFERENCE, "Created By ID")
    yield fixed("LastModifiedDate", FieldType.DATETIME)
    yield fixed("LastModifiedById", FieldType.REFERENCE, "Last Modified By ID")
    yield fixed("SystemModstamp", FieldType.DATETIME)


def _address_parts(prefix: str, countries: tuple[str, ...], states: tuple[str, ...]) -> Iterator[Field]:
    codes = {"StateCode": states, "CountryCode": countries}
    for part, type, length in _ADDRESS:
        name = prefix + part
        yield Field(
            name=name,
            label=spaced(name),
            type=type,
            length=length,
            compound=f"{prefix}Address",
            values=codes.get(part, ()),
        )


def _sum(argument: str | None) -> Summary | None:
    if not argument:
        return None
    child, via, field = argument.split(".")
    return Summary(operation="sum", child=child, via=via, field=field)


def _field(line: str, currencies: tuple[str, ...], sets: dict[str, tuple[StandardValue, ...]]) -> Field:
    name, kind, options, label = (*(part.strip() for part in line.split(" | ")), "", "")[:4]
    match = _TYPE.match(kind)
    if not match:
        raise ValueError(f"Can't read the type in this line of the standard objects: {line!r}")
    type, argument = FieldType(match[1]), match[2] or ""
    flags, settings = set(), {}
    for word in options.split():
        key, _, value = word.partition("=")
        settings[key] = value
        flags.add(key)
    length = precision = scale = 0
    values: tuple[str, ...] = ()
    standard_values = sets[settings["values"]] if "values" in settings else ()
    if type in (FieldType.PICKLIST, FieldType.MULTIPICKLIST):
        length = 255
        values = currencies if argument == "@currencies" else tuple(argument.split(";"))
        values = tuple(v.name for v in standard_values) or values
    elif type in (FieldType.DOUBLE, FieldType.CURRENCY, FieldType.PERCENT):
        whole, _, fraction = argument.partition(",")
        scale = int(fraction or 0)
        precision = int(whole) + scale if type is FieldType.CURRENCY and scale else int(whole)
    elif type is FieldType.INT:
        precision = int(argument)
    elif type is FieldType.REFERENCE:
        length = 18
    elif argument:
        length = int(argument)
    writable = not flags & {"readonly", "autonumber"}
    on_delete = OnDelete.CASCADE if "cascade" in flags else OnDelete.SET_NULL
    return Field(
        name=name,
        label=label or spaced(name),
        type=type,
        length=length,
        precision=precision,
        scale=scale,
        required="required" in flags,
        unique="unique" in flags,
        external_id="externalid" in flags,
        createable=writable,
        updateable=writable and "createonly" not in flags,
        always_visible=bool(flags & {"required", "visible"}) or name == "Name",
        reference_to=tuple(argument.split(";")) if type is FieldType.REFERENCE else (),
        relationship=settings.get("parent"),
        child_relationship=settings.get("children"),
        on_delete=OnDelete.RESTRICT if "restrict" in flags else on_delete,
        hierarchy="hierarchy" in flags,
        values=values,
        value_set=settings.get("values"),
        standard_values=standard_values,
        default=settings.get("default"),
        auto_number=settings.get("autonumber"),
        summary=_sum(settings.get("sum")),
    )


def read(currencies: tuple[str, ...], countries: tuple[str, ...], states: tuple[str, ...]) -> list[Object]:
    """Return the standard objects.

    Args:
        currencies: Active ISO currency codes, the corporate one first.
        countries: Country names a billing or shipping country may have, as ISO alpha-2 codes.
        states: State codes, of all countries that have them.
    """
    objects: list[Object] = []
    sets = value_sets()
    head: list[str] = []
    fields: list[Field] = []

    def finish() -> None:
        if not head:
            return
        name, prefix = head[0].split()
        flags = set(head[3].split()) if len(head) > 3 else set()
        settings = dict(flag.split("=") for flag in flags if "=" in flag)
        system = list(
            system_fields(
                currencies=None if "nocurrency" in flags else currencies,
                owner="noowner" not in flags,
                currency=settings.get("currency", ""),
            )
        )
        every = [*system[:2], *fields, *system[2:]]
        objects.append(
            Object(
                name=name,
                label=head[1],
                plural=head[2],
                prefix=prefix,
                fields={f.name.lower(): f for f in every},
                name_field=settings.get("title") or next((f.name for f in fields if f.name == "Name"), None),
                setup="setup" in flags,
                read_only="readonly" in flags,
                mergeable="mergeable" in flags,
                rights=settings.get("rights"),
            )
        )

    for path in sorted(TABLES.glob("*.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if not line.strip() or line.startswith("#"):
                continue
            if not line.startswith(" "):
                finish()
                head, fields = [part.strip() for part in line.split("|")], []
            elif line.strip().startswith("@address"):
                fields.extend(_address_parts(line.split()[1], countries, states))
            else:
                fields.append(_field(line.strip(), currencies, sets))
    finish()
    return objects
