"""What the sample company's customers order: orders and committed deals in Salesforce, priced from the price books the ERPs keep.

They are told by their customer's order number (PO-…, DEAL-…), so that loading twice adds nothing. The same seed gives the same
ones as long as customers and price books are the same.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.company.org import Org

PREFIX, DEAL = "PO-", "DEAL-"
SEED = 20260301
CENT = Decimal("0.01")

_PARTS = ("Street", "City", "State", "PostalCode", "CountryCode")
_ADDRESS = tuple(f"{kind}{part}" for kind in ("Billing", "Shipping") for part in _PARTS)

# what is wrong with some of them, and how many of each
DISCOUNTED = 3  # far below the list: somebody has to approve it
NO_DATE_LEFT = 2  # wanted before it was ordered

DEALS = 4  # opportunities per legal entity that are won
BOTH = 1  # of them sales made an order of, too


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """How something is asked for in Salesforce: a record, its lines, and the value that commits it once they are there."""

    sobject: str
    item: str
    parent: str
    number: str
    begins: Mapping[str, str]
    commits: Mapping[str, str]


ORDER = Kind(
    sobject="Order",
    item="OrderItem",
    parent="OrderId",
    number="PoNumber",
    begins={"Status": "Draft"},
    commits={"Status": "Activated"},
)
OPPORTUNITY = Kind(
    sobject="Opportunity",
    item="OpportunityLineItem",
    parent="OpportunityId",
    number="PO_Number__c",
    begins={"StageName": "Negotiation"},
    commits={"StageName": "Closed Won"},
)


@dataclass(slots=True, kw_only=True)
class Ordered:
    """What loading did; `refused` has the org's reason for each order number it would not take."""

    orders: int = 0
    deals: int = 0
    lines: int = 0
    there_before: int = 0
    refused: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        told = f"{self.orders} orders activated, {self.deals} deals won, {self.lines} lines; {self.there_before} were there"
        return f"{told}, {len(self.refused)} refused by the org" if self.refused else told


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One order before it is in the org, the `place`th of its kind and legal entity."""

    number: str
    place: int
    header: Mapping[str, Any]
    lines: tuple[Mapping[str, Any], ...]


def order(org: Org, *, per_entity: int, today: date) -> Ordered:
    """Have `per_entity` activated orders, and some deals that are won, of every legal entity that has customers and a price book
    in the org.

    Raises:
        OrgRefused: the org can't be reached or refused a whole call.
    """
    done = Ordered()
    drafts = list(_drafts(org, per_entity, today))
    deals = [_deal(draft) for draft in drafts if draft.number.startswith(DEAL)]
    ids = _commit(org, OPPORTUNITY, deals, done)
    orders = [draft for draft in drafts if draft.number.startswith(PREFIX)]
    of_deals = [draft for draft in drafts if draft.number.startswith(DEAL) and draft.place <= BOTH]
    # a deal that was there before has its order already, or was left by a loading that broke off: the next one makes it
    ids |= {row["PO_Number__c"]: row["Id"] for row in _known(org, OPPORTUNITY, DEAL)}
    orders += [
        replace(one, header={**one.header, "OpportunityId": ids[one.number]}) for one in of_deals if one.number in ids
    ]
    _commit(org, ORDER, orders, done)
    return done


def _known(org: Org, kind: Kind, prefix: str) -> Iterable[Mapping[str, Any]]:
    soql = f"SELECT Id, {kind.number} FROM {kind.sobject} WHERE {kind.number} LIKE '{prefix}%'"  # noqa: S608 - our own words
    return org.query(soql)


def _commit(org: Org, kind: Kind, drafts: Sequence[Draft], done: Ordered) -> dict[str, str]:
    """Have these in the org, whole and committed; number → id of those that are new."""
    known = {row[kind.number] for prefix in (PREFIX, DEAL) for row in _known(org, kind, prefix)}
    done.there_before += len(known)
    drafts = [draft for draft in drafts if draft.number not in known]
    ids = _create(org, kind, drafts, done)
    kept = [draft for draft in drafts if draft.number in ids]
    lines = [(draft, line) for draft in kept for line in draft.lines]
    items = [{"attributes": {"type": kind.item}, kind.parent: ids[draft.number], **line} for draft, line in lines]
    for (draft, _), result in zip(lines, org.create(items), strict=True):
        if result["success"]:
            done.lines += 1
        else:
            done.refused[draft.number] = _reason(result)
    ready = [draft for draft in kept if draft.number not in done.refused]
    updates = [{"attributes": {"type": kind.sobject}, "id": ids[draft.number], **kind.commits} for draft in ready]
    for draft, result in zip(ready, org.update(updates), strict=True):
        if not result["success"]:
            done.refused[draft.number] = _reason(result)
        elif kind is ORDER:
            done.orders += 1
        else:
            done.deals += 1
    return ids


def _create(org: Org, kind: Kind, drafts: Sequence[Draft], done: Ordered) -> dict[str, str]:
    records = [{"attributes": {"type": kind.sobject}, **kind.begins, **draft.header} for draft in drafts]
    ids: dict[str, str] = {}
    for draft, result in zip(drafts, org.create(records), strict=True):
        if result["success"]:
            ids[draft.number] = result["id"]
        else:
            done.refused[draft.number] = _reason(result)
    return ids


def _deal(draft: Draft) -> Draft:
    """The same as a deal: it has no addresses, and its lines say the list's price and the discount."""
    header = {name: value for name, value in draft.header.items() if name not in _ADDRESS}
    number, day = header.pop("PoNumber"), header.pop("EffectiveDate")
    lines = tuple(
        {name: value for name, value in line.items() if name != "Discount_Percent__c"} for line in draft.lines
    )
    named = {"Name": f"Deal {number}", "PO_Number__c": number, "CloseDate": day}
    return replace(draft, header=header | named, lines=lines)


def _drafts(org: Org, per_entity: int, today: date) -> Iterable[Draft]:
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
    for entity in sorted(books):
        theirs = [one for one in customers if one["Legal_Entities__c"] == entity]
        # the standard list of a legal entity is the one with most products, by name where several have
        book = max(books[entity].values(), key=lambda some: (len(some), some[0]["Pricebook2"]["Name"]))
        chance = random.Random(f"{SEED} {entity}")
        for number in range(1, per_entity + 1 if theirs else 1):
            yield _draft(f"{PREFIX}{entity}-{number:04d}", number, entity, chance.choice(theirs), book, chance, today)
        chance = random.Random(f"{SEED} {entity} deals")
        for number in range(1, DEALS + 1 if theirs else 1):
            customer = chance.choice(theirs)
            yield _draft(f"{DEAL}{entity}-{number:04d}", number, entity, customer, book, chance, today)


def _draft(
    number: str,
    place: int,
    entity: str,
    customer: Mapping[str, Any],
    book: Sequence[Mapping[str, Any]],
    chance: random.Random,
    today: date,
) -> Draft:
    deal = number.startswith(DEAL)
    cheap = place <= DISCOUNTED and not deal
    late = DISCOUNTED < place <= DISCOUNTED + NO_DATE_LEFT and not deal
    wanted = today + timedelta(days=-7 if late else chance.randint(3, 30))
    chosen = chance.sample(list(book), min(len(book), chance.randint(1, 4)))
    lines = []
    for entry in chosen:
        discount = Decimal(40) if cheap else Decimal(0 if deal else chance.choice((0, 0, 0, 2, 5)))
        price = (Decimal(str(entry["UnitPrice"])) * (100 - discount) / 100).quantize(CENT, ROUND_HALF_UP)
        line = {"PricebookEntryId": entry["Id"], "Quantity": chance.randint(1, 6), "UnitPrice": float(price)}
        lines.append(line | ({"Discount_Percent__c": float(discount)} if discount else {}))
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
    return Draft(number=number, place=place, header=header, lines=tuple(lines))


def _reason(result: Mapping[str, Any]) -> str:
    return "; ".join(f"{error['statusCode']}: {error['message']}" for error in result["errors"])
