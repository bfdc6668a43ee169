"""Contracts over real systems: from the org into an ERP, billed there, amended, and what became of them back, to the cent."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from accord.flows import flow
from accord.pipeline.runs import Params, RunKind
from accord.recurring import arr, months_after, schedule
from sandbox.erp.trading import Day
from tests.integration.real.selling import TODAY, Sales
from tests.integration.real.world import CUSTOMERS, RealWorld, counts

CONTRACTS = flow("contract__salesforce_to_erp")
FIRST = TODAY.replace(day=1)
NEXT = months_after(FIRST, 1)
DAY = dt.timedelta(days=1)


class Subscribing(Sales):
    """Sales that sells by contract."""

    def contract(self, account: str, *lines: dict[str, Any], start: dt.date = FIRST, **values: Any) -> str:
        """An activated contract of a year; its id."""
        usual = {"AccountId": account, "StartDate": start.isoformat(), "ContractTerm": 12, "Payment_Terms__c": "NET30",
                 "CurrencyIsoCode": self.currency, "Legal_Entity__c": "NL01", "Status": "Draft"}  # fmt: skip
        contract = self.world.people.create("Contract", **usual | values)
        for one in lines:
            self.line(contract, **one)
        self.world.change(contract, "Contract", Status="Activated")
        return contract

    def added(self, contract: str, **values: Any) -> str:
        """A line that an activated contract gets."""
        self.world.next_second(contract, "Contract")
        return self.line(contract, **values)

    def line(self, contract: str, **values: Any) -> str:
        return self.world.people.create(
            "Contract_Line__c", Contract__c=contract, CurrencyIsoCode=self.currency, **values
        )

    def of(self, code: str, quantity: int, price: float, start: dt.date, end: dt.date, **more: Any) -> dict[str, Any]:
        """A line's fields."""
        self.entry(code, price)
        (product,) = self.world.people.soql(f"SELECT Id FROM Product2 WHERE ProductCode = '{code}'")  # noqa: S608 - ours
        return {"Product__c": product["Id"], "Quantity__c": quantity, "Unit_Price__c": price, "Billing_Period__c": "Monthly",
                "Start_Date__c": start.isoformat(), "End_Date__c": end.isoformat()} | more  # fmt: skip

    def shown(self, contract: str, *names: str) -> tuple[Any, ...]:
        (row,) = self.world.people.soql(f"SELECT {', '.join(names)} FROM Contract WHERE Id = '{contract}'")  # noqa: S608 - ours
        return tuple(row[name] for name in names)

    def lines(self, contract: str) -> list[dict[str, Any]]:
        """The contract's lines as Salesforce has them, in canonical words."""
        names = ("Id", "Quantity__c", "Unit_Price__c", "Billing_Period__c", "Start_Date__c", "End_Date__c")
        query = (
            f"SELECT {', '.join(names)} FROM Contract_Line__c WHERE Contract__c = '{contract}' ORDER BY Start_Date__c"  # noqa: S608
        )
        return [
            {
                "id": row["Id"],
                "quantity": Decimal(str(row["Quantity__c"])),
                "unit_price": Decimal(str(row["Unit_Price__c"])),
                "billing_period": row["Billing_Period__c"],
                "start_date": dt.date.fromisoformat(row["Start_Date__c"]),
                "end_date": dt.date.fromisoformat(row["End_Date__c"]),
            }
            for row in self.world.people.soql(query)
        ]

    def schedule(self, contract: str) -> list[tuple[dt.date, Decimal, bool]]:
        query = f"SELECT Date__c, Amount__c, Invoiced__c FROM Billing_Schedule__c WHERE Contract__c = '{contract}' ORDER BY Date__c"  # noqa: S608
        return [
            (dt.date.fromisoformat(r["Date__c"]), Decimal(str(r["Amount__c"])), r["Invoiced__c"])
            for r in self.world.people.soql(query)
        ]

    def agrees(self, contract: str) -> None:
        """ARR and schedule in Salesforce, which the ERP told, are what Salesforce's own lines make."""
        lines = self.lines(contract)
        assert Decimal(str(self.shown(contract, "ARR__c")[0])) == arr(lines, TODAY)
        assert {day: amount for day, amount, _ in self.schedule(contract)} == schedule(lines)


def back(world: RealWorld, what: str, erp: str = "tryton") -> dict[str, int]:
    """Read back what became of this test's contracts."""
    which = flow(f"{what}__{erp}_to_salesforce")
    return counts(world.run(which, kind=RunKind.MANUAL, params=Params(since=world.began)), "salesforce")


def test_contract_amendment(world: RealWorld) -> None:
    """There and back, a second run writes nothing; billed, amended, refused; a ramp that leaves a gap is held by the gate."""
    sales, end = Subscribing(world), months_after(FIRST, 12) - DAY
    account = world.account("Hazel")
    world.run(CUSTOMERS)
    contract = sales.contract(account, sales.of("MI-5001", 4, 19, FIRST, end), sales.of("MI-5005", 1, 60.5, FIRST, end))
    gap = [
        sales.of("MI-5002", 1, 200, FIRST, months_after(FIRST, 4) - DAY, Ramp_Step__c=1),
        sales.of("MI-5002", 1, 240, months_after(FIRST, 5), end, Ramp_Step__c=2),
    ]
    held = sales.contract(account, *gap)
    assert counts(world.run(CONTRACTS), "tryton") == {"applied": 1, "quarantined": 1}
    (finding,) = world.exceptions()[f"salesforce:{held}"]
    assert (finding["rule"], finding["queue"]) == ("lines.ramp.gapless", "sales operations")
    assert sales.shown(held, "ERP_Sync_Status__c") == ("Held",)

    assert back(world, "contract_status")["applied"] == 1
    status, number, next_invoice, renewal, sync = sales.shown(
        contract,
        "ERP_Status__c",
        "ERP_Contract_Number__c",
        "Next_Invoice_Date__c",
        "Renewal_Date__c",
        "ERP_Sync_Status__c",
    )
    assert (status, number[:6], sync) == ("Active", "NL01-A", "Synced")
    assert (next_invoice, renewal) == (FIRST.isoformat(), (end + DAY).isoformat())
    sales.agrees(contract)
    world.forget()
    assert counts(world.run(CONTRACTS), "tryton") == {
        "unchanged": 1,
        "quarantined": 1,
        "superseded": 1,  # held ones are read again with what they show
    }
    assert back(world, "contract_status")["unchanged"] == 1
    assert world.nothing_written()

    day = Day.of(world.erp)
    day.bill_subscriptions(TODAY)
    assert len(day.invoice_contract(f"salesforce:{contract}")) == 1
    assert back(world, "contract_status")["applied"] == 1
    assert sales.shown(contract, "Next_Invoice_Date__c") == (NEXT.isoformat(),)
    assert [invoiced for _, _, invoiced in sales.schedule(contract)] == [True, *[False] * 11]

    first = next(one for one in sales.lines(contract) if one["unit_price"] == 19)
    world.change(first["id"], "Contract_Line__c", Unit_Price__c=21)
    assert counts(world.run(CONTRACTS), "tryton")["rejected"] == 1
    (refusal,) = world.exceptions()[f"salesforce:{contract}"]
    assert refusal["category"] == "already billed"
    assert sales.shown(contract, "ERP_Sync_Status__c") == ("Rejected",)

    world.change(first["id"], "Contract_Line__c", Unit_Price__c=19, End_Date__c=(NEXT - DAY).isoformat())
    sales.added(contract, **sales.of("MI-5001", 6, 21, NEXT, end))
    assert counts(world.run(CONTRACTS), "tryton")["applied"] == 1
    assert f"salesforce:{contract}" not in world.exceptions()
    assert back(world, "contract_status")["applied"] == 1
    assert sales.shown(contract, "ERP_Contract_Number__c", "ERP_Sync_Status__c") == (number, "Synced")
    sales.agrees(contract)
    assert sales.schedule(contract)[1][1] == Decimal("186.50")  # 6 × 21 and 60.50


@pytest.mark.usefixtures("open_gates")
def test_renewal(world: RealWorld) -> None:
    """A contract that nears its end gives sales an opportunity, once; what sales makes of it is never touched."""
    sales, start, end = Subscribing(world), months_after(FIRST, -11), NEXT - DAY
    account = world.account("Juniper")
    world.run(CUSTOMERS)
    contract = sales.contract(account, sales.of("MI-5001", 4, 19, start, end), start=start)
    going_on = sales.contract(account, sales.of("MI-5001", 1, 19, FIRST, months_after(FIRST, 12) - DAY))
    world.run(CONTRACTS)
    assert back(world, "contract_renewal")["parked"] >= 1  # the opportunity is not there yet
    assert back(world, "renewal")["applied"] >= 1
    back(world, "contract_renewal")
    (renewal,) = sales.shown(contract, "Renewal_Opportunity__c")
    assert sales.shown(going_on, "Renewal_Opportunity__c") == (None,)
    names = "Name, AccountId, Amount, CloseDate, StageName, CurrencyIsoCode, Legal_Entity__c"
    (made,) = world.people.soql(f"SELECT {names} FROM Opportunity WHERE Id = '{renewal}'")  # noqa: S608 - ours
    number = sales.shown(contract, "ContractNumber")[0]
    expected = (f"Renewal of contract {number}", account, 912, end.isoformat(), "Qualification", "EUR", "NL01")
    assert tuple(made[name] for name in names.split(", ")) == expected

    world.change(renewal, "Opportunity", StageName="Negotiation", Amount=1500, Name="Ours now")
    world.forget()
    day = Day.of(world.erp)
    day.bill_subscriptions(start)  # the ERP's contract changes
    assert back(world, "renewal").get("applied", 0) == 0
    assert back(world, "contract_renewal").get("applied", 0) == 0
    assert world.org_writes() == []
    mine = f"SELECT Name, Amount FROM Opportunity WHERE AccountId = '{account}'"  # noqa: S608 - ours
    assert [(one["Name"], one["Amount"]) for one in world.people.soql(mine)] == [("Ours now", 1500)]

    assert world.reconciled(CONTRACTS, "tryton", f"salesforce:{contract}")[0]["counts"] == {"agreed": 1}
    world.delete(renewal, "Opportunity")
    (link,) = world.rows("SELECT key FROM link WHERE native = %s", renewal)
    renewals = flow("renewal__tryton_to_salesforce")
    assert world.reconciled(renewals, "salesforce", link["key"])[0]["counts"] == {"agreed": 1}
    assert world.people.soql(mine) == [], "what sales deleted is not created again"


@pytest.mark.usefixtures("open_gates")
def test_a_contract_of_the_other_erp(world: RealWorld) -> None:
    """A ramp of the interface tables' legal entity, there and back, billed and amended."""
    sales, end = Subscribing(world, currency="USD", legacy_list="US-STANDARD"), months_after(FIRST, 12) - DAY
    account = world.account("Larch", entities="US01", BillingCountryCode="US", BillingStateCode="CA")
    world.run(CUSTOMERS)
    turn = months_after(FIRST, 6)
    steps = [
        sales.of("MI-5001", 4, 15, FIRST, turn - DAY, Ramp_Step__c=1),
        sales.of("MI-5001", 4, 21.28, turn, end, Ramp_Step__c=2),
    ]
    contract = sales.contract(account, *steps, Legal_Entity__c="US01")
    summary = world.run(CONTRACTS)
    assert (counts(summary, "legacy"), counts(summary, "tryton")) == ({"applied": 1}, {"excluded": 1})
    assert back(world, "contract_status", "legacy") == {"applied": 1}
    number, value = sales.shown(contract, "ERP_Contract_Number__c", "Renewal_Value__c")
    assert value == 1021.44
    sales.agrees(contract)
    with psycopg.connect(world.server.dsn(world.legacy)) as erp:
        erp.execute("SELECT erp.bill(%s)", [number])
    more = sales.of("MI-5005", 1, 67, NEXT, end)
    sales.added(contract, **more)
    assert counts(world.run(CONTRACTS), "legacy") == {"applied": 1}
    assert back(world, "contract_status", "legacy") == {"applied": 1}
    assert [invoiced for _, _, invoiced in sales.schedule(contract)] == [True, *[False] * 11]
    sales.agrees(contract)
    world.forget()
    assert counts(world.run(CONTRACTS), "legacy") == {"unchanged": 1}
    assert back(world, "contract_status", "legacy") == {"unchanged": 1}
    assert world.nothing_written()
