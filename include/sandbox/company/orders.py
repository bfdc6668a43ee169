"""What the sample company's customers order: orders and committed deals in Salesforce (sandbox.company.demand).

They are told by their customer's order number (PO-…, DEAL-…): a legal entity that has orders gets no new ones, as who can afford
what has changed by then. So loading twice adds nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from sandbox.company.demand import ADDRESS, DEAL, PREFIX, Draft, drafts
from sandbox.company.org import Org

BOTH = 1  # of the deals of a legal entity sales made an order of, too


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


def order(org: Org, *, per_entity: int, today: date) -> Ordered:
    """Have `per_entity` activated orders, and some deals that are won, of every legal entity that has customers and a price book
    in the org.

    Raises:
        OrgRefused: the org can't be reached or refused a whole call.
    """
    done = Ordered()
    wanted = list(drafts(org, per_entity=per_entity, today=today))
    deals = [_deal(draft) for draft in wanted if draft.number.startswith(DEAL)]
    ids = _commit(org, OPPORTUNITY, deals, done)
    orders = [draft for draft in wanted if draft.number.startswith(PREFIX)]
    of_deals = [draft for draft in wanted if draft.number.startswith(DEAL) and draft.place <= BOTH]
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
    known = [row[kind.number] for prefix in (PREFIX, DEAL) for row in _known(org, kind, prefix)]
    done.there_before += len(known)
    sold = {number.split("-")[1] for number in known}
    drafts = [draft for draft in drafts if draft.header["Legal_Entity__c"] not in sold]
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
    header = {name: value for name, value in draft.header.items() if name not in ADDRESS}
    number, day = header.pop("PoNumber"), header.pop("EffectiveDate")
    lines = tuple(
        {name: value for name, value in line.items() if name != "Discount_Percent__c"} for line in draft.lines
    )
    named = {"Name": f"Deal {number}", "PO_Number__c": number, "CloseDate": day}
    return replace(draft, header=header | named, lines=lines)


def _reason(result: Mapping[str, Any]) -> str:
    return "; ".join(f"{error['statusCode']}: {error['message']}" for error in result["errors"])
