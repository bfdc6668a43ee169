"""What an exception is about, in business words, whose queue it goes to, and what to do. A closed vocabulary."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Queue(StrEnum):
    """Who works an exception."""

    SALES_OPERATIONS = "sales operations"
    FINANCE = "finance"
    MASTER_DATA = "master data"
    INTEGRATION = "integration"


class Category(StrEnum):
    """Business-readable category of an exception."""

    MISSING_VALUE = "missing value"
    INVALID_VALUE = "invalid value"
    TOO_LONG = "value too long"
    DUPLICATE = "possible duplicate"
    DUPLICATE_KEY = "duplicate key"
    HIERARCHY_LOOP = "hierarchy loop"
    PARENT_MISSING = "waits for its parent"
    REFERENCE_UNKNOWN = "unknown reference"
    NO_LEGAL_ENTITY = "no legal entity"
    CURRENCY_MISMATCH = "currency does not fit the legal entity"
    PRICE_IN_DOUBT = "price in doubt"
    TAX_UNDECIDED = "tax can't be decided"
    AMOUNTS = "amounts do not add up"
    DATES = "dates out of order"
    NOT_SOLD_TO = "legal entity does not sell to the customer"
    OTHER_ERP = "product of another ERP"
    NOT_SOLD = "product no longer sold"
    PRICE_DIFFERS = "price differs from the list"
    DISCOUNT = "discount above the limit"
    TOTAL_DIFFERS = "total is not the sum of the lines"
    TERMS_UNKNOWN = "payment terms unknown"
    CREDIT_HOLD = "customer on credit hold"
    CREDIT_LIMIT = "credit limit exceeded"
    CLOSED_PERIOD = "closed period"
    ORDER_FIXED = "fixed once the order is accepted"
    ALREADY_FULFILLED = "already shipped or invoiced"
    CONTRACT_FIXED = "fixed once the contract runs"
    ALREADY_BILLED = "already billed"
    REFUSED = "refused by the system"
    NOT_PERMITTED = "not permitted"
    LOCKED = "record locked"
    TABLES_LOCKED = "tables locked"
    INTERRUPTED = "interrupted"
    CLAIMED_ELSEWHERE = "being written by another run"
    ELSEWHERE = "still in another ERP"
    OUTAGE = "system unavailable"
    MAINTENANCE = "system in maintenance"
    QUOTA = "requests kept for others"
    DRIFT = "schema drift"
    BATCH_REFUSED = "batch refused by its gate"
    NOT_THERE = "missing in the other system"
    NOT_IN_SOURCE = "not in the system it comes from"
    FIELD_DIFFERS = "fields differ between the systems"
    AMOUNT_DIFFERS = "amounts differ between the systems"
    STATUS_LAG = "status is behind"
    LINK_BROKEN = "link between the systems is broken"
    SUBSCRIBER = "subscriber does not take events"


# what keeps a record from passing: the hub's word for it
KINDS = ("quarantined", "rejected", "parked", "duplicate", "difference", "approval")

# where a review of a failing rule may stand until it is settled
REVIEW_STATES = ("open", "acknowledged", "accepted")

# exceptions of a flow that are about no record of it: their key names a batch, or a field
ABOUT_NO_RECORD = (Category.BATCH_REFUSED, Category.DRIFT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handling:
    """Owner queue, severity (1 low … 4 blocks business) and the first thing to do; `{source}` stands for the system the
    record comes from."""

    queue: Queue
    severity: int
    remedy: str


_CORRECT = "approve the correction, or refuse it to leave things as they are."

HANDLING: dict[Category, Handling] = {
    Category.MISSING_VALUE: Handling(
        queue=Queue.SALES_OPERATIONS, severity=2, remedy="Fill in the field in {source}; the next run takes it."
    ),
    Category.INVALID_VALUE: Handling(
        queue=Queue.SALES_OPERATIONS, severity=2, remedy="Correct the field in {source}; the next run takes it."
    ),
    Category.TOO_LONG: Handling(
        queue=Queue.SALES_OPERATIONS, severity=1, remedy="Shorten the value in {source}; the next run takes it."
    ),
    Category.DUPLICATE: Handling(
        queue=Queue.MASTER_DATA,
        severity=3,
        remedy="Compare the two records: merge them in {source}, or correct the one that is wrong.",
    ),
    Category.DUPLICATE_KEY: Handling(
        queue=Queue.MASTER_DATA, severity=3, remedy="Give one of the records its own key."
    ),
    Category.HIERARCHY_LOOP: Handling(
        queue=Queue.MASTER_DATA, severity=2, remedy="Correct the parents in {source} so that no record is above itself."
    ),
    Category.PARENT_MISSING: Handling(
        queue=Queue.SALES_OPERATIONS,
        severity=1,
        remedy="Nothing, if the record it belongs to is on its way; else mend what holds that one.",
    ),
    Category.REFERENCE_UNKNOWN: Handling(
        queue=Queue.MASTER_DATA, severity=2, remedy="Create or link the record it refers to."
    ),
    Category.NO_LEGAL_ENTITY: Handling(
        queue=Queue.SALES_OPERATIONS, severity=2, remedy="Choose at least one legal entity in {source}."
    ),
    Category.CURRENCY_MISMATCH: Handling(
        queue=Queue.FINANCE, severity=2, remedy="Agree the currency with finance and correct it in {source}."
    ),
    Category.PRICE_IN_DOUBT: Handling(
        queue=Queue.FINANCE, severity=3, remedy="Correct the price list in {source}; the next run takes it."
    ),
    Category.TAX_UNDECIDED: Handling(
        queue=Queue.FINANCE, severity=3, remedy="Fill in what decides the tax in {source}; the next run takes it."
    ),
    Category.AMOUNTS: Handling(
        queue=Queue.FINANCE,
        severity=3,
        remedy="Compare the document with the books in {source} and correct it there; the next run takes it.",
    ),
    Category.DATES: Handling(
        queue=Queue.FINANCE, severity=1, remedy="Correct the date in {source}; the next run takes it."
    ),
    Category.NOT_SOLD_TO: Handling(
        queue=Queue.SALES_OPERATIONS,
        severity=3,
        remedy="Choose a legal entity the customer buys from, or add this one to the customer in {source} and replay.",
    ),
    Category.OTHER_ERP: Handling(
        queue=Queue.SALES_OPERATIONS,
        severity=3,
        remedy="Choose products of the legal entity that sells, or the legal entity that sells them, in {source}.",
    ),
    Category.NOT_SOLD: Handling(
        queue=Queue.SALES_OPERATIONS, severity=2, remedy="Replace the product in {source}, or have it sold again."
    ),
    Category.PRICE_DIFFERS: Handling(
        queue=Queue.SALES_OPERATIONS,
        severity=3,
        remedy="Agree today's price with the customer and correct it in {source}, or have the ERP's list corrected and replay.",
    ),
    Category.DISCOUNT: Handling(
        queue=Queue.SALES_OPERATIONS, severity=3, remedy="Have the discount approved, or lower it in {source}."
    ),
    Category.TOTAL_DIFFERS: Handling(
        queue=Queue.SALES_OPERATIONS,
        severity=3,
        remedy="Correct the lines in {source} so that they add up to the total.",
    ),
    Category.TERMS_UNKNOWN: Handling(
        queue=Queue.FINANCE, severity=2, remedy="Choose terms the group knows in {source}, or have finance set them up."
    ),
    Category.CREDIT_HOLD: Handling(
        queue=Queue.FINANCE, severity=3, remedy="Take the customer off hold in the ERP; the order then goes by itself."
    ),
    Category.CREDIT_LIMIT: Handling(
        queue=Queue.FINANCE,
        severity=3,
        remedy="Raise the limit, or book a payment, in the ERP: the order waits there and is then accepted by itself.",
    ),
    Category.CLOSED_PERIOD: Handling(
        queue=Queue.FINANCE,
        severity=2,
        remedy="Reopen the period in the ERP, or give the order a later date in {source}.",
    ),
    Category.ORDER_FIXED: Handling(
        queue=Queue.SALES_OPERATIONS,
        severity=2,
        remedy="Undo the change in {source}; what is new goes with an order of its own.",
    ),
    Category.ALREADY_FULFILLED: Handling(
        queue=Queue.SALES_OPERATIONS,
        severity=2,
        remedy="Undo the change in {source}; agree a return or a credit note with finance.",
    ),
    Category.CONTRACT_FIXED: Handling(
        queue=Queue.SALES_OPERATIONS,
        severity=2,
        remedy="Undo the change in {source}; what is new goes with a contract of its own.",
    ),
    Category.ALREADY_BILLED: Handling(
        queue=Queue.SALES_OPERATIONS,
        severity=2,
        remedy="Undo the change in {source}: end the line after what is billed and begin a new one, or agree a credit with finance.",
    ),
    Category.REFUSED: Handling(
        queue=Queue.MASTER_DATA, severity=3, remedy="Read the system's answer, correct the record, and replay it."
    ),
    Category.NOT_PERMITTED: Handling(
        queue=Queue.INTEGRATION, severity=3, remedy="Grant the integration user the permission the answer names."
    ),
    Category.LOCKED: Handling(
        queue=Queue.INTEGRATION, severity=1, remedy="Nothing: it is tried again by the next run."
    ),
    Category.TABLES_LOCKED: Handling(
        queue=Queue.INTEGRATION, severity=1, remedy="Nothing: it is tried again by the next run."
    ),
    Category.INTERRUPTED: Handling(
        queue=Queue.INTEGRATION, severity=1, remedy="Nothing: it is read again by the next run."
    ),
    Category.CLAIMED_ELSEWHERE: Handling(
        queue=Queue.INTEGRATION, severity=1, remedy="Nothing: it is read again by the next run."
    ),
    Category.ELSEWHERE: Handling(
        queue=Queue.INTEGRATION, severity=1, remedy="Nothing: it goes when the ERP that has the record has let it go."
    ),
    Category.OUTAGE: Handling(queue=Queue.INTEGRATION, severity=2, remedy="Nothing: it goes when the system is back."),
    Category.MAINTENANCE: Handling(
        queue=Queue.INTEGRATION, severity=1, remedy="Nothing: it goes when the maintenance is over."
    ),
    Category.QUOTA: Handling(
        queue=Queue.INTEGRATION, severity=1, remedy="Nothing: it goes when there are requests left for it."
    ),
    Category.DRIFT: Handling(
        queue=Queue.INTEGRATION, severity=3, remedy="Restore the field or its permission, or change the mapping."
    ),
    Category.BATCH_REFUSED: Handling(
        queue=Queue.INTEGRATION,
        severity=4,
        remedy="Read the gate's report; mend the source or accept the finding, then run the flow again.",
    ),
    Category.NOT_THERE: Handling(
        queue=Queue.INTEGRATION, severity=3, remedy=f"Find out why it is not there, then {_CORRECT}"
    ),
    Category.NOT_IN_SOURCE: Handling(
        queue=Queue.MASTER_DATA, severity=3, remedy=f"Find out whether it was deleted on purpose, then {_CORRECT}"
    ),
    Category.FIELD_DIFFERS: Handling(
        queue=Queue.MASTER_DATA, severity=2, remedy=f"Ask who changed it: {{source}} owns these fields; then {_CORRECT}"
    ),
    Category.AMOUNT_DIFFERS: Handling(
        queue=Queue.FINANCE, severity=4, remedy=f"Compare with the books in {{source}}, then {_CORRECT}"
    ),
    Category.STATUS_LAG: Handling(
        queue=Queue.INTEGRATION, severity=2, remedy=f"Find out why its flow did not bring it, then {_CORRECT}"
    ),
    Category.LINK_BROKEN: Handling(
        queue=Queue.INTEGRATION, severity=2, remedy=f"See that both records are the same one, then {_CORRECT}"
    ),
    Category.SUBSCRIBER: Handling(
        queue=Queue.INTEGRATION,
        severity=3,
        remedy="Mend the receiver, or its connection; its events wait, and go by themselves or at once after `accord outbox resume`.",
    ),
}


def remedy(category: Category, source: str) -> str:
    """The first thing to do about a record that comes from the system `source`."""
    return HANDLING[category].remedy.format(source="Salesforce" if source == "salesforce" else f"the ERP ({source})")
