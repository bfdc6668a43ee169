"""The sample in Salesforce's words: what goes over the wire for an account and its contacts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sandbox.company.records import Account, Address

Value = str | bool | float | None
Fields = dict[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One account to be in the org. `number` is what it is found again by, `parent` another row's number."""

    number: str
    fields: Fields
    parent: str | None = None
    contacts: tuple[Fields, ...] = field(default_factory=tuple)


def rows(accounts: Iterable[Account]) -> Iterator[Row]:
    """Each account as a row; what sales left empty is absent."""
    for account in accounts:
        yield Row(
            number=account.number, fields=_account(account), parent=account.parent, contacts=tuple(_contacts(account))
        )


def _account(account: Account) -> Fields:
    return _present(
        {
            "AccountNumber": account.number,
            "Name": account.name,
            "CurrencyIsoCode": account.currency,
            "Legal_Name__c": account.legal_name,
            "Legal_Entities__c": ";".join(account.legal_entities) or None,
            "Tax_Registration__c": account.tax_registration,
            "Phone": account.phone,
            "Website": account.website,
            **_address("Billing", account.bill_to),
            **(_address("Shipping", account.ship_to) if account.ship_to else {}),
        }
    )


def _address(kind: str, address: Address) -> Fields:
    return {
        f"{kind}Street": address.street,
        f"{kind}City": address.city,
        f"{kind}StateCode": address.region,
        f"{kind}PostalCode": address.postal_code,
        f"{kind}CountryCode": address.country,
    }


def _contacts(account: Account) -> Iterator[Fields]:
    for contact in account.contacts:
        yield _present(
            {
                "FirstName": contact.first_name,
                "LastName": contact.last_name,
                "Email": contact.email,
                "Phone": contact.phone,
                "Title": contact.title,
            }
        )


def _present(fields: Fields) -> Fields:
    return {name: value for name, value in fields.items() if value is not None}
