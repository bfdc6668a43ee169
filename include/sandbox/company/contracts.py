"""What the sample company's customers subscribe to: contracts in Salesforce, priced from the price books the ERPs keep.

Contracts are told by their description, so that loading twice adds nothing. Of every legal entity's, one is a ramp, one nears its
end, and one is refused: its ramp leaves a month out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.company.org import Org

PREFIX = "Subscription "
CENT = Decimal("0.01")
DAY = timedelta(days=1)
MONTHS = 12


@dataclass(slots=True, kw_only=True)
class Subscribed:
    """What loading did; `refused` has the org's reason for each contract it would not take."""

    contracts: int = 0
    lines: int = 0
    amended: int = 0
    there_before: int = 0
    refused: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        done = f"{self.contracts} contracts with {self.lines} lines activated, {self.there_before} were there"
        return f"{done}, {len(self.refused)} refused by the org" if self.refused else done


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One contract before it is in the org."""

    name: str
    header: Mapping[str, Any]
    lines: tuple[Mapping[str, Any], ...]


def subscribe(org: Org, *, per_entity: int, today: date) -> Subscribed:
    """Have `per_entity` activated contracts of every legal entity that has customers and subscriptions to sell in the org.

    Raises:
        OrgRefused: the org can't be reached or refused a whole call.
    """
    done = Subscribed()
    known = set(_known(org))
    done.there_before = len(known)
    drafts = [draft for draft in _drafts(org, per_entity, today) if draft.name not in known]
    ids: dict[str, str] = {}
    records = [{"attributes": {"type": "Contract"}, "Status": "Draft", **draft.header} for draft in drafts]
    for draft, result in zip(drafts, org.create(records), strict=True):
        if result["success"]:
            ids[draft.name] = result["id"]
        else:
            done.refused[draft.name] = _reason(result)
    kept = [draft for draft in drafts if draft.name in ids]
    done.lines += _lines(org, [(draft.name, ids[draft.name], line) for draft in kept for line in draft.lines], done)
    ready = [draft for draft in kept if draft.name not in done.refused]
    updates = [{"attributes": {"type": "Contract"}, "id": ids[one.name], "Status": "Activated"} for one in ready]
    for draft, result in zip(ready, org.update(updates), strict=True):
        if result["success"]:
            done.contracts += 1
        else:
            done.refused[draft.name] = _reason(result)
    return done


def amend(org: Org, *, today: date) -> int:
    """Sales amends one contract of each legal entity, the first: from next month on half as much again, at the same price. What was
    amended is left as it is. The number of contracts amended."""
    firsts = [f"'{id_}'" for name, id_ in _known(org).items() if name.endswith("-01")]
    if not firsts:
        return 0
    soql = (
        "SELECT Id, Contract__c, Contract__r.CurrencyIsoCode, Product__c, Quantity__c, Unit_Price__c, End_Date__c "  # noqa: S608
        f"FROM Contract_Line__c WHERE Contract__c IN ({', '.join(firsts)}) ORDER BY Contract__c, Start_Date__c"
    )
    lines: dict[str, list[dict[str, Any]]] = {}
    for row in org.query(soql):
        lines.setdefault(row["Contract__c"], []).append(row)
    turn = _months_after(today.replace(day=1), 1)
    amended = 0
    for contract, those in lines.items():
        first = those[0]
        if len(those) > 1 or date.fromisoformat(first["End_Date__c"]) < turn:
            continue
        more = {
            **_line(first["Product__c"], float(first["Quantity__c"]) + 2, first["Unit_Price__c"], turn, None),
            "End_Date__c": first["End_Date__c"],
            "CurrencyIsoCode": first["Contract__r"]["CurrencyIsoCode"],
            "Contract__c": contract,
        }
        ended = {
            "attributes": {"type": "Contract_Line__c"},
            "id": first["Id"],
            "End_Date__c": (turn - DAY).isoformat(),
        }
        results = [*org.update([ended]), *org.create([{"attributes": {"type": "Contract_Line__c"}, **more}])]
        amended += all(result["success"] for result in results)
    return amended


def _known(org: Org) -> dict[str, str]:
    """Description → id of the sample's contracts; a description can't be searched for."""
    rows = org.query("SELECT Id, Description FROM Contract")
    return {row["Description"]: row["Id"] for row in rows if (row["Description"] or "").startswith(PREFIX)}


def _lines(org: Org, lines: Sequence[tuple[str, str, Mapping[str, Any]]], done: Subscribed) -> int:
    records = [{"attributes": {"type": "Contract_Line__c"}, "Contract__c": id_, **line} for _, id_, line in lines]
    made = 0
    for (name, _, _), result in zip(lines, org.create(records), strict=True):
        if result["success"]:
            made += 1
        else:
            done.refused[name] = _reason(result)
    return made


def _drafts(org: Org, per_entity: int, today: date) -> Iterable[Draft]:
    customers = list(
        org.query(
            "SELECT Id, Legal_Entities__c FROM Account "
            "WHERE AccountNumber LIKE 'MI-%' AND ERP_Sync_Status__c = 'Synced' ORDER BY AccountNumber"
        )
    )
    entries = org.query(
        "SELECT Product2Id, UnitPrice, CurrencyIsoCode, Pricebook2.Legal_Entity__c, Pricebook2.Name FROM PricebookEntry "
        "WHERE IsActive = TRUE AND Pricebook2.IsActive = TRUE AND Pricebook2.Legal_Entity__c != NULL "
        "AND Product2.Family = 'Subscriptions' AND Product2.IsActive = TRUE ORDER BY Pricebook2.Name, Product2.ProductCode"
    )
    books: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for entry in entries:
        book = entry["Pricebook2"]
        books.setdefault(book["Legal_Entity__c"], {}).setdefault(book["Name"], []).append(entry)
    for entity in sorted(books):
        theirs = [one["Id"] for one in customers if one["Legal_Entities__c"] == entity]
        if not theirs:
            continue
        offered = next((some for name, some in sorted(books[entity].items()) if name.startswith("Standard")), None)
        for number in range(1, per_entity + 1 if offered else 1):
            yield _draft(entity, number, theirs[-number % len(theirs)], offered or [], today)


def _draft(entity: str, number: int, customer: str, offered: Sequence[Mapping[str, Any]], today: date) -> Draft:
    entry = offered[number % len(offered)]
    product, price = entry["Product2Id"], Decimal(str(entry["UnitPrice"]))
    first = today.replace(day=1)
    if number == 3:  # the third nears its end
        first = _months_after(first, 1 - MONTHS)
    elif number > 4:
        first = _months_after(first, -(number % 4))
    name = f"{PREFIX}{entity}-{number:02d}"
    if number == 2:
        lines = list(_ramp(product, price, first, gap=0))
    elif number == 4:
        lines = list(_ramp(product, price, first, gap=1))
    elif number % 3 == 0:
        lines = [_line(product, number, _rounded(price * 3), first, MONTHS, period="Quarterly")]
    else:
        lines = [_line(product, number, price, first, MONTHS)]
    currency = {"CurrencyIsoCode": entry["CurrencyIsoCode"]}
    header = {
        "AccountId": customer, "Description": name, "StartDate": first.isoformat(), "ContractTerm": MONTHS,
        "Legal_Entity__c": entity, "Payment_Terms__c": "NET30", **currency,
    }  # fmt: skip
    return Draft(name=name, header=header, lines=tuple({**line, **currency} for line in lines))


def _ramp(product: str, price: Decimal, first: date, *, gap: int) -> Iterator[dict[str, Any]]:
    """Three steps, each dearer than the one before; the second begins `gap` months late."""
    for step, share in enumerate((Decimal("0.6"), Decimal("0.8"), Decimal(1)), start=1):
        late = gap if step == 2 else 0
        begins = _months_after(first, (step - 1) * 4 + late)
        yield _line(product, 5, _rounded(price * share), begins, 4 - late) | {"Ramp_Step__c": step}


def _line(
    product: str, quantity: float, price: Decimal | float, first: date, months: int | None, *, period: str = "Monthly"
) -> dict[str, Any]:
    last = {"End_Date__c": (_months_after(first, months) - DAY).isoformat()} if months else {}
    return {
        "Product__c": product, "Quantity__c": quantity, "Unit_Price__c": float(price), "Billing_Period__c": period,
        "Start_Date__c": first.isoformat(), **last,
    }  # fmt: skip


def _months_after(day: date, months: int) -> date:
    """The first of a month so many months after another one."""
    years, month = divmod(day.month - 1 + months, MONTHS)
    return date(day.year + years, month + 1, day.day)


def _rounded(price: Decimal) -> Decimal:
    return price.quantize(CENT, ROUND_HALF_UP)


def _reason(result: Mapping[str, Any]) -> str:
    return "; ".join(f"{error['statusCode']}: {error['message']}" for error in result["errors"])
