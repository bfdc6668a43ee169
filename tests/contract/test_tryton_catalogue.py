"""Products, price lists and prices out of a real Tryton."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from accord.objects import PRICE, PRICE_LIST, PRODUCT
from accord.ports import Source
from sandbox.erp.rpc import Client
from sandbox.erp.server import Erp
from sandbox.stack.postgres import Server
from tests.contract.source_suite import SourceSuite
from tests.contract.tryton_server import OnTryton
from tests.contract.tryton_server import connection as connection
from tests.contract.tryton_server import one as one
from tests.tryton_catalogue import Catalogue, catalogue_of

DAY = dt.timedelta(days=1)


@pytest.fixture(scope="session")
def admin(tryton: Erp) -> Client:
    """Who keeps the catalogue."""
    return tryton.client("admin")


@pytest.fixture(scope="module")
def people(admin: Client) -> Catalogue:
    return catalogue_of(admin)


@pytest.fixture
def today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()


class CatalogueSuite(OnTryton, SourceSuite):
    """What the three have in common."""

    @pytest.fixture(autouse=True)
    def _people(self, people: Catalogue) -> Iterator[None]:
        self.people = people
        yield
        self.people.close()

    def row(self, source: Source, native: object) -> dict[str, Any]:
        return self.read(source, natives=(str(native),))[1][str(native)]


class TestProducts(CatalogueSuite):
    definition = PRODUCT

    def make(self, source: Source, number: int) -> str:
        return str(self.people.bundle(_1=1, _2=number))

    def change(self, source: Source, native: str) -> None:
        self.people.write(int(native), name="Changed")

    def change_part(self, source: Source, native: str) -> None:
        template = [["parent_template", "=", self.people.template(int(native))]]
        (part, *_) = self.people.call("product.component.search", template, 0, None, None)
        self.people.call("product.component.write", [part], {"quantity": 3})

    def remove(self, source: Source, native: str) -> None:
        self.people.write(int(native), active=False)

    def is_removed(self, row: dict[str, Any]) -> bool:
        return (row["status"], row["active"]) == ("Blocked", False)

    def test_every_field(self, source: Source) -> None:
        native = self.people.product(categories=[["add", [self.people.family("Consumables")]]])
        self.people.call("product.product.write", [native], {"description": "For tests."})
        row = self.row(source, native)
        assert row["code"].startswith("T-")
        names = ("name", "description", "family", "unit", "kind", "status", "system", "legal_entities", "tax_category")
        assert tuple(row[name] for name in names) == (
            "Probe", "For tests.", "Consumables", "Each", "Goods", "Active", "tryton", ["NL01"], "Goods",
        )  # fmt: skip
        places = [(a["warehouse"], a["region"], a["available"]) for a in row["availability"]]
        assert sorted(places) == [("Leeds", "United Kingdom", 0), ("Rotterdam", "Netherlands", 0)]

    def test_who_sells_it_is_who_has_a_price(self, source: Source, admin: Client) -> None:
        native = self.people.product()
        catalogue_of(admin, "GB01").write(native, list_price=Decimal(90))
        assert self.row(source, native)["legal_entities"] == ["GB01", "NL01"]
        assert self.row(source, self.people.product(price=None))["gone"]

    def test_what_is_discontinued_or_blocked_is_not_offered(self, source: Source) -> None:
        native = self.people.product()
        self.people.write(native, salable=False)
        row = self.row(source, native)
        assert (row["status"], row["active"], row["gone"]) == ("Discontinued", False, False)

    def test_a_product_without_tax_category_is_read_as_that(self, source: Source) -> None:
        assert self.row(source, self.people.product(account_category=None))["tax_category"] is None

    def test_what_is_promised_is_not_available_though_it_leaves_later(self, source: Source) -> None:
        native = self.people.product()
        bundle = self.people.bundle(**{f"_{native}": 2})
        since = max(self.row(source, id_)["version"] for id_ in (native, bundle)) + dt.timedelta(microseconds=1)
        self.people.promise(native, 5)
        _, rows = self.read(source, since=since)
        assert {str(native), str(bundle)} <= set(rows)
        free = {a["warehouse"]: a["available"] for a in rows[str(native)]["availability"]}
        assert free == {"Leeds": 0, "Rotterdam": -5}
        kits = {a["warehouse"]: a["available"] for a in rows[str(bundle)]["availability"]}
        assert kits == {"Leeds": 0, "Rotterdam": -2}

    def test_stock_of_the_sample_company(self, source: Source) -> None:
        """Of the scarcest part there is enough for so many bundles; services are not in stock."""
        rows = {row["code"]: row for row in self.read(source)[1].values()}
        free = {
            code: {a["warehouse"]: a["available"] for a in rows[code]["availability"]}
            for code in ("MI-1012", "MI-1016", "MI-2012", "MI-9003", "MI-4001")
        }
        for place in ("Leeds", "Rotterdam"):
            parts = (free["MI-1012"][place], free["MI-1016"][place], free["MI-2012"][place] // 2)
            assert free["MI-9003"][place] == min(parts)
        assert free["MI-4001"] == {}
        assert "MI-0904" in rows
        assert not [code for code in rows if not code]


class TestPriceLists(CatalogueSuite):
    definition = PRICE_LIST

    def make(self, source: Source, number: int) -> str:
        return str(self.people.list({"product": 1, "formula": "12.34"}))

    def change(self, source: Source, native: str) -> None:
        self.people.call("product.price_list.write", [int(native)], {"name": "Changed EUR"})

    def change_part(self, source: Source, native: str) -> None:
        self.people.call("product.price_list.line.write", self.people.lines(int(native)), {"formula": "13"})

    def remove(self, source: Source, native: str) -> None:
        self.people.call("product.price_list.write", [int(native)], {"active": False})

    def is_removed(self, row: dict[str, Any]) -> bool:
        return row["active"] is False

    def test_its_currency_is_the_last_word_of_its_name_or_the_company_s(self, source: Source, admin: Client) -> None:
        british = catalogue_of(admin, "GB01")
        lists = [self.people.list(name="Export USD"), self.people.list(name="Spring offer"), british.list(name="All")]
        british.close()
        rows = [self.row(source, one) for one in lists]
        assert [(row["currency"], row["legal_entity"]) for row in rows] == [
            ("USD", "NL01"), ("EUR", "NL01"), ("GBP", "GB01"),
        ]  # fmt: skip

    def test_a_list_whose_validity_ended_is_out_of_use_since_that_midnight(
        self, source: Source, today: dt.date, postgres_server: Server, tryton: Erp
    ) -> None:
        line = {"product": 1, "formula": "1", "start_date": today - 9 * DAY}
        over, still = self.people.list(line | {"end_date": today - DAY}), self.people.list(line | {"end_date": today})
        with psycopg.connect(postgres_server.dsn(tryton.database)) as session:  # nobody has touched it for years
            for table, column in (("product_price_list", "id"), ("product_price_list_line", "price_list")):
                stamps = "create_date = '2020-01-01', write_date = '2020-01-01'"
                session.execute(f"UPDATE {table} SET {stamps} WHERE {column} = %s".encode(), [over])  # noqa: S608 - ours
        row = self.row(source, over)
        assert (row["active"], row["valid_from"], row["valid_until"]) == (False, today - 9 * DAY, today - DAY)
        assert row["version"] == dt.datetime.combine(today, dt.time(), dt.UTC)
        assert self.row(source, still)["active"]
        assert not self.row(source, self.people.list({"formula": "1", "start_date": today + DAY}))["active"]


class TestPrices(CatalogueSuite):
    definition = PRICE

    def make(self, source: Source, number: int) -> str:
        product = self.people.product()
        return f"{self.people.list({'product': product, 'formula': '12.34'})}/{product}"

    def parts(self, native: str) -> tuple[int, int]:
        price_list, _, product = native.partition("/")
        return int(price_list), int(product)

    def change(self, source: Source, native: str) -> None:
        lines = self.people.lines(self.parts(native)[0])
        self.people.call("product.price_list.line.write", lines, {"formula": "13.5"})

    def change_part(self, source: Source, native: str) -> None:
        self.people.write(self.parts(native)[1], list_price=Decimal(7))

    def remove(self, source: Source, native: str) -> None:
        self.people.call("product.price_list.write", [self.parts(native)[0]], {"active": False})

    def price(self, source: Source, *lines: dict[str, Any], people: Catalogue | None = None, **more: Any) -> Any:
        """The price of a product of its own, list price 100, on a list of these lines."""
        people = people or self.people
        product = people.product()
        return self.row(source, f"{people.list(*lines, **more)}/{product}")

    def test_breaks_and_days_are_computed_by_the_erp(self, source: Source, today: dt.date) -> None:
        later = today + 9 * DAY
        row = self.price(
            source,
            {"quantity": 10, "formula": "unit_price * 0.875"},
            {"quantity": 50, "formula": "66", "end_date": later - DAY},  # never: the line before it comes first
            {"formula": "unit_price - 0.0005", "end_date": later - DAY},
            {"formula": "unit_price * 1.1", "start_date": later},
        )
        tiers = [(t["from_quantity"], t["unit_price"], t["valid_from"], t["valid_until"]) for t in row["tiers"]]
        assert tiers == [
            (1, Decimal("99.9995"), None, later - DAY),
            (10, Decimal("87.5"), None, later - DAY),
            (1, Decimal("110"), later, None),
            (10, Decimal("87.5"), later, None),
        ]
        assert (row["unit_price"], row["currency"], row["active"]) == (Decimal("99.9995"), "EUR", True)
        assert len({tier["id"] for tier in row["tiers"]}) == 4

    def test_a_price_is_the_one_of_today(self, source: Source, today: dt.date) -> None:
        row = self.price(
            source,
            {"formula": "1", "end_date": today - DAY},
            {"formula": "2", "start_date": today, "end_date": today},
            {"formula": "3", "start_date": today + DAY},
        )
        assert row["unit_price"] == 2
        assert [(t["unit_price"], t["valid_from"], t["valid_until"]) for t in row["tiers"]] == [
            (2, None, today), (3, today + DAY, None),
        ]  # fmt: skip
        assert row["version"] >= dt.datetime.combine(today, dt.time(), dt.UTC)

    def test_a_list_in_another_currency_is_converted(self, source: Source, admin: Client) -> None:
        row = self.price(source, {"formula": "unit_price"}, name="Export USD")
        assert (row["unit_price"], row["currency"]) == (Decimal("108"), "USD")
        british = catalogue_of(admin, "GB01")
        row = self.price(source, {"formula": "unit_price"}, people=british, name="Standard GBP")
        british.close()
        assert (row["unit_price"], row["currency"]) == (Decimal("100"), "GBP")

    def test_a_price_that_vanished_is_gone(self, source: Source) -> None:
        product = self.people.product()
        made = self.people.list({"product": product, "formula": "1"}, {"product": 1, "formula": "2"})
        native = f"{made}/{product}"
        since = self.row(source, native)["version"] + dt.timedelta(microseconds=1)
        lines = {"lines": [["delete", self.people.lines(made)[:1]]]}
        self.people.call("product.price_list.write", [made], lines)
        _, rows = self.read(source, since=since)
        assert (rows[native]["gone"], rows[native]["active"]) == (True, False)
        assert not rows[f"{made}/1"]["gone"]

    @pytest.mark.parametrize("change", [{"salable": False}, {"active": False}], ids=str)
    def test_what_is_not_sold_has_no_price(self, source: Source, change: dict[str, bool]) -> None:
        native = self.make(source, 1)
        self.people.write(self.parts(native)[1], **change)
        row = self.row(source, native)
        assert (row["gone"], row["tiers"]) == (True, [])

    def test_a_list_whose_validity_ended_has_no_prices(self, source: Source, today: dt.date) -> None:
        assert self.price(source, {"formula": "1", "end_date": today - DAY})["gone"]
        assert self.price(source, {"formula": "1", "start_date": today + DAY})["gone"]

    def test_a_new_exchange_rate_changes_the_prices_it_converts(
        self, source: Source, admin: Client, today: dt.date
    ) -> None:
        product = self.people.product()
        natives = [f"{self.people.list({'formula': 'unit_price'}, name=f'L {c}')}/{product}" for c in ("CZK", "EUR")]
        since = max(self.row(source, native)["version"] for native in natives[1:]) + dt.timedelta(microseconds=1)
        (czech,) = admin.call("model.currency.currency.search", [["code", "=", "CZK"]], 0, 1, None)
        rate = {"currency": czech, "date": today - DAY, "rate": Decimal("24.5")}
        known = admin.call("model.currency.currency.rate.search", [["currency", "=", czech]], 0, None, None)
        if known:  # of an earlier session
            admin.call("model.currency.currency.rate.delete", known)
        admin.call("model.currency.currency.rate.create", [rate])
        _, rows = self.read(source, since=since)
        assert rows[natives[0]]["unit_price"] == Decimal("2450")
        assert natives[1] not in rows
