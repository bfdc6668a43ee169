"""Contracts in the interface tables, on the sandbox's legacy ERP."""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from decimal import Decimal
from typing import Any

from accord.objects.contract import CONTRACT
from accord.objects.contract_renewal import CONTRACT_RENEWAL
from accord.objects.contract_status import CONTRACT_STATUS
from accord.objects.definition import BusinessObject
from accord.objects.renewal import RENEWAL
from accord.ports import Selection, Source, Target
from accord.recurring import RENEWAL_NOTICE, arr, months_after, schedule
from tests.contract.legacy import OnLegacy, ask
from tests.contract.legacy import legacy as legacy
from tests.contract.legacy import legacy_dsn as legacy_dsn
from tests.contract.source_suite import SourceSuite
from tests.contract.subscribing import END, FIRST, TODAY, contract, line, ramp
from tests.contract.target_suite import TargetSuite
from tests.fakes import CollectingSink, FakeSending
from tests.tables import EARLY, Row, by_key, changes

DAY = dt.timedelta(days=1)
NEXT = months_after(FIRST, 1)  # the first day that is not billed
MINUTES = itertools.count(1)


class Subscribing(OnLegacy):
    """What both suites need."""

    def customer(self) -> dict[str, str]:
        key = f"salesforce:001{uuid.uuid4().hex[:15]}"
        ((number,),) = ask(
            self.dsn,
            "WITH c AS (INSERT INTO erp.customer (name, country, currency, external_ref) VALUES ('Buyer', 'US', 'USD', %s) "
            "RETURNING customer_number) "
            "INSERT INTO erp.account (customer_number, company) SELECT customer_number, 'US01' FROM c RETURNING customer_number",
            key,
        )
        return {"customer": key, "customer__native": str(number)}

    def contract(self, *lines: dict[str, Any], **values: Any) -> dict[str, Any]:
        """A contract; every one is a later version than those before."""
        usual = (line("legacy", "MI-5001", "4", "21.2800"), line("legacy", "MI-5005", "1", "67.0000"))
        here = {"legal_entity": "US01", "currency": "USD", "version": EARLY + dt.timedelta(minutes=next(MINUTES))}
        return contract(self.customer(), *(lines or usual), **here | values)


class TestContracts(Subscribing, TargetSuite):
    definition = CONTRACT
    text_field = "payment_terms"

    def send(self, target: Target, *rows: Row) -> dict[str, dict[str, Any]]:
        """What is sent again is said later: the same version again changes nothing."""
        later = [{**row, "version": EARLY + dt.timedelta(minutes=next(MINUTES))} for row in rows]
        return super().send(target, *later)

    def count(self, target: Target, key: str) -> int:
        ((count,),) = ask(self.dsn, "SELECT count(*) FROM erp.agreement WHERE external_ref = %s", key)
        return int(count)

    def sample(self, number: int, **values: Any) -> dict[str, Any]:
        return self.contract(**values)

    def changed(self, row: Row) -> dict[str, Any]:
        first, _ = row["lines"]
        new = line("legacy", "MI-5002", "1", "269.0000", billing_period="Quarterly")
        return {
            **row,
            "lines": [{**first, "quantity": Decimal(6)}, new],
            "number": "00000102",
            "payment_terms": "NET60",
        }

    def spoilt(self, target: Target, row: Row) -> dict[str, Any]:
        first, second = row["lines"]
        return {**row, "lines": [{**first, "quantity": Decimal(0)}, second]}

    def test_refusals_in_business_words(self, target: Target) -> None:
        held = self.contract()
        ask(self.dsn, "SELECT erp.hold(%s, 'US01')", held["customer__native"])
        cases = {
            ("hold", "customer on credit hold"): held,
            ("reject", "unknown reference"): self.contract(line("legacy", "MI-1001", "1", "10.0000")),
            ("reject", "invalid value"): self.contract(line("legacy", "MI-5001", "1", "10.0000", end_date=END + DAY)),
            ("reject", "missing value"): self.contract(lines=None),
        }
        answers = self.send(target, *cases.values())
        told = {key: (answers[row["key"]]["outcome"], answers[row["key"]]["category"]) for key, row in cases.items()}
        assert told == {key: key for key in cases}
        assert not [row for row in cases.values() if self.count(target, row["key"])]

    def test_contract_amendment(self, target: Target) -> None:
        """Once the first month is billed: a line ends and a dearer one begins; what would change what is billed is refused."""
        (row,) = self.create(target, self.contract())
        ask(self.dsn, "SELECT erp.bill(%s)", row["native"])
        first, second = row["lines"]
        for wrong, category in (
            ({"lines": [{**first, "unit_price": Decimal("30.0000")}, second]}, "already billed"),
            ({"lines": [second]}, "already billed"),
            ({"lines": [{**first, "end_date": NEXT - 2 * DAY}, second]}, "already billed"),
            ({"gone": True}, "already billed"),
            ({"start_date": FIRST + DAY}, "fixed once the contract runs"),
        ):
            answer = self.send(target, {**row, **wrong})[row["key"]]
            assert (answer["outcome"], answer["category"]) == ("reject", category), wrong
        self.assert_held(target, row)
        new = line("legacy", "MI-5001", "6", "23.0000", start_date=NEXT)
        (row,) = self.create(target, {**row, "lines": [{**first, "end_date": NEXT - DAY}, second, new]})
        self.assert_held(target, row)
        ask(self.dsn, "SELECT erp.bill(%s, %s)", row["native"], NEXT)
        billed = ask(self.dsn, "SELECT amount FROM erp.agreement_bill WHERE agreement_number = %s AND day = %s ORDER BY 1",
                     row["native"], NEXT)  # fmt: skip
        assert billed == [(Decimal("67.00"),), (Decimal("138.00"),)]


class TestStatuses(Subscribing, SourceSuite):
    definition = CONTRACT_STATUS

    def begun(self, source: Any, row: Row) -> str:
        (result,) = source.send(CONTRACT, changes(CONTRACT, [row]), FakeSending()).to_pylist()
        assert result["outcome"] == "applied", result
        return str(result["native"])

    def number(self, native: str) -> str:
        ((number,),) = ask(self.dsn, "SELECT agreement_number FROM erp.agreement WHERE external_ref = %s", native)
        return str(number)

    def make(self, source: Any, number: int) -> str:
        row = self.contract()
        self.begun(source, row)
        return str(row["key"])

    def change(self, source: Source, native: str) -> None:
        ask(self.dsn, "UPDATE erp.agreement SET description = 'X' WHERE external_ref = %s", native)

    def change_part(self, source: Source, native: str) -> None:
        ask(self.dsn, "SELECT erp.bill(%s)", self.number(native))

    def remove(self, source: Any, native: str) -> None:
        self.begun(source, self.contract(key=native, gone=True, native=self.number(native)))

    def is_removed(self, row: dict[str, Any]) -> bool:
        return bool(row["status"] == "Cancelled")

    def test_a_ramp_and_what_is_billed_of_it(self, source: Any) -> None:
        """The ERP computes schedule and ARR itself: to the cent what the contract's lines make, by Accord's definition."""
        steps = ramp("legacy", "MI-5001")
        row = self.contract(*steps)
        number = self.begun(source, row)
        told = self.read(source, natives=(row["key"],))[1][row["key"]]
        assert (told["number"], told["status"], told["currency"]) == (number, "Active", "USD")
        assert (told["next_invoice_date"], told["renewal_date"]) == (FIRST, END + DAY)
        assert (told["arr"], told["renewal_value"]) == (arr(steps, TODAY), arr(steps, END))
        assert [(one["date"], one["amount"], one["invoiced"]) for one in told["schedule"]] == [
            (day, amount, False) for day, amount in schedule(steps).items()
        ]
        ((invoice,),) = ask(self.dsn, "SELECT erp.bill(%s)", number)
        told = self.read(source, natives=(row["key"],))[1][row["key"]]
        assert told["next_invoice_date"] == NEXT
        assert [one["invoiced"] for one in told["schedule"]] == [True, *[False] * 11]
        assert ask(self.dsn, "SELECT net, order_number FROM outbound.invoice WHERE invoice_number = %s", invoice) == [
            (Decimal("40.00"), None)
        ]

    def test_renewal(self, source: Any) -> None:
        """Within the notice an agreement gives rise to a renewal; before it gives none."""
        start, end = months_after(FIRST, -11), NEXT - DAY
        one = line("legacy", "MI-5001", "4", "21.2800", start_date=start, end_date=end)
        ending, going_on = self.contract(one, start_date=start, end_date=end), self.contract()
        number = self.begun(source, ending)
        self.begun(source, going_on)
        told = self.told(source, RENEWAL)[f"legacy:US01/{number}/{end}"]
        assert (told["name"], told["stage"], told["legal_entity"]) == (
            "Renewal of contract 00000101", "Qualification", "US01",
        )  # fmt: skip
        assert (told["amount"], told["close_date"]) == (arr([one], end), end)
        links = self.told(source, CONTRACT_RENEWAL)
        assert links[ending["key"]]["renewal"] == told["key"]
        assert going_on["key"] not in links
        ask(
            self.dsn,
            "UPDATE erp.agreement SET last_day = %s WHERE agreement_number = %s",
            TODAY + RENEWAL_NOTICE,
            number,
        )
        assert ending["key"] in self.told(source, CONTRACT_RENEWAL)  # the notice is Accord's
        later = TODAY + RENEWAL_NOTICE + DAY
        ask(self.dsn, "UPDATE erp.agreement SET last_day = %s WHERE agreement_number = %s", later, number)
        assert ending["key"] not in self.told(source, CONTRACT_RENEWAL)

    def told(self, source: Any, definition: BusinessObject) -> dict[str, dict[str, Any]]:
        sink = CollectingSink()
        read_at = source.extract(definition, Selection(), sink)
        return by_key(source.to_canonical(definition, sink.chunk(), read_at)) if sink.written else {}
