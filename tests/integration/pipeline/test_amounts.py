"""The equation in amounts per currency, and references that wait for their link."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from accord.categories import Category
from accord.flows import flow
from accord.hub.overview import overview
from accord.hub.reconciliations import Apply
from accord.objects import CONTRACT, CUSTOMER, CUSTOMER_ACCOUNT
from accord.pipeline.reconcile import reconcile
from tests.world import TRYTON_ACCOUNTS, World, counts

pytestmark = pytest.mark.usefixtures("open_gates")


def party(world: World, native: str) -> str:
    """A customer and its party in Tryton."""
    world.customer(native)
    world.run()
    return str(world.tryton.native(CUSTOMER, f"salesforce:{native}"))


def test_amounts_by_bucket_and_currency(world: World) -> None:
    one = party(world, "1")
    refused = world.account("003", one, balance="30.03")
    world.account("001", one, balance="10.01")
    world.account("002", one, balance="-20.02", currency="USD")
    world.account("004", "nobody", balance="40.04")
    world.salesforce.rejects = {refused: Category.REFUSED}
    summary = world.run(TRYTON_ACCOUNTS)
    assert summary["amounts"] == {"EUR": "80.08", "USD": "-20.02"}
    assert counts(summary, "salesforce") == {"applied": 2, "rejected": 1, "excluded": 1}
    assert summary["targets"]["salesforce"]["amounts"] == {
        "applied": {"EUR": "10.01", "USD": "-20.02"},
        "rejected": {"EUR": "30.03"},
        "excluded": {"EUR": "40.04"},
    }
    at_risk = {e["key"]: (e["currency"], e["at_risk"]) for e in world.exceptions()}
    assert at_risk[refused] == ("EUR", Decimal("30.03"))

    again = world.run(TRYTON_ACCOUNTS)
    assert counts(again, "salesforce")["unchanged"] == 2


def test_an_account_of_nobodys_customer_is_left_out_until_somebody_knows_it(world: World) -> None:
    account = world.account("001", "F-1", balance="10.00")
    assert counts(world.run(TRYTON_ACCOUNTS), "salesforce") == {"excluded": 1}
    assert world.exceptions() == []
    assert overview(world.accord().hub)["flows"][TRYTON_ACCOUNTS.name]["unlinked"] == 1
    assert world.run(TRYTON_ACCOUNTS, interval=(world.clock, world.clock))["released"] == 0

    assert party(world, "1") == "F-1"
    summary = world.run(TRYTON_ACCOUNTS, interval=(world.clock, world.clock))
    assert counts(summary, "salesforce")["applied"] == 1
    (record,) = world.salesforce.held(CUSTOMER_ACCOUNT, account)
    assert record["customer"] == "salesforce:1"
    assert overview(world.accord().hub)["flows"][TRYTON_ACCOUNTS.name]["unlinked"] == 0
    assert world.run(TRYTON_ACCOUNTS, interval=(world.clock, world.clock))["released"] == 0


def test_what_was_left_out_and_is_purged_is_forgotten(world: World) -> None:
    """Neither read for ever nor waiting for ever."""
    account = world.account("001", "F-1")
    world.run(TRYTON_ACCOUNTS)
    world.systems["tryton"].source.purge(CUSTOMER_ACCOUNT, account)
    party(world, "1")
    assert world.run(TRYTON_ACCOUNTS, interval=(world.clock, world.clock))["released"] == 0
    assert overview(world.accord().hub)["flows"][TRYTON_ACCOUNTS.name]["unlinked"] == 0


def test_read_twice_counts_once(world: World) -> None:
    """Released and in the window: two readings of one record, one of them superseded, with its amount."""
    world.account("001", "F-1", balance="10.00")
    world.run(TRYTON_ACCOUNTS)
    party(world, "1")
    summary = world.run(TRYTON_ACCOUNTS)
    assert (summary["extracted"], summary["released"]) == (1, 1)
    assert counts(summary, "salesforce") == {"applied": 1, "superseded": 1}
    assert summary["targets"]["salesforce"]["amounts"] == {"applied": {"EUR": "10.00"}, "superseded": {"EUR": "10.00"}}


def test_a_contract_counts_with_what_its_lines_come_to(world: World) -> None:
    """It has no field with an amount: the run proves, and a reconciliation holds against each other, what will be billed."""
    party(world, "1")
    contracts, source = flow("contract__salesforce_to_erp"), world.systems["salesforce"].source
    term = {"start_date": date(2026, 1, 1), "end_date": date(2026, 12, 31)}
    line: dict[str, Any] = term | {"id": "salesforce:L1", "product": "tryton:P1", "billing_period": "Monthly"}
    line |= {"quantity": Decimal(2), "unit_price": Decimal("9.5050")}
    values: dict[str, Any] = term | {"customer": "salesforce:1", "status": "Activated", "term": 12, "lines": [line]}
    for native, entity, currency in (("C1", "NL01", "EUR"), ("C2", "US01", "USD")):
        own = {"number": native, "legal_entity": entity, "currency": currency}
        source.put(CONTRACT, native, at=world.tick(), **values | own)
    summary = world.run(contracts)
    assert summary["amounts"] == {"EUR": "228.12", "USD": "228.12"}
    assert summary["targets"]["tryton"]["amounts"] == {"applied": {"EUR": "228.12"}, "excluded": {"USD": "228.12"}}

    world.tick(timedelta(hours=3))
    (native,) = world.tryton.records["contract"]
    (billed,) = world.tryton.records["contract"][native]["lines"]
    world.tryton.edit(CONTRACT, native, lines=[billed | {"quantity": Decimal(1)}])
    found = reconcile(world.accord(), contracts, target="tryton", apply=Apply.NONE, who="somebody")
    assert found["amounts"]["value"] == {"EUR": {"source": "228.120000", "target": "114.120000"}}
    assert (found["counts"]["amount differs"], found["at_risk"]) == (1, {"EUR": "114.000000"})


def test_the_losers_account_follows_the_survivor(world: World) -> None:
    loser, survivor = party(world, "loser"), party(world, "survivor")
    account = world.account("001", loser)
    world.run(TRYTON_ACCOUNTS)
    world.change("loser", gone=True, merged_into="salesforce:survivor")
    world.run()
    (link,) = world.rows(
        """SELECT merged_into, gone FROM link l JOIN stream s ON s.id = l.stream
           WHERE s.target = 'tryton' AND s.object = 'customer' AND l.native = %s""",
        loser,
    )
    assert link == {"merged_into": "salesforce:survivor", "gone": True}

    world.account("001", loser, balance="99.00")
    world.run(TRYTON_ACCOUNTS)
    (record,) = world.salesforce.held(CUSTOMER_ACCOUNT, account)
    assert record["customer"] == "salesforce:survivor"
    assert world.tryton.native(CUSTOMER, "salesforce:survivor") == survivor
