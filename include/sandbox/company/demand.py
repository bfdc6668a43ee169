"""What the sample company's customers want: orders and deals, priced from the price books the ERPs keep.

Most customers buy what finance lets them. The same seed gives the same demand as long as customers, their credit and the price
books are the same.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.company.org import Org

PREFIX, DEAL = "PO-", "DEAL-"
SEED = 20260301
CENT = Decimal("0.01")
UNLIMITED = Decimal(10**9)
TAXED = Decimal("1.25")  # what an order may come to with tax, of its net amount

_PARTS = ("Street", "City", "State", "PostalCode", "CountryCode")
ADDRESS = tuple(f"{kind}{part}" for kind in ("Billing", "Shipping") for part in _PARTS)

# what is wrong with some of the orders, and how many of each
DISCOUNTED = 3  # far below the list: somebody has to approve it
NO_DATE_LEFT = 2  # wanted before it was ordered
BEYOND_CREDIT = 4  # sold to whoever comes by, whatever finance says of them
BAD = DISCOUNTED + NO_DATE_LEFT + BEYOND_CREDIT

DEALS = 4  # opportunities per legal entity that are won

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One order or deal before it is in the org, the `place`th of its kind and legal entity."""

    number: str
    place: int
    header: Row
    lines: tuple[Row, ...]


def drafts(org: Org, *, per_entity: int, today: date) -> Iterable[Draft]:
    """`per_entity` orders, and some deals, of every legal entity that has customers and a price book in the org."""
    customers = list(
        org.query(
            f"SELECT Id, AccountNumber, Legal_Entities__c, {', '.join(ADDRESS)} FROM Account "  # noqa: S608 - our own words
            "WHERE AccountNumber LIKE 'MI-%' AND ERP_Sync_Status__c = 'Synced' ORDER BY AccountNumber"
        )
    )
    for entity, book in _books(org).items():
        theirs = [one for one in customers if one["Legal_Entities__c"] == entity]
        credit = _credit(org, entity)
        for prefix, count in ((PREFIX, per_entity), (DEAL, DEALS)) if theirs else ():
            chance = random.Random(f"{SEED} {entity} {prefix}")
            for place in range(1, count + 1):
                bad = prefix == PREFIX and place <= BAD
                lines, net = _lines(book, place if bad else BAD, chance, discounts=prefix == PREFIX)
                able = theirs if bad else [one for one in theirs if credit.get(one["Id"], Decimal(0)) >= net * TAXED]
                if prefix == DEAL:  # it has no addresses of its own
                    able = [one for one in able if one["ShippingCountryCode"]]
                if not able:
                    continue  # nobody can afford it
                customer = chance.choice(able)
                credit[customer["Id"]] = credit.get(customer["Id"], Decimal(0)) - net * TAXED
                late = bad and DISCOUNTED < place <= DISCOUNTED + NO_DATE_LEFT
                wanted = today + timedelta(days=-7 if late else chance.randint(3, 30))
                number = f"{prefix}{entity}-{place:04d}"
                header = _header(number, entity, customer, book, today, wanted)
                yield Draft(number=number, place=place, header=header, lines=lines)


def _books(org: Org) -> dict[str, list[Row]]:
    """The entries of each legal entity's standard list: the one with most products, by name where several have."""
    entries = org.query(
        "SELECT Id, UnitPrice, CurrencyIsoCode, Pricebook2Id, Pricebook2.Legal_Entity__c, Pricebook2.Name FROM PricebookEntry "
        "WHERE IsActive = TRUE AND Pricebook2.IsActive = TRUE AND Pricebook2.Legal_Entity__c != NULL "
        "AND Product2.IsActive = TRUE ORDER BY Pricebook2.Name, Product2.ProductCode"
    )
    books: dict[str, dict[str, list[Row]]] = {}
    for entry in entries:
        entity = entry["Pricebook2"]["Legal_Entity__c"]
        books.setdefault(entity, {}).setdefault(entry["Pricebook2Id"], []).append(entry)
    return {
        entity: max(books[entity].values(), key=lambda some: (len(some), some[0]["Pricebook2"]["Name"]))
        for entity in sorted(books)
    }


def _credit(org: Org, entity: str) -> dict[str, Decimal]:
    """What finance still lets each customer of the legal entity buy, by Account; nothing for those on hold."""
    rows = org.query(
        "SELECT Account__c, Credit_Limit__c, Balance__c, Credit_Hold__c FROM ERP_Account__c "  # noqa: S608 - our own words
        f"WHERE Legal_Entity__c = '{entity}'"
    )
    left = {}
    for row in rows:
        limit = Decimal(str(row["Credit_Limit__c"])) if row["Credit_Limit__c"] is not None else UNLIMITED
        balance = Decimal(str(row["Balance__c"] or 0))
        left[row["Account__c"]] = Decimal(0) if row["Credit_Hold__c"] else limit - balance
    return left


def _lines(
    book: Sequence[Row], place: int, chance: random.Random, *, discounts: bool
) -> tuple[tuple[Row, ...], Decimal]:
    """Lines, and what they come to."""
    lines, net = [], Decimal(0)
    for entry in chance.sample(list(book), min(len(book), chance.randint(1, 4))):
        usual = Decimal(chance.choice((0, 0, 0, 2, 5)))
        discount = Decimal(40) if place <= DISCOUNTED else usual if discounts else Decimal(0)
        price = (Decimal(str(entry["UnitPrice"])) * (100 - discount) / 100).quantize(CENT, ROUND_HALF_UP)
        quantity = chance.randint(1, 6)
        line = {"PricebookEntryId": entry["Id"], "Quantity": quantity, "UnitPrice": float(price)}
        lines.append(line | ({"Discount_Percent__c": float(discount)} if discount else {}))
        net += price * quantity
    return tuple(lines), net


def _header(number: str, entity: str, customer: Row, book: Sequence[Row], today: date, wanted: date) -> dict[str, Any]:
    header = {
        "AccountId": customer["Id"],
        "Pricebook2Id": book[0]["Pricebook2Id"],
        "CurrencyIsoCode": book[0]["CurrencyIsoCode"],
        "EffectiveDate": today.isoformat(),
        "Requested_Date__c": wanted.isoformat(),
        "PoNumber": number,
        "Legal_Entity__c": entity,
    }
    # goods go where the customer says, else where the bill goes
    shipped_to = "Shipping" if customer["ShippingCountryCode"] else "Billing"
    header |= {f"Billing{part}": customer[f"Billing{part}"] for part in _PARTS}
    return header | {f"Shipping{part}": customer[f"{shipped_to}{part}"] for part in _PARTS}
