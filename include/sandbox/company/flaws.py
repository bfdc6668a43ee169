"""The bad records of the sample: a declared number of each kind, each labelled with its flaw.

A flaw is something Salesforce lets people save and an ERP must not get: these records end as exceptions with a reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from random import Random
from types import MappingProxyType

from sandbox.company.places import COUNTRIES, Country
from sandbox.company.records import Account, Flaw

Make = Callable[[Country, str], Account]

# How many records of each kind. (Circular parents are not among them: Salesforce refuses those.)
DECLARED: Mapping[Flaw, int] = MappingProxyType(
    {
        Flaw.MISSING_COUNTRY: 4,
        Flaw.CURRENCY: 3,
        Flaw.SAME_REGISTRATION: 3,
        Flaw.SAME_NAME: 3,
        Flaw.TOO_LONG: 2,
        Flaw.NO_ENTITY: 3,
        Flaw.REGISTRATION: 3,
        Flaw.UNDER_FLAWED: 2,
    }
)
_UNISSUED = ("NL12345", "DE00000000X", "GB 12", "FRXX000000000", "??-000")
_LEGACY_NAME_LIMIT = 120  # what the legacy ERP's interface takes; Salesforce takes 255


def bad_records(good: list[Account], make: Make, random: Random) -> Iterator[Account]:
    """The declared bad records.

    Args:
        good: the accounts to be a twin of.
        make: makes a good account of a country and a name, to be spoiled.
        random: the seeded source of choices.
    """
    twins = iter(random.sample([one for one in good if one.tax_registration and not one.parent], k=40))
    missing: list[Account] = []
    for number in range(DECLARED[Flaw.MISSING_COUNTRY]):
        one = _fresh(make, random, f"Nowhere Trading {number}")
        one = replace(one, bill_to=replace(one.bill_to, country=None, region=None), flaw=Flaw.MISSING_COUNTRY)
        missing.append(one)
        yield one
    for number in range(DECLARED[Flaw.CURRENCY]):
        yield replace(make(COUNTRIES["US"], f"Mixed Money {number}"), currency="EUR", flaw=Flaw.CURRENCY)
    for number in range(DECLARED[Flaw.SAME_REGISTRATION]):
        twin = next(twins)
        one = make(COUNTRIES[twin.bill_to.country or "NL"], f"Second Entry {number}")
        yield replace(
            one,
            tax_registration=_retyped(twin.tax_registration or ""),
            legal_entities=twin.legal_entities,
            currency=twin.currency,
            flaw=Flaw.SAME_REGISTRATION,
        )
    for _ in range(DECLARED[Flaw.SAME_NAME]):
        twin = next(twins)
        one = make(COUNTRIES[twin.bill_to.country or "NL"], twin.name)
        yield replace(
            one,
            name=f"{twin.name.upper()} ",
            tax_registration=None,
            legal_entities=twin.legal_entities,
            currency=twin.currency,
            flaw=Flaw.SAME_NAME,
        )
    for number in range(DECLARED[Flaw.TOO_LONG]):
        long = (
            f"International Association for the Advancement of Measurement {number} and " + "Very " * 30 + "Long Names"
        )
        yield replace(
            make(COUNTRIES["US"], f"Long {number}"),
            name=long[: _LEGACY_NAME_LIMIT + 60].strip(),
            legal_name=None,
            flaw=Flaw.TOO_LONG,
        )
    for number in range(DECLARED[Flaw.NO_ENTITY]):
        yield replace(_fresh(make, random, f"Undecided Labs {number}"), legal_entities=(), flaw=Flaw.NO_ENTITY)
    for number in range(DECLARED[Flaw.REGISTRATION]):
        one = make(COUNTRIES[("NL", "DE", "GB", "FR", "US")[number % 5]], f"Typo Works {number}")
        yield replace(one, tax_registration=_UNISSUED[number % 5], flaw=Flaw.REGISTRATION)
    for number in range(DECLARED[Flaw.UNDER_FLAWED]):
        above = missing[number % len(missing)]
        one = _fresh(make, random, f"Nowhere Subsidiary {number}")
        yield replace(
            one,
            parent=above.number,
            legal_entities=above.legal_entities,
            currency=above.currency,
            flaw=Flaw.UNDER_FLAWED,
        )


def _fresh(make: Make, random: Random, stem: str) -> Account:
    return make(random.choice([COUNTRIES["NL"], COUNTRIES["DE"], COUNTRIES["US"]]), stem)


def _retyped(text: str) -> str:
    """The same registration as another person types it: without its hyphen, or with a blank."""
    return text.replace("-", "") if "-" in text else f"{text[:4]} {text[4:]}"
