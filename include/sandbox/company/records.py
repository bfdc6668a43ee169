"""What the sample company is made of: accounts with their addresses and contacts, as sales typed them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Flaw(StrEnum):
    """Why a record must not reach an ERP as it is."""

    MISSING_COUNTRY = "no bill-to country"
    CURRENCY = "a currency the legal entity does not trade in"
    SAME_REGISTRATION = "the tax registration of another account"
    SAME_NAME = "the name and country of another account"
    TOO_LONG = "a value longer than the ERP takes"
    NO_ENTITY = "no legal entity"
    REGISTRATION = "a tax registration no authority would issue"
    UNDER_FLAWED = "a parent that can't be taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A postal address; `country` ISO 3166-1 alpha-2 or None."""

    street: str | None
    city: str | None
    region: str | None
    postal_code: str | None
    country: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A person at an account."""

    first_name: str | None
    last_name: str
    email: str | None
    phone: str | None
    title: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account as sales keeps it. `number` is its stable name in the sample, `parent` another account's number."""

    number: str
    name: str
    currency: str
    bill_to: Address
    ship_to: Address | None
    legal_entities: tuple[str, ...]
    legal_name: str | None = None
    tax_registration: str | None = None
    phone: str | None = None
    website: str | None = None
    parent: str | None = None
    contacts: tuple[Contact, ...] = ()
    flaw: Flaw | None = None
