"""Company names: ordinary ones made of stems, no two alike; and awkward ones as people really type them."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from sandbox.company.places import Country

_STEMS = (
    """
    Noorderlicht Helvoet Brandaris Zeeleeuw Kestrel Larkspur Ardennes Brightwater Copperfield Dunmore Eikenhorst
    Falkenberg Grimsby Hartwell Ibervia Jonquil Kronborg Lindenau Montclair Northgate Oakhurst Pellegrino Quillan
    Ravensburg Silvermere Tamarack Umbria Valmont Westerkade Xanthe Yarrow Zilverberg Alderney Bergsma Castellan
    Drumlin Elderflower Fjällbo Glenmore Hohenfels
    """
).split()
_TRADES = (
    "Instruments",
    "Optics",
    "Metrology",
    "Laboratories",
    "Process Control",
    "Analytics",
    "Sensors",
    "Precision",
    "Medical",
    "Food Safety",
    "Water Technology",
    "Semiconductor",
    "Aerospace",
    "Research",
    "Environmental",
)
# What sales really types: each is a valid name an ERP must get unchanged.
AWKWARD = (
    'O\'Reilly & Söhne "Feinmechanik"',
    'Acme, Inc. (formerly "Acme, Ltd."); see notes',
    "007 Analytical",
    "0001234 Ontario",
    "Crème Brûlée Équipements",
    "Ångström & Übermaß Meßtechnik",
    "株式会社 明和計測",
    "上海精密仪器有限公司",
    "Квант Приборы",
    "شركة القياس الدقيق",
    "מכשירי מדידה תל אביב",
    "Rocket 🚀 Labs",
    "Łódzkie Zakłady Pomiarowe",
    "100% Pure Water",
    "Smith\\Jones Research",
    "Null",
    "N/A Laboratories",
    "<b>Bold</b> Measurements",
    "=Sum Analytics",
    "Robert'); DROP TABLE Instruments;--",
    "İstanbul Ölçüm Sistemleri",
    "Straße & Fluß",
    "ﬁne Instruments",
    "Zażółć Gęślą Jaźń",
    "Tab\u00a0Space Labs",
)


def stems(random: Random) -> Iterator[str]:
    """Every stem-and-trade name once, in a shuffled order."""
    every = [f"{stem} {trade}" for stem in _STEMS for trade in _TRADES]
    random.shuffle(every)
    yield from every


def with_form(stem: str, country: Country, random: Random) -> str:
    """A name with a legal form of the country."""
    form = random.choice(country.forms)
    return f"{form}{stem}" if form == "株式会社" else f"{stem} {form}"


def host(stem: str) -> str:
    """A made-up web host for a name; empty when nothing in it can stand in a host name."""
    plain = "".join(mark for mark in stem.lower() if mark in "abcdefghijklmnopqrstuvwxyz0123456789")
    return f"{plain[:40]}.example" if plain else ""
