"""What addresses, telephone numbers and people look like in each country of the sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from types import MappingProxyType

from sandbox.company.records import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Country:
    """One country's forms. In `street` and `phone`, `#` is any digit; `{name}` and `{number}` are filled in.

    `cities` are (city, region or None, postal code with `#` for free digits and `@` for free letters).
    """

    code: str
    currency: str
    entities: tuple[str, ...]
    share: int
    forms: tuple[str, ...]
    street: str
    streets: tuple[str, ...]
    cities: tuple[tuple[str, str | None, str], ...]
    phone: str
    given: tuple[str, ...]
    family: tuple[str, ...]


_NL, _GB, _US = ("NL01",), ("GB01",), ("US01",)

_ALL = (
    Country(
        code="NL",
        currency="EUR",
        entities=_NL,
        share=60,
        forms=("B.V.", "N.V.", "B.V.", "V.O.F."),
        street="{name} {number}",
        streets=(
            "Industrieweg",
            "Stationsstraat",
            "'s-Gravelandseweg",
            "Keizersgracht",
            "Burgemeester Röellstraat",
            "Havenkade",
        ),
        cities=(
            ("Amsterdam", None, "10## @@"),
            ("Rotterdam", None, "30## @@"),
            ("'s-Hertogenbosch", None, "52## @@"),
            ("Eindhoven", None, "56## @@"),
            ("Delft", None, "26## @@"),
            ("IJmuiden", None, "197# @@"),
        ),
        phone="+31 20 ### ####",
        given=("Jan", "Sanne", "Daan", "Fleur", "Bram", "Noor", "Thijs", "Anouk"),
        family=("de Vries", "van den Berg", "Jansen", "'t Hart", "van 't Hof", "Bakker", "Ten Brink", "Özdemir"),
    ),
    Country(
        code="DE",
        currency="EUR",
        entities=_NL,
        share=36,
        forms=("GmbH", "AG", "GmbH & Co. KG", "KG"),
        street="{name} {number}",
        streets=("Hauptstraße", "Königsallee", "Werkstraße", "An der Mühle", "Große Elbstraße"),
        cities=(
            ("München", None, "803##"),
            ("Köln", None, "506##"),
            ("Hamburg", None, "204##"),
            ("Düsseldorf", None, "402##"),
            ("Görlitz", None, "028##"),
            ("Dresden", None, "010##"),
        ),
        phone="+49 30 #######",
        given=("Jürgen", "Anke", "Uwe", "Käthe", "Matthias", "Birgit"),
        family=("Müller", "Groß", "von der Heide", "Schäfer", "Weiß", "Yılmaz"),
    ),
    Country(
        code="FR",
        currency="EUR",
        entities=_NL,
        share=24,
        forms=("SARL", "SAS", "SA"),
        street="{number}, {name}",
        streets=("rue de l'Église", "avenue du Général-Leclerc", "boulevard de la République", "chemin des Prés"),
        cities=(
            ("Paris", None, "750##"),
            ("Lyon", None, "6900#"),
            ("Saint-Étienne", None, "42000"),
            ("L'Haÿ-les-Roses", None, "94240"),
            ("Ajaccio", None, "20000"),
            ("Bourg-en-Bresse", None, "01000"),
        ),
        phone="+33 1 ## ## ## ##",
        given=("Hélène", "François", "Zoë", "Jean-Baptiste", "Anaïs"),
        family=("Lefèvre", "D'Almeida", "Dupont-Moretti", "Noël", "Le Goff"),
    ),
    Country(
        code="BE",
        currency="EUR",
        entities=_NL,
        share=18,
        forms=("BV", "NV", "SRL"),
        street="{name} {number}",
        streets=("Louizalaan", "Rue de la Loi", "Kortrijksesteenweg", "Chaussée de Liège"),
        cities=(
            ("Antwerpen", None, "20#0"),
            ("Bruxelles", None, "10#0"),
            ("Liège", None, "4000"),
            ("Sint-Niklaas", None, "9100"),
        ),
        phone="+32 2 ### ## ##",
        given=("Lotte", "Maxime", "Wout", "Amélie"),
        family=("Peeters", "De Smet", "Dubois", "Van Den Eynde"),
    ),
    Country(
        code="GB",
        currency="GBP",
        entities=_GB,
        share=24,
        forms=("Ltd", "Limited", "plc", "LLP"),
        street="{number} {name}",
        streets=("High Street", "St John's Wood Road", "King's Parade", "The Old Mill, Mill Lane"),
        cities=(
            ("London", None, "EC#A #@@"),
            ("Manchester", None, "M# #@@"),
            ("Stoke-on-Trent", None, "ST# #@@"),
            ("Kingston upon Hull", None, "HU# #@@"),
            ("Caernarfon", None, "LL5# #@@"),
        ),
        phone="+44 20 7946 0###",
        given=("Oliver", "Siân", "Harriet", "Callum"),
        family=("O'Connor", "Smith-Jones", "MacDonald", "Ng", "Featherstonehaugh"),
    ),
    Country(
        code="IE",
        currency="EUR",
        entities=_NL,
        share=10,
        forms=("Ltd", "DAC", "plc"),
        street="{number} {name}",
        streets=("O'Connell Street", "Merrion Square", "Bóthar na Trá"),
        cities=(("Dublin", None, "D0# X#@@"), ("Cork", None, "T12 @#@#"), ("Dún Laoghaire", None, "A96 @#@#")),
        phone="+353 1 ### ####",
        given=("Aoife", "Seán", "Niamh"),
        family=("Ó Briain", "O'Sullivan", "Ní Dhomhnaill", "Murphy"),
    ),
    Country(
        code="ES",
        currency="EUR",
        entities=_NL,
        share=16,
        forms=("S.L.", "S.A."),
        street="{name}, {number}",
        streets=("Calle de Alcalá", "Avenida de la Constitución", "Passeig de Gràcia", "Rúa do Vilar"),
        cities=(
            ("Madrid", None, "280##"),
            ("Barcelona", None, "080##"),
            ("A Coruña", None, "150##"),
            ("Logroño", None, "260##"),
        ),
        phone="+34 91 ### ## ##",
        given=("Íñigo", "María José", "Begoña", "Núria"),
        family=("Muñoz Peña", "García Ibáñez", "Puig i Cadafalch", "Ñíguez"),
    ),
    Country(
        code="IT",
        currency="EUR",
        entities=_NL,
        share=16,
        forms=("S.p.A.", "S.r.l."),
        street="{name}, {number}",
        streets=("Via dell'Indipendenza", "Corso Vittorio Emanuele II", "Piazza San Nicolò"),
        cities=(
            ("Milano", None, "201##"),
            ("Reggio nell'Emilia", None, "4212#"),
            ("Forlì", None, "4712#"),
            ("Roma", None, "001##"),
        ),
        phone="+39 02 ########",
        given=("Niccolò", "Chiara", "Giosuè", "Maria Teresa"),
        family=("D'Angelo", "Lo Monaco", "De Rossi", "Nicolò"),
    ),
    Country(
        code="SE",
        currency="EUR",
        entities=_NL,
        share=12,
        forms=("AB", "AB (publ)"),
        street="{name} {number}",
        streets=("Storgatan", "Östra Hamngatan", "Ångströmsvägen"),
        cities=(
            ("Göteborg", None, "411 ##"),
            ("Malmö", None, "211 ##"),
            ("Örebro", None, "702 ##"),
            ("Åre", None, "837 52"),
        ),
        phone="+46 8 ### ## ##",
        given=("Åsa", "Björn", "Märta"),
        family=("Öberg", "Åkesson", "Lindström"),
    ),
    Country(
        code="PL",
        currency="EUR",
        entities=_NL,
        share=12,
        forms=("sp. z o.o.", "S.A."),
        street="ul. {name} {number}",
        streets=("Świętokrzyska", "Piłsudskiego", "Źródlana"),
        cities=(("Łódź", None, "90-###"), ("Kraków", None, "30-###"), ("Wrocław", None, "50-###")),
        phone="+48 22 ### ## ##",
        given=("Łukasz", "Małgorzata", "Żaneta"),
        family=("Wójcik", "Dąbrowska", "Święcicki"),
    ),
    Country(
        code="US",
        currency="USD",
        entities=_US,
        share=60,
        forms=("Inc.", "LLC", "Corp.", "Co."),
        street="{number} {name}",
        streets=("Main Street", "Martin Luther King Jr. Blvd", "W 34th St, Suite #00", "County Road #", "O'Fallon Ave"),
        cities=(
            ("Boston", "MA", "021##"),
            ("Newark", "NJ", "071##"),
            ("San José", "CA", "951##"),
            ("Coeur d'Alene", "ID", "838##"),
            ("Holtsville", "NY", "005##"),
            ("St. Louis", "MO", "631##"),
            ("Winston-Salem", "NC", "271##"),
        ),
        phone="+1 202 555 01##",
        given=("Mary Ann", "DeShawn", "José", "Emily", "Tyler"),
        family=("O'Brien", "Garcia-Lopez", "Nguyen", "St. John", "Washington III"),
    ),
    Country(
        code="JP",
        currency="USD",
        entities=_US,
        share=12,
        forms=("株式会社", "K.K.", "G.K."),
        street="{name}{number}-#-#",
        streets=("丸の内", "梅田", "中区栄"),
        cities=(("東京都千代田区", None, "100-####"), ("大阪市北区", None, "530-####"), ("名古屋市", None, "460-####")),
        phone="+81 3-####-####",
        given=("健", "美咲", "翔太"),
        family=("佐藤", "髙橋", "渡邉"),
    ),
)

COUNTRIES: Mapping[str, Country] = MappingProxyType({country.code: country for country in _ALL})
LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"
TITLES = (
    "Head of Purchasing",
    "Accounts Payable",
    "CFO",
    "Laboratory Manager",
    "Directeur achats",
    "Leiter Qualitätssicherung",
    "Plant Engineer",
    "VP Operations",
    "経理部長",
    None,
)


def fill(form: str, random: Random) -> str:
    """A form with `#` replaced by digits and `@` by letters."""
    return "".join(
        str(random.randrange(10)) if mark == "#" else random.choice(LETTERS) if mark == "@" else mark for mark in form
    )


def address(country: Country, random: Random) -> Address:
    """An address in a country; about one in eight has two street lines."""
    city, region, postal_code = random.choice(country.cities)
    street = country.street.format(name=random.choice(country.streets), number=random.randrange(1, 400))
    if random.random() < 0.125:
        street += random.choice(("\nBuilding C, 2nd floor", "\nGate 4", "\nPO Box 00123"))
    return Address(
        street=fill(street, random),
        city=city,
        region=region,
        postal_code=fill(postal_code, random),
        country=country.code,
    )
