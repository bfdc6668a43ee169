"""Price book entries: one per price book, product and currency, and a standard one before any other.

Sources: Object Reference, PricebookEntry; the error codes and messages are those clients report
(``STANDARD_PRICE_NOT_DEFINED``; "This price definition already exists in this price book").
"""

from dataclasses import dataclass

from sandbox.salesforce.records.rules import Record

_STANDARD = """
SELECT e.UnitPrice FROM PricebookEntry e JOIN Pricebook2 b ON b.Id = e.Pricebook2Id
WHERE b.IsStandard = 1 AND e.IsDeleted = 0 AND e.Product2Id = ? AND e.CurrencyIsoCode = ?
"""
_TAKEN = """
SELECT 1 FROM PricebookEntry
WHERE IsDeleted = 0 AND Product2Id = ? AND Pricebook2Id = ? AND CurrencyIsoCode = ?
"""
_FOLLOW = """
UPDATE PricebookEntry SET UnitPrice = ?, LastModifiedDate = ?, LastModifiedById = ?, SystemModstamp = ?
WHERE Product2Id = ? AND CurrencyIsoCode = ? AND UseStandardPrice = 1 AND IsDeleted = 0
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a price book entry needs, and what follows from one in the standard price book.

    An entry with UseStandardPrice has the standard price, now and later. An inactive entry still takes its place.
    """

    vias: tuple[str, ...] = ("Pricebook2Id",)

    def apply(self, record: Record) -> None:
        saved, product, currency = record.saved, record["Product2Id"], record["CurrencyIsoCode"]
        place = (product, record["Pricebook2Id"], currency)
        if record.new and (place in saved.seen or saved.db.execute(_TAKEN, place).fetchone()):
            record.refuse("FIELD_INTEGRITY_EXCEPTION", "This price definition already exists in this price book")
            return
        saved.seen.add(place)
        if record.parent("Pricebook2Id").get("IsStandard"):
            if not record.new and record.changes("UnitPrice"):
                who = (saved.stamp, saved.actor.user_id, saved.stamp)
                saved.db.execute(_FOLLOW, (record["UnitPrice"], *who, product, currency))
            return
        standard = saved.db.execute(_STANDARD, (product, currency)).fetchone()
        if standard is None and record.new:
            record.refuse(
                "STANDARD_PRICE_NOT_DEFINED", "Before creating a custom price, create a standard price.", "Pricebook2Id"
            )
        elif standard is not None and record["UseStandardPrice"]:
            record.set("UnitPrice", standard[0])
