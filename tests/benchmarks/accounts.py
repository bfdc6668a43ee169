"""Made-up accounts of realistic width, as CSV for the Bulk API: customers of the legal entity the legacy ERP keeps."""

from __future__ import annotations

from collections.abc import Iterator

COLUMNS = (
    "Name", "Legal_Name__c", "CurrencyIsoCode", "Tax_Registration__c", "Phone", "Website", "Legal_Entities__c",
    "BillingStreet", "BillingCity", "BillingState", "BillingPostalCode", "BillingCountryCode",
    "ShippingStreet", "ShippingCity", "ShippingState", "ShippingPostalCode", "ShippingCountryCode",
)  # fmt: skip
AT_ONCE = 100_000  # rows of one ingest job
_WORDS = "Northern Summit Harbor Cascade Pioneer Granite Lakeside Meridian Redwood Sterling Juniper Anchor".split()
_TRADES = "Instruments Logistics Analytics Foods Robotics Materials Optics Energy Diagnostics Tooling Packaging".split()
_STREETS = "Industrial Parkway,Commerce Boulevard,Market Street,Harbor View Drive,Innovation Way,Old Mill Road".split(
    ","
)
_PLACES = (("Houston", "Texas", 77002), ("Portland", "Oregon", 97201), ("Columbus", "Ohio", 43004), ("Raleigh", "North Carolina", 27513),
           ("Sacramento", "California", 94203), ("Minneapolis", "Minnesota", 55401), ("Tampa", "Florida", 33601))  # fmt: skip
_EIN = ("20", "26", "27", "45", "46", "47", "81", "82")


def account(n: int) -> tuple[str, ...]:
    """The values of COLUMNS of account number `n`."""
    word, trade = _WORDS[n % len(_WORDS)], _TRADES[n // 3 % len(_TRADES)]
    city, state, postal = _PLACES[n % len(_PLACES)]
    there, beyond, code = _PLACES[(n + 3) % len(_PLACES)]
    name = f"{word} {trade} {n:07d}"
    return (
        name, f"{name} Incorporated", "USD", f"{_EIN[n % len(_EIN)]}-{n % 10_000_000:07d}",
        f"+1 713 {n // 10_000 % 1000:03d} {n % 10_000:04d}", f"https://www.{word.lower()}-{trade.lower()}-{n}.example.com",
        "US01", f"{n % 9000 + 100} {_STREETS[n % len(_STREETS)]} Suite {n % 400}", city, state, f"{postal}-{n % 10_000:04d}", "US",
        f"{n % 7000 + 100} {_STREETS[(n + 1) % len(_STREETS)]}", there, beyond, f"{code}", "US",
    )  # fmt: skip


def csv_of(count: int) -> Iterator[tuple[int, bytes]]:
    """(rows, CSV) of `count` accounts, a job at a time."""
    header = ",".join(COLUMNS)
    for first in range(0, count, AT_ONCE):
        last = min(count, first + AT_ONCE)
        rows = "\n".join(",".join(account(n)) for n in range(first, last))
        yield last - first, f"{header}\n{rows}\n".encode()
