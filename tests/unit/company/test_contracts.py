"""The sample company's contracts, in a local org: as many as asked for, whole periods, one amended once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from accord.recurring import schedule, whole_periods
from sandbox.company.contracts import amend, subscribe
from sandbox.company.org import Org
from tests.salesforce_org import RestSession, start_org

TODAY = dt.date(2026, 5, 31)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RestSession]:
    org = start_org(tmp_path_factory.mktemp("org"))
    people = org.session(admin=True)
    people.create(
        "Account", Name="Alder", AccountNumber="MI-00001", Legal_Entities__c="NL01", ERP_Sync_Status__c="Synced"
    )
    product = people.create("Product2", Name="Cloud", ProductCode="MI-5001", IsActive=True, Family="Subscriptions")
    book = people.create("Pricebook2", Name="Standard EUR", IsActive=True, Legal_Entity__c="NL01")
    (standard,) = people.soql("SELECT Id FROM Pricebook2 WHERE IsStandard = TRUE")
    for one in (standard["Id"], book):
        values = {"Pricebook2Id": one, "Product2Id": product, "UnitPrice": 19, "CurrencyIsoCode": "EUR"}
        people.create("PricebookEntry", IsActive=True, **values)
    yield people
    org.stop()


def lines(people: RestSession, contract: str) -> list[dict[str, Any]]:
    """Lines of the contract of that description, in canonical words."""
    (id_,) = (
        row["Id"] for row in people.soql("SELECT Id, Description FROM Contract") if row["Description"] == contract
    )
    names = "Quantity__c, Unit_Price__c, Billing_Period__c, Start_Date__c, End_Date__c"
    query = f"SELECT {names} FROM Contract_Line__c WHERE Contract__c = '{id_}' ORDER BY Start_Date__c"  # noqa: S608
    return [
        {
            "quantity": Decimal(str(row["Quantity__c"])),
            "unit_price": Decimal(str(row["Unit_Price__c"])),
            "billing_period": row["Billing_Period__c"],
            "start_date": dt.date.fromisoformat(row["Start_Date__c"]),
            "end_date": dt.date.fromisoformat(row["End_Date__c"]),
        }
        for row in people.soql(query)
    ]


def test_contracts_are_loaded_once_and_amended_once(people: RestSession) -> None:
    org = Org.as_administrator(people.base)
    first = subscribe(org, per_entity=6, today=TODAY)
    assert (first.contracts, first.refused, first.there_before) == (6, {}, 0)
    again = subscribe(org, per_entity=6, today=TODAY)
    assert (again.contracts, again.there_before) == (0, 6)
    names = [row["Description"] for row in people.soql("SELECT Description FROM Contract WHERE Status = 'Activated'")]
    every = {name: lines(people, name) for name in names}
    assert all(whole_periods(line) for those in every.values() for line in those)
    days = {name: list(schedule(those)) for name, those in every.items()}
    assert [len(days[f"Subscription NL01-{number:02}"]) for number in (1, 2, 4)] == [12, 12, 11]  # the fourth has a gap
    assert every["Subscription NL01-03"][0]["end_date"] == TODAY  # it nears its end

    assert amend(org, today=TODAY) == 1
    assert amend(org, today=TODAY) == 0
    before, after = lines(people, "Subscription NL01-01")
    assert (before["end_date"], after["start_date"]) == (TODAY, TODAY + dt.timedelta(days=1))
    assert after["quantity"] == before["quantity"] + 2
