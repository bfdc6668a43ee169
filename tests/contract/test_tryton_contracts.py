"""Contracts as subscriptions of a real Tryton."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any, ClassVar

import pytest

from accord.errors import InDoubt
from accord.objects.contract import CONTRACT
from accord.objects.contract_renewal import CONTRACT_RENEWAL
from accord.objects.contract_status import CONTRACT_STATUS
from accord.objects.definition import BusinessObject
from accord.objects.renewal import RENEWAL
from accord.ports import Selection, Source, Target
from accord.recurring import arr, months_after, schedule
from accord.settings import Connection
from accord.systems import open_system
from sandbox.erp.server import Erp
from sandbox.erp.trading import Day
from tests.contract.selling import Shop, later
from tests.contract.source_suite import SourceSuite
from tests.contract.subscribing import END, FIRST, TODAY, contract, line, ramp
from tests.contract.target_suite import AWKWARD, TargetSuite
from tests.contract.tryton_server import OnTryton
from tests.contract.tryton_server import connection as connection
from tests.contract.tryton_server import one as one
from tests.fakes import CollectingSink, FakeSending
from tests.tables import Row, by_key, changes, wanted

DAY = dt.timedelta(days=1)
NEXT = months_after(FIRST, 1)  # the first day that is not billed


@pytest.fixture(scope="session")
def shop(tryton: Erp) -> Shop:
    return Shop(tryton.client("accord"))


@pytest.fixture(scope="session")
def day(tryton: Erp) -> Day:
    return Day.of(tryton)


class Subscribing(OnTryton):
    """What both suites need."""

    @pytest.fixture(autouse=True)
    def _people(self, shop: Shop, day: Day) -> None:
        self.shop, self.day = shop, day

    def product(self, code: str = "MI-5001") -> str:
        return str(self.shop.product(code))

    def contract(self, *lines: dict[str, Any], **values: Any) -> dict[str, Any]:
        usual = (
            line("tryton", self.product(), "4", "19.0000"),
            line("tryton", self.product("MI-5005"), "1", "60.5000"),
        )
        return contract(self.shop.customer(), *(lines or usual), **values)

    def subscriptions(self, key: str, *fields: str) -> list[dict[str, Any]]:
        """The subscriptions of a contract that are not cancelled."""
        domain = [["reference", "=", key], ["state", "!=", "cancelled"]]
        found: list[dict[str, Any]] = self.shop.client.call(
            "model.sale.subscription.search_read", domain, 0, None, [["id", "ASC"]], ["state", "number", *fields]
        )
        return found


class TestContracts(Subscribing, TargetSuite):
    definition = CONTRACT
    text_field = "number"

    def count(self, target: Target, key: str) -> int:
        found = self.shop.client.call("model.sale.subscription.search", [["reference", "=", key]], 0, None, None)
        return len(found)

    def sample(self, _: int, **values: Any) -> dict[str, Any]:  # type: ignore[override]  # a contract's field is `number`
        return self.contract(**values)

    def changed(self, row: Row) -> dict[str, Any]:
        first, second = row["lines"]
        new = line("tryton", self.product("MI-5002"), "1", "240.0000", billing_period="Quarterly")
        lines = [{**first, "quantity": Decimal(5), "unit_price": Decimal("18.5000")}, new]
        assert second not in lines
        return later(dict(row), lines=lines, payment_terms="NET60", number="00000102")

    def spoilt(self, target: Target, row: Row) -> dict[str, Any]:
        first, second = row["lines"]
        return {**row, "lines": [{**first, "quantity": Decimal("2.5")}, second]}  # nobody counts half a month

    def test_awkward_text_arrives_as_it_was_sent(self, target: Target) -> None:  # type: ignore[override]
        """All of them in one go."""
        rows = self.create(target, *(self.sample(1, number=text) for text in AWKWARD.values() if "\n" not in text))
        self.assert_held(target, *rows, creating=True)

    # ------------------------------------------------------------------------------------------------ duplicates, doubt
    def test_eight_at_once_create_one(self, open_target: Callable[[], Target], target: Target) -> None:
        row, start = self.sample(1), threading.Barrier(8)

        def one(_: int) -> dict[str, Any]:
            own = open_target()
            try:
                own.read_back(self.definition, wanted([("nobody:0", None)]))
                start.wait(timeout=60)
                return self.send(own, row)[row["key"]]
            finally:
                own.close()

        with ThreadPoolExecutor(8) as pool:
            outcomes = list(pool.map(one, range(8)))
        assert {o["outcome"] for o in outcomes} <= {"applied", "retry"}, outcomes
        assert [one["state"] for one in self.subscriptions(row["key"])] == ["running"]
        assert len({o["native"] for o in outcomes if o["outcome"] == "applied"}) == 1

    def test_duplicate_submission_of_the_same_contract(self, target: Target) -> None:
        """From two sides, one of which left drafts half-way: one subscription runs, no other stays open."""
        row = self.sample(1)
        (made,) = self.create(target, self.sample(2))
        left = {"reference": row["key"], "party": int(row["customer__native"]), "company": 1, "start_date": FIRST}
        left |= {name: self.subscriptions(made["key"], name)[0][name] for name in ("invoice_recurrence", "currency")}
        party = self.shop.client.call("model.party.party.read", [left["party"]], ["addresses"])[0]
        left["invoice_address"] = party["addresses"][0]
        self.shop.client.call("model.sale.subscription.create", [left, left], context={"company": 1})
        (sent,) = self.create(target, row)
        found = self.subscriptions(row["key"])
        assert [(one["state"], str(one["id"])) for one in found] == [("running", sent["native"])]
        self.assert_held(target, sent)

    def test_a_sender_that_died_in_an_amendment(self, target: Target, connection: Connection) -> None:
        """It had taken the subscription back: it counts as not sent, and runs again with the next sending."""
        (row,) = self.create(target, self.sample(1))
        row, dying = self.changed(row), open_system("tryton", connection)
        inner = dying._context.client.call

        def call(method: str, *parameters: Any, **more: Any) -> Any:
            if method.endswith((".quote", ".run")):
                raise InDoubt("Never sent.")
            return inner(method, *parameters, **more)

        dying._context.client.call = call
        assert self.send(dying, row)[row["key"]]["outcome"] == "unknown"
        dying.close()
        assert [one["state"] for one in self.subscriptions(row["key"])] == ["draft"]
        assert self.held(target, row) == {}
        (row,) = self.create(target, row)
        assert [one["state"] for one in self.subscriptions(row["key"])] == ["running"]
        self.assert_held(target, row)

    # ---------------------------------------------------------------------------------------------------------- refusals
    def refused(self, target: Target, row: Row) -> tuple[str, str, str]:
        answer = self.send(target, row)[row["key"]]
        return answer["outcome"], answer["category"], answer["message"]

    def test_refusals_in_business_words(self, target: Target) -> None:
        goods = line("tryton", self.product("MI-1001"), "1", "10.0000")
        late = line("tryton", self.product(), "1", "10.0000", end_date=END + DAY)
        held = self.sample(1)
        self.day.hold(held["customer"].partition(":")[2])
        cases = {
            "unknown reference": self.contract(goods),
            "invalid value": self.contract(late),
            "payment terms unknown": self.sample(1, payment_terms="NET999"),
            "missing value": self.sample(1, lines=None),
            "customer on credit hold": held,
        }
        answers = self.send(target, *cases.values())
        assert {row["key"]: answers[row["key"]]["category"] for row in cases.values()} == {
            row["key"]: category for category, row in cases.items()
        }
        assert not [row for row in cases.values() if self.held(target, row)]

    # -------------------------------------------------------------------------------------------------------- amendments
    def test_contract_amendment(self, target: Target) -> None:
        """Once the first month is billed: a line ends and a dearer one begins, another is added, one that is not billed yet
        disappears; what is billed stays, and what would change it is refused."""
        coming = line("tryton", self.product("MI-5003"), "1", "95.0000", start_date=NEXT)
        (row,) = self.create(target, self.contract(*self.sample(1)["lines"], coming))
        (before,) = self.subscriptions(row["key"], "lines")
        self.day.bill_subscriptions(TODAY)
        first, second, _ = row["lines"]
        dearer = {**first, "unit_price": Decimal("21.0000")}
        assert self.refused(target, later(row, lines=[dearer, second]))[1:] == (
            "already billed",
            "A line is billed already: only its last day can change. End it in Salesforce, not before the last day that is "
            "billed, and begin a new line after it.",
        )
        assert self.refused(target, later(row, lines=[second]))[1] == "already billed"
        early = {**first, "end_date": NEXT - 2 * DAY}
        assert self.refused(target, later(row, lines=[early, second]))[1] == "already billed"
        moved = later(row, start_date=FIRST + DAY)
        assert self.refused(target, moved)[1:] == (
            "fixed once the contract runs",
            "The ERP can't change the first day of a contract that runs. Undo the change, or begin a contract of its own.",
        )
        assert self.refused(target, {**row, "gone": True})[1] == "already billed"
        self.assert_held(target, row)  # nothing was changed, and it runs

        ended = {**first, "end_date": NEXT - DAY}
        new = line("tryton", self.product(), "6", "21.0000", start_date=NEXT)
        more = line("tryton", self.product("MI-5004"), "1", "180.0000", start_date=NEXT)
        (row,) = self.create(target, later(row, lines=[ended, second, new, more]))
        self.assert_held(target, row)
        (after,) = self.subscriptions(row["key"], "lines")
        assert (after["id"], after["number"], after["state"]) == (before["id"], before["number"], "running")
        assert len(after["lines"]) == 5  # the one that was taken out too, which nobody bills
        self.day.bill_subscriptions(NEXT)  # the ended line is billed no more, the new ones are
        domain = [["line.subscription", "=", after["id"]], ["date", "=", NEXT]]
        bills = self.shop.client.call(
            "model.sale.subscription.line.consumption.search_read", domain, 0, None, None, ["quantity"]
        )
        assert sorted(bill["quantity"] for bill in bills) == [1, 1, 6]

    def test_what_the_erp_refuses_half_way_runs_on(self, target: Target) -> None:
        (row,) = self.create(target, self.sample(1))
        assert self.refused(target, later(self.spoilt(target, row)))[:2] == ("reject", "invalid value")
        assert [one["state"] for one in self.subscriptions(row["key"])] == ["running"]
        self.assert_held(target, row)

    def test_a_contract_the_erp_has_closed(self, target: Target) -> None:
        """Billed a year in advance, nothing is left to bill: Tryton closes it, and opens none again."""
        yearly = line("tryton", self.product("MI-5002"), "1", "2880.0000", billing_period="Yearly")
        (row,) = self.create(target, self.contract(yearly))
        self.day.bill_subscriptions(TODAY)
        assert [one["state"] for one in self.subscriptions(row["key"])] == ["closed"]
        (row,) = self.create(target, row)  # the same again is no change
        more = line("tryton", self.product(), "1", "19.0000", start_date=NEXT)
        assert self.refused(target, later(row, lines=[yearly, more]))[1:] == (
            "fixed once the contract runs",
            "Everything the ERP knew of the contract is billed, and it has closed it. What is new goes with a contract of its own.",
        )

    def test_cancellation_before_anything_is_billed(self, target: Target) -> None:
        (row,) = self.create(target, self.sample(1))
        (row,) = self.create(target, {**row, "gone": True})
        assert self.subscriptions(row["key"]) == []
        assert self.held(target, row)[row["key"]]["gone"]
        (back,) = self.create(target, later(row, gone=False))  # brought back in Salesforce: it begins again
        assert [str(one["id"]) for one in self.subscriptions(row["key"])] == [back["native"]]

    def test_cancelled_in_the_erp(self, target: Target) -> None:
        """It is not begun again behind their back."""
        (row,) = self.create(target, self.sample(1))
        for step in ("draft", "cancel"):
            self.day.operations.call(f"model.sale.subscription.{step}", [int(row["native"])])
        assert self.refused(target, later(row))[:2] == ("reject", "fixed once the contract runs")
        assert self.subscriptions(row["key"]) == []


class Telling(Subscribing, SourceSuite):
    def begun(self, source: Any, *lines: dict[str, Any], **values: Any) -> dict[str, Any]:
        """A contract that runs."""
        row = self.contract(*lines, **values)
        (result,) = source.send(CONTRACT, changes(CONTRACT, [row]), FakeSending()).to_pylist()
        assert result["outcome"] == "applied", result
        return row | {"native": result["native"]}

    def amended(self, source: Any, native: str) -> None:
        """A user of the ERP takes it back, changes a line and runs it again."""
        call = self.shop.client.call
        search = "model.sale.subscription.line.search"
        lines = call(search, [["subscription.reference", "=", native]], 0, None, [["id", "ASC"]])
        (one,) = self.subscriptions(native)
        call("model.sale.subscription.draft", [one["id"]])
        call("model.sale.subscription.line.write", lines[:1], {"quantity": 9.0})
        for step in ("quote", "run"):
            call(f"model.sale.subscription.{step}", [one["id"]])

    def of(self, source: Source, native: str) -> dict[str, Any]:
        (row,) = self.read(source, natives=(native,))[1].values()
        return row


class TestStatuses(Telling):
    definition = CONTRACT_STATUS
    made: ClassVar[list[str]] = []

    def make(self, source: Any, number: int) -> str:
        if not self.made:
            rows = [self.contract() for _ in range(12)]
            results = source.send(CONTRACT, changes(CONTRACT, rows), FakeSending()).to_pylist()
            assert {result["outcome"] for result in results} == {"applied"}
            self.made.extend(result["key"] for result in results)
        return self.made.pop()

    def change(self, source: Any, native: str) -> None:
        self.amended(source, native)

    def change_part(self, source: Source, native: str) -> None:
        """A month is billed by hand."""
        fields = ["next_consumption_date"]
        (first, *_) = self.shop.client.call(
            "model.sale.subscription.line.search_read", [["subscription.reference", "=", native]], 0, None, None, fields
        )
        days = self.shop.client.call(
            "model.sale.subscription.line.consumption.search_count", [["line", "=", first["id"]]]
        )
        bill = {"line": first["id"], "date": months_after(FIRST, days), "quantity": 4.0}
        self.day.operations.call("model.sale.subscription.line.consumption.create", [bill])

    def remove(self, source: Any, native: str) -> None:
        (one,) = self.subscriptions(native)
        for step in ("draft", "cancel"):
            self.shop.client.call(f"model.sale.subscription.{step}", [one["id"]])

    def is_removed(self, row: dict[str, Any]) -> bool:
        return bool(row["status"] == "Cancelled")

    def test_a_ramp_and_what_is_billed_of_it(self, source: Any) -> None:
        """Schedule, value and ARR are what the contract's lines make, by one definition; an instalment is invoiced once finance
        posted it."""
        steps = ramp("tryton", self.product())
        row = self.begun(source, *steps)
        told = self.of(source, row["key"])
        assert (told["key"], told["status"], told["currency"]) == (row["key"], "Active", "EUR")
        assert told["number"].startswith("NL01-A")
        assert (told["next_invoice_date"], told["renewal_date"]) == (FIRST, END + DAY)
        assert (told["arr"], told["renewal_value"]) == (Decimal("480.00"), Decimal("960.00"))
        assert (told["arr"], told["renewal_value"]) == (arr(steps, TODAY), arr(steps, END))
        assert [(one["date"], one["amount"], one["invoiced"]) for one in told["schedule"]] == [
            (day, amount, False) for day, amount in schedule(steps).items()
        ]
        assert sum(one["amount"] for one in told["schedule"]) == Decimal("720.00")
        assert [one["id"] for one in told["lines"]] == [one["id"] for one in steps]

        self.day.bill_subscriptions(TODAY)
        told = self.of(source, row["key"])
        assert told["next_invoice_date"] == NEXT
        assert not any(one["invoiced"] for one in told["schedule"])  # a draft of finance
        assert len(self.day.invoice_contract(row["key"])) == 1
        told = self.of(source, row["key"])
        assert [one["invoiced"] for one in told["schedule"]] == [True, *[False] * 11]

    def test_a_step_that_begins_is_a_change(self, source: Any) -> None:
        """ARR follows the day: the window of the midnight on which a step began has the contract, one after it has not."""
        began = months_after(FIRST, -4)
        lines = [
            {
                **one,
                "start_date": months_after(one["start_date"], -4),
                "end_date": months_after(one["end_date"] + DAY, -4) - DAY,
            }
            for one in ramp("tryton", self.product())
        ]
        row = self.begun(source, *lines, start_date=began, end_date=lines[-1]["end_date"])
        assert self.of(source, row["key"])["arr"] == Decimal("720.00")
        assert self.of(source, row["key"])["version"].date() == TODAY  # it was written today, after the step began

    def test_taken_back_in_the_erp_is_on_hold(self, source: Any) -> None:
        row = self.begun(source)
        self.shop.client.call("model.sale.subscription.draft", [int(row["native"])])
        assert self.of(source, row["key"])["status"] == "On Hold"


class TestRenewals(Subscribing):
    """Read by the same code as the statuses, so the suite is not run again."""

    def read(self, source: Any, definition: BusinessObject, **selection: Any) -> dict[str, dict[str, Any]]:
        sink = CollectingSink()
        read_at = source.extract(definition, Selection(**selection), sink)
        if not any(table.num_rows for tables in sink.written.values() for table in tables):
            return {}
        table = source.to_canonical(definition, sink.chunk(), read_at)
        return {source.native_of(definition, key): row for key, row in by_key(table).items()}

    def test_renewal(self, one: Any) -> None:
        """A contract gives rise to a renewal within the notice, worth its last day's ARR; one that ends later gives none."""
        start, end = months_after(FIRST, -11), NEXT - DAY
        lines = [line("tryton", self.product(), "4", "19.0000", start_date=start, end_date=end)]
        ending, going_on = self.contract(*lines, start_date=start, end_date=end), self.contract()
        results = one.send(CONTRACT, changes(CONTRACT, [ending, going_on]), FakeSending()).to_pylist()
        (native, other) = (result["native"] for result in results)
        found = self.read(one, RENEWAL)
        assert not [term for term in found if term.startswith(f"{other}/")]
        told = found[f"{native}/{end}"]
        assert told == self.read(one, RENEWAL, natives=(f"{native}/{end}",))[f"{native}/{end}"] | {
            "read_at": told["read_at"]
        }
        assert (told["name"], told["stage"]) == ("Renewal of contract 00000101", "Qualification")
        assert (told["amount"], told["close_date"]) == (Decimal("912.00"), end)
        assert told["customer"] == f"tryton:{ending['customer__native']}"
        links = self.read(one, CONTRACT_RENEWAL)
        assert links[ending["key"]]["renewal"] == told["key"] == f"tryton:{native}/{end}"
        assert going_on["key"] not in links
