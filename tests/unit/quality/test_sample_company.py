"""The sample company and the gate agree: what is made to be good passes, what is made to be bad fails with its reason."""

from __future__ import annotations

from accord.objects import CUSTOMER
from accord.quality.gate import Judgement
from sandbox.company.generator import company
from sandbox.company.records import Account, Address, Flaw
from tests.unit.quality.rows import Row, judge, suite, table

# The other flaws only show beside other records, in the target, or in the ERP that has a shorter field.
SEEN_BY_THE_GATE = {
    Flaw.MISSING_COUNTRY: "country.required",
    Flaw.CURRENCY: "currency.fits",
    Flaw.NO_ENTITY: "legal_entities.required",
    Flaw.REGISTRATION: "tax_registration.valid",
}


def row(account: Account) -> Row:
    return {
        "key": f"salesforce:{account.number}",
        "name": account.name.strip(),
        "legal_name": account.legal_name,
        "parent": f"salesforce:{account.parent}" if account.parent else None,
        "country": account.bill_to.country,
        "currency": account.currency,
        "tax_registration": account.tax_registration,
        "phone": account.phone,
        "website": account.website,
        "legal_entities": sorted(account.legal_entities),
        "addresses": [
            located("bill_to", account.bill_to),
            *([located("ship_to", account.ship_to)] if account.ship_to else []),
        ],
        "contacts": [
            {"id": f"salesforce:{account.number}-{n}", "last_name": one.last_name}
            for n, one in enumerate(account.contacts)
        ],
    }


def located(role: str, address: Address) -> Row:
    return {"role": role, "city": address.city, "postal_code": address.postal_code, "country": address.country}


def findings(judgement: Judgement) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for failure in judgement.failures.to_pylist():
        found.setdefault(failure["key"].removeprefix("salesforce:"), set()).add(failure["rule"])
    return found


def test_good_customers_pass_and_flawed_ones_fail_for_their_flaw() -> None:
    accounts = company()
    found = findings(judge(suite(CUSTOMER), table(CUSTOMER, [row(account) for account in accounts])))
    expected = {a.number: {SEEN_BY_THE_GATE[a.flaw]} for a in accounts if a.flaw in SEEN_BY_THE_GATE}
    assert len(expected) >= len(SEEN_BY_THE_GATE)
    assert found == expected
