"""What the tests of the Salesforce adapter share: an org, connections to it, and its own users' doings."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from accord.settings import Connection
from accord.systems import open_system
from accord.systems.salesforce.adapter import Salesforce
from tests.fakes import FakeSending
from tests.salesforce_org import Org, RestSession


@dataclass(slots=True)
class Company:
    """An org with people in it: the administrator makes accounts and contacts as sales would."""

    org: Org
    admin: RestSession = field(init=False)
    _ahead: float = 0

    def __post_init__(self) -> None:
        self.admin = self.org.session(admin=True)

    def connection(self, **extra: Any) -> Connection:
        """The integration user's connection, impatient enough for tests."""
        return Connection(
            id="accord_salesforce",
            kind="salesforce",
            extra={
                "login_url": self.org.http,
                "consumer_key": self.org.client_id,
                "consumer_secret": self.org.client_secret,
                "retry_wait_s": 0.01,
                "bulk_poll_s": 0.05,
                "bulk_wait_s": 20,
                "request_timeout_s": 20,
                "longest_request_s": 1,
            }
            | extra,
        )

    def open(self, **extra: Any) -> Salesforce:
        """The adapter."""
        adapter = open_system("salesforce", self.connection(**extra))
        assert isinstance(adapter, Salesforce)
        return adapter

    def account(self, **values: Any) -> str:
        """A new account; returns its id."""
        name = f"Account {uuid.uuid4().hex}"
        given = {"Name": name, "BillingCountryCode": "NL", "CurrencyIsoCode": "EUR", "Legal_Entities__c": "NL01"}
        return self.admin.create("Account", **given | values)

    def contact(self, account: str, **values: Any) -> str:
        """A new contact; returns its id."""
        return self.admin.create("Contact", **{"AccountId": account, "LastName": "de Vries"} | values)

    def edit(self, sobject: str, id_: str, **values: Any) -> None:
        """Somebody changes a record."""
        answer = self.admin.patch(f"/sobjects/{sobject}/{id_}", json=values)
        assert answer.ok, answer.text

    def delete(self, sobject: str, id_: str) -> None:
        """Somebody deletes a record."""
        answer = self.admin.delete(f"/sobjects/{sobject}/{id_}")
        assert answer.ok, answer.text

    def soql(self, text: str) -> list[dict[str, Any]]:
        """What an administrator sees."""
        return self.admin.soql(text)

    def a_moment_later(self) -> None:
        """The org's clock moves on: it counts whole seconds, and a test does not wait for them."""
        self._ahead += 2
        self.org.clock(self._ahead)

    def until(self, happened: Callable[[], bool], seconds: float = 20) -> None:
        """Wait for what the org does by itself. Fails when it does not come in time."""
        deadline = time.monotonic() + seconds
        while not happened():
            assert time.monotonic() < deadline, "it did not come to pass"
            time.sleep(0.05)

    def forget(self) -> None:
        """Set the org right again after a test: clock, faults, permissions."""
        self._ahead = 0
        self.org.clock(0)
        self.org.clear_faults()
        self.org.reset_permissions()


def erp_account(account: str | None, **values: Any) -> dict[str, Any]:
    """A change of customer_account for an account that is there (or, for None, is not)."""
    number = uuid.uuid4().int % 10**12
    given = {
        "key": f"tryton:NL01/{number}",
        "customer": f"salesforce:{account or '001000000000000AAA'}",
        "customer__native": account,
        "legal_entity": "NL01",
        "system": "tryton",
        "customer_number": str(number),
        "legal_name": f"Legal {number} B.V.",
        "tax_classification": "Domestic",
        "payment_terms": "30 days",
        "currency": "EUR",
        "credit_limit": Decimal("10000.00"),
        "credit_hold": False,
        "balance": Decimal("1234.56"),
        "overdue": Decimal("0.00"),
        "risk": "Low",
        "risk_level": 0,
        "active": True,
    }
    return given | values


@dataclass(slots=True, kw_only=True)
class Expiring(FakeSending):
    """The send deadline passes after some requests."""

    lasts: int = 1

    def before_request(self) -> None:
        self.expired = self.requests >= self.lasts
        FakeSending.before_request(self)
