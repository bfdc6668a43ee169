"""What the org no longer shows or takes, by its own description."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from accord.errors import SchemaDrift
from accord.objects import CUSTOMER, CUSTOMER_ACCOUNT, OBJECTS, ORDER
from accord.ports import Selection
from accord.systems.salesforce.adapter import Salesforce
from accord.systems.salesforce.mappings import READINGS, WRITINGS
from tests.contract.salesforce_adapter import Company
from tests.fakes.base import CollectingSink
from tests.salesforce_org import start_org


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    org = start_org(tmp_path_factory.mktemp("org"))
    yield Company(org=org)
    org.stop()


@pytest.fixture
def salesforce(company: Company) -> Iterator[Salesforce]:
    adapter = company.open()
    yield adapter
    adapter.close()
    company.forget()


def hide(company: Company, sobject: str, field: str, *, read: bool = False) -> None:
    company.org.set_field(sobject, field, read=read, edit=False)


def test_nothing_lacks(salesforce: Salesforce) -> None:
    for name in READINGS:
        assert salesforce.unreadable(OBJECTS[name]) == {}, name
    for name in WRITINGS:
        assert salesforce.unwritable(OBJECTS[name]) == {}, name


def test_fields_and_parts_that_can_t_be_read(company: Company, salesforce: Salesforce) -> None:
    account = company.account(Phone="+31 1", Website="one.example")
    company.contact(account)
    hide(company, "Account", "Phone")
    hide(company, "Contact", "Title")
    assert salesforce.unreadable(CUSTOMER) == {"phone": "Account.Phone", "contacts": "Contact.Title"}

    selection = Selection(since=datetime.now(UTC) - timedelta(days=1))
    with pytest.raises(SchemaDrift, match=r"Account\.Phone, Contact\.Title"):
        salesforce.extract(CUSTOMER, selection, CollectingSink())
    sink = CollectingSink()
    selection = Selection(natives=(account,), without=frozenset({"phone", "contacts"}))
    salesforce.extract(CUSTOMER, selection, sink)
    (row,) = sink.chunk()["Account"].to_pylist()
    assert (row["Phone"], row["Website"]) == (None, "one.example")
    assert {name: field.type for name, field in zip(row, sink.chunk()["Account"].schema, strict=True)} == dict(
        salesforce.required_columns(CUSTOMER)["Account"]
    )
    assert "Contact" not in sink.chunk()


def test_what_one_of_several_objects_lacks_is_left_out_of_all(company: Company, salesforce: Salesforce) -> None:
    deal = company.admin.create(
        "Opportunity", AccountId=company.account(), Name="A deal", StageName="Closed Won", CloseDate="2026-06-01",
        CurrencyIsoCode="EUR", Requested_Date__c="2026-07-01", PO_Number__c="PO 1",
    )  # fmt: skip
    hide(company, "Opportunity", "PO_Number__c")
    assert salesforce.unreadable(ORDER) == {"customer_reference": "Opportunity.PO_Number__c"}

    window = Selection(since=datetime.now(UTC) - timedelta(days=1))
    with pytest.raises(SchemaDrift, match=r"Opportunity\.PO_Number__c"):
        salesforce.extract(ORDER, window, CollectingSink())
    sink = CollectingSink()
    without = Selection(since=window.since, without=frozenset({"customer_reference"}))
    salesforce.extract(ORDER, without, sink)
    row = next(row for row in sink.chunk()["Opportunity"].to_pylist() if row["Id"] == deal)
    assert (row["PO_Number__c"], row["StageName"], str(row["Requested_Date__c"])) == (None, "Closed Won", "2026-07-01")
    shown = sink.chunk()["Opportunity"].schema
    assert dict(zip(shown.names, shown.types, strict=True)) == dict(salesforce.required_columns(ORDER)["Opportunity"])
    assert salesforce.affected(ORDER, (deal,), without) == (deal,), "whom it is read with is still looked at"


def test_without_its_system_fields_nothing_is_read(company: Company, salesforce: Salesforce) -> None:
    hide(company, "Account", "Phone")
    company.org.set_object("Account")
    with pytest.raises(SchemaDrift):
        salesforce.unreadable(CUSTOMER)


def test_fields_that_can_t_be_written(company: Company, salesforce: Salesforce) -> None:
    hide(company, "ERP_Account__c", "Payment_Terms__c", read=True)
    assert salesforce.unwritable(CUSTOMER_ACCOUNT) == {"payment_terms": "ERP_Account__c.Payment_Terms__c"}
    hide(company, "Opportunity", "ERP_Error__c", read=True)
    assert salesforce.unwritable(OBJECTS["order_sync"]) == {"error": "Opportunity.ERP_Error__c"}
