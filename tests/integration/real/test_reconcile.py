"""Reconciliation of real systems: what somebody changed behind Accord's back is found, named and put right, and nothing else is."""

from __future__ import annotations

from decimal import Decimal

import psycopg
import pytest

from accord.flows import flow
from accord.hub.reconciliations import amounts_of
from tests.integration.real.test_documents import REPAIR, TRAINING, Trade, trade
from tests.integration.real.world import CUSTOMERS, RealWorld

__all__ = ["trade"]

pytestmark = pytest.mark.usefixtures("open_gates")
INVOICES = flow("invoice__tryton_to_salesforce")


def test_customers_of_both_erps(world: RealWorld) -> None:
    """Tryton holds other tests' customers too, so there single keys are looked at; the legacy ERP is the test's own."""
    above = world.account("Above", entities="NL01;US01")
    below = world.account("Below", ParentId=above, Website="www.example.com", BillingStreet="Kade 1")
    alone, lost = world.account("Alone", entities="US01", Phone="+1 555 0100"), world.account("Lost", entities="US01")
    in_tryton = (f"salesforce:{above}", f"salesforce:{below}")
    world.run()
    world.forget()
    assert world.reconciled(CUSTOMERS, "tryton", *in_tryton)[0]["counts"] == {"agreed": 2}
    assert world.reconciled(CUSTOMERS, "legacy")[0]["counts"] == {"agreed": 4}
    assert world.nothing_written()

    client = world.erp.client("accord")
    search = "model.party.party.search_read"
    (party,) = client.call(search, [["code", "=", below]], 0, None, None, ["addresses"])
    client.call("model.party.party.write", [party["id"]], {"name": "Theirs"})
    client.call("model.party.address.write", list(party["addresses"]), {"street": "Elsewhere 9"})
    theirs = "UPDATE erp.customer SET phone = '+1 555 9999', legal_name = 'Theirs Inc.' WHERE external_ref = %s"
    with psycopg.connect(world.server.dsn(world.legacy)) as session:
        session.execute(theirs, (f"salesforce:{alone}",))
    world.delete(lost)
    world.org.empty_bin()

    _, found = world.reconciled(CUSTOMERS, "tryton", *in_tryton)
    assert found == {f"salesforce:{below}": ("field differs", "corrected", ["addresses.street"])}
    (held,) = client.call(search, [["code", "=", below]], 0, None, None, ["name", "addresses.street"])
    assert (held["name"], held["addresses."][0]["street"]) == ("Theirs", "Kade 1"), "the name is the ERP's"

    _, found = world.reconciled(CUSTOMERS, "legacy")
    assert found == {
        f"salesforce:{alone}": ("field differs", "corrected", ["phone"]),
        f"salesforce:{lost}": ("extra", "corrected", []),
    }
    with psycopg.connect(world.server.dsn(world.legacy)) as session:
        rows = session.execute("SELECT external_ref, phone, legal_name, active FROM erp.customer").fetchall()
    by_key = {row[0].partition(":")[2]: row[1:] for row in rows if row[0]}
    assert by_key[alone] == ("+1 555 0100", "Theirs Inc.", True), "what the ERP owns is the ERP's"
    assert by_key[lost][2] is False
    assert world.exceptions() == {}
    assert world.reconciled(CUSTOMERS, "legacy")[0]["counts"] == {"agreed": 3}


def test_amounts_and_lines_of_invoices(trade: Trade) -> None:
    world = trade.world
    changed = trade.billed((REPAIR, 1, "389.00"), (TRAINING, 2, "0.12"))
    trade.billed((REPAIR, 1, "100.00"))
    assert trade.bring("invoice") == {"applied": 2}
    summary, found = world.reconciled(INVOICES, "salesforce")
    assert found == {}
    assert summary["counts"]["agreed"] == 2
    sums = {(name, currency): (source, target) for name, currency, source, target in amounts_of(summary)}
    assert sums["total", "EUR"][0] == sums["total", "EUR"][1] == Decimal("591.98")
    assert sums["tax", "EUR"][0] == sums["tax", "EUR"][1]

    document = trade.document(changed)
    (line, _) = trade.see("Id", "ERP_Invoice_Line__c", "Net__c DESC LIMIT 2")
    for sobject, record, values in (
        ("ERP_Invoice__c", document["Id"], {"Total__c": 1.0, "Tax__c": 0.5}),
        ("ERP_Invoice_Line__c", line["Id"], {"Net__c": 2.0}),
    ):
        assert world.people.patch(f"/sobjects/{sobject}/{record}", json=values).status_code == 204
    summary, found = world.reconciled(INVOICES, "salesforce")
    assert found == {document["Key__c"]: ("amount differs", "corrected", ["lines.net", "tax", "total"])}
    assert {currency: Decimal(sum_) for currency, sum_ in summary["at_risk"].items()} == {"EUR": Decimal("469.98")}
    sums = {(name, currency): (source, target) for name, currency, source, target in amounts_of(summary)}
    assert sums["total", "EUR"] == (Decimal("591.98"), Decimal("122.00"))
    assert trade.document(changed) == document
    assert world.exceptions() == {}
