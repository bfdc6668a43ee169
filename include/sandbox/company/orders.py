"""What the sample company's customers order: orders in Salesforce, priced from the price books the ERPs keep.

Orders are told by their customer's order number (PO-…): a legal entity that has some gets no more, so that loading twice adds
nothing. Most customers buy what finance lets them; the same seed gives the same orders as long as customers, their credit and
the price books are the same.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.company.org import Org

PREFIX = "PO-"
SEED = 20260301
CENT = Decimal("0.01")

_PARTS = ("Street", "City", "State", "PostalCode", "CountryCode")
_ADDRESS = tuple(f"{kind}{part}" for kind in ("Billing", "Shipping") for part in _PARTS)

# what is wrong with some of them, and how many of each
DISCOUNTED = 3  # far below the list: somebody has to approve it
NO_DATE_LEFT = 2  # wanted before it was ordered
BEYOND_CREDIT = 4  # sold to whoever comes by, whatever finance says of them
BAD = DISCOUNTED + NO_DATE_LEFT + BEYOND_CREDIT
UNLIMITED = Decimal(10**9)
TAXED = Decimal("1.25")  # what an order may come to with tax, of its net amount


@dataclass(slots=True, kw_only=True)
class Ordered:
    """What loading did; `refused` has the org's reason for each order number it would not take."""

    orders: int = 0
    lines: int = 0
    there_before: int = 0
    refused: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        told = f"{self.orders} orders with {self.lines} lines activated, {self.there_before} were there"
        return f"{told}, {len(self.refused)} refused by the org" if self.refused else told


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One order before it is in the org."""

    number: str
    header: Mapping[str, Any]
    lines: tuple[Mapping[str, Any], ...]


def order(org: Org, *, per_entity: int, today: date) -> Ordered:
    """Have `per_entity` activated orders of every legal entity that has customers and a price book in the org.

    Raises:
        OrgRefused: the org can't be reached or refused a whole call.
    """
    done = Ordered()
    soql = f"SELECT PoNumber FROM Order WHERE PoNumber LIKE '{PREFIX}%'"  # noqa: S608 - our own words
    known = {row["PoNumber"] for row in org.query(soql)}
    sold = {number.removeprefix(PREFIX).partition("-")[0] for number in known}
    drafts = list(_drafts(org, per_entity, today, sold))
    done.there_before = len(known)
    ids = _create(org, drafts, done)
    kept = [draft for draft in drafts if draft.number in ids]
    lines = [(draft, line) for draft in kept for line in draft.lines]
    items = [{"attributes": {"type": "OrderItem"}, "OrderId": ids[draft.number], **line} for draft, line in lines]
    for (draft, _), result in zip(lines, org.create(items), strict=True):
        if result["success"]:
            done.lines += 1
        else:
            done.refused[draft.number] = _reason(result)
    ready = [draft for draft in kept if draft.number not in done.refused]
    updates = [{"attributes": {"type": "Order"}, "id": ids[draft.number], "Status": "Activated"} for draft in ready]
    for draft, result in zip(ready, org.update(updates), strict=True):
        if result["success"]:
            done.orders += 1
        else:
            done.refused[draft.number] = _reason(result)
    return done


def _create(org: Org, drafts: Sequence[Draft], done: Ordered) -> dict[str, str]:
    records = [{"attributes": {"type": "Order"}, "Status": "Draft", **draft.header} for draft in drafts]
    ids: dict[str, str] = {}
    for draft, result in zip(drafts, org.create(records), strict=True):
        if result["success"]:
            ids[draft.number] = result["id"]
        else:
            done.refused[draft.number] = _reason(result)
    return ids


def _drafts(org: Org, per_entity: int, today: date, sold: set[str]) -> Iterable[Draft]:
    customers = list(
        org.query(
            f"SELECT Id, AccountNumber, Legal_Entities__c, {', '.join(_ADDRESS)} FROM Account "  # noqa: S608 - our own words
            "WHERE AccountNumber LIKE 'MI-%' AND ERP_Sync_Status__c = 'Synced' ORDER BY AccountNumber"
        )
    )
    entries = list(
        org.query(
            "SELECT Id, UnitPrice, CurrencyIsoCode, Pricebook2Id, Pricebook2.Legal_Entity__c, Pricebook2.Name FROM PricebookEntry "
            "WHERE IsActive = TRUE AND Pricebook2.IsActive = TRUE AND Pricebook2.Legal_Entity__c != NULL "
            "AND Product2.IsActive = TRUE ORDER BY Pricebook2.Name, Product2.ProductCode"
        )
    )
    books: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for entry in entries:
        entity = entry["Pricebook2"]["Legal_Entity__c"]
        books.setdefault(entity, {}).setdefault(entry["Pricebook2Id"], []).append(entry)
    for entity in sorted(set(books) - sold):
        theirs = [one for one in customers if one["Legal_Entities__c"] == entity]
        credit = _credit(org, entity)
        # the standard list of a legal entity is the one with most products, by name where several have
        book = max(books[entity].values(), key=lambda some: (len(some), some[0]["Pricebook2"]["Name"]))
        chance = random.Random(f"{SEED} {entity}")
        for number in range(1, per_entity + 1 if theirs else 1):
            lines, net = _lines(book, number, chance)
            able = [one for one in theirs if credit.get(one["Id"], Decimal(0)) >= net * TAXED]
            if number > BAD and not able:
                continue  # nobody can afford it
            customer = chance.choice(able if number > BAD else theirs)
            credit[customer["Id"]] = credit.get(customer["Id"], Decimal(0)) - net * TAXED
            yield _draft(f"{PREFIX}{entity}-{number:04d}", number, entity, customer, book, lines, chance, today)


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
    book: Sequence[Mapping[str, Any]], place: int, chance: random.Random
) -> tuple[tuple[Mapping[str, Any], ...], Decimal]:
    """An order's lines, and what they come to."""
    chosen = chance.sample(list(book), min(len(book), chance.randint(1, 4)))
    lines, net = [], Decimal(0)
    for entry in chosen:
        discount = Decimal(40) if place <= DISCOUNTED else Decimal(chance.choice((0, 0, 0, 2, 5)))
        price = (Decimal(str(entry["UnitPrice"])) * (100 - discount) / 100).quantize(CENT, ROUND_HALF_UP)
        line = {"PricebookEntryId": entry["Id"], "Quantity": chance.randint(1, 6), "UnitPrice": float(price)}
        lines.append(line | ({"Discount_Percent__c": float(discount)} if discount else {}))
        net += price * line["Quantity"]
    return tuple(lines), net


def _draft(
    number: str,
    place: int,
    entity: str,
    customer: Mapping[str, Any],
    book: Sequence[Mapping[str, Any]],
    lines: tuple[Mapping[str, Any], ...],
    chance: random.Random,
    today: date,
) -> Draft:
    late = DISCOUNTED < place <= DISCOUNTED + NO_DATE_LEFT
    wanted = today + timedelta(days=-7 if late else chance.randint(3, 30))
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
    header |= {f"Shipping{part}": customer[f"{shipped_to}{part}"] for part in _PARTS}
    return Draft(number=number, header=header, lines=lines)


def _reason(result: Mapping[str, Any]) -> str:
    return "; ".join(f"{error['statusCode']}: {error['message']}" for error in result["errors"])
