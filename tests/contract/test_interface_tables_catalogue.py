"""Products, price lists and prices out of the legacy ERP's tables."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from accord.objects import PRICE, PRICE_LIST, PRODUCT
from accord.ports import Source
from tests.contract.legacy import OnLegacy, ask
from tests.contract.legacy import legacy as legacy
from tests.contract.legacy import legacy_dsn as legacy_dsn
from tests.contract.source_suite import SourceSuite

CHANGED = "changed_at = clock_timestamp()"
DAY = dt.timedelta(days=1)


@pytest.fixture
def today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()


class CatalogueSuite(OnLegacy, SourceSuite):
    """What the three have in common: their own items, by number."""

    def do(self, statement: str, *values: Any) -> list[Any]:
        """What the ERP's own people do; everything they touch is stamped by hand, as the ERP's programs do."""
        return ask(self.dsn, statement, *values)

    def product(self) -> str:
        ((number,),) = self.do("SELECT 'T-' || nextval('erp.order_number')")
        columns = "(product_number, name, family, unit, kind, tax_category)"
        self.do(f"INSERT INTO erp.product {columns} VALUES (%s, 'Probe', 'Services', 'Hour', 'Goods', 'Goods')", number)  # noqa: S608
        return str(number)

    def price_list(self, **values: Any) -> str:
        ((number,),) = self.do("SELECT 'L-' || nextval('erp.order_number')")
        row = {"price_list": number, "company": "US01", "name": "Probe", "currency": "USD"} | values
        places = ", ".join(["%s"] * len(row))
        self.do(f"INSERT INTO erp.price_list ({', '.join(row)}) VALUES ({places})", *row.values())  # noqa: S608
        return str(number)

    def price(self, price_list: str, product: str, amount: str, **values: Any) -> str:
        row = {"price_list": price_list, "product_number": product, "unit_price": Decimal(amount)} | values
        places = ", ".join(["%s"] * len(row))
        self.do(f"INSERT INTO erp.price ({', '.join(row)}) VALUES ({places})", *row.values())  # noqa: S608
        return f"US01/{price_list}/{product}"

    def row(self, source: Source, native: str) -> dict[str, Any]:
        return self.read(source, natives=(native,))[1][native]


class TestProducts(CatalogueSuite):
    definition = PRODUCT

    def make(self, source: Source, number: int) -> str:
        product = self.product()
        self.do(
            "INSERT INTO erp.stock (company, warehouse, product_number, on_hand) VALUES ('US01', 'Dallas', %s, 7)",
            product,
        )
        return product

    def change(self, source: Source, native: str) -> None:
        self.do(f"UPDATE erp.product SET name = 'Other', {CHANGED} WHERE product_number = %s", native)  # noqa: S608

    def change_part(self, source: Source, native: str) -> None:
        self.do(f"UPDATE erp.stock SET on_hand = 6, {CHANGED} WHERE product_number = %s", native)  # noqa: S608

    def remove(self, source: Source, native: str) -> None:
        self.do(f"UPDATE erp.product SET status = 'Blocked', {CHANGED} WHERE product_number = %s", native)  # noqa: S608

    def is_removed(self, row: dict[str, Any]) -> bool:
        return (row["status"], row["active"]) == ("Blocked", False)

    def test_every_field_of_a_bundle(self, source: Source) -> None:
        row = self.row(source, "MI-9002")
        names = (
            "code",
            "name",
            "family",
            "unit",
            "kind",
            "status",
            "active",
            "system",
            "legal_entities",
            "tax_category",
        )
        assert tuple(row[name] for name in names) == (
            "MI-9002", "pH laboratory kit", "Bundles", "Kit", "Bundle", "Active", True, "legacy", ["US01"], "Goods",
        )  # fmt: skip
        assert {part["product"]: part["quantity"] for part in row["components"]} == {
            "legacy:MI-1001": 1, "legacy:MI-2001": 2, "legacy:MI-3001": 2, "legacy:MI-3002": 2, "legacy:MI-3003": 2,
        }  # fmt: skip
        (place,) = self.row(source, "MI-1001")["availability"]
        assert (place["warehouse"], place["region"], place["available"]) == ("Dallas", "United States", 25)


class TestPriceLists(CatalogueSuite):
    definition = PRICE_LIST

    def make(self, source: Source, number: int) -> str:
        return f"US01/{self.price_list()}"

    def change(self, source: Source, native: str) -> None:
        self._set(native, "name = 'Other'")

    def remove(self, source: Source, native: str) -> None:
        self._set(native, "active = false")

    def is_removed(self, row: dict[str, Any]) -> bool:
        return row["active"] is False

    def test_a_record_belongs_to_the_window_of_its_last_change(self, source: Source) -> None:
        native = self.make(source, 1)
        version = self.row(source, native)["version"]
        self.change(source, native)
        assert self.row(source, native)["version"] > version
        assert native not in self.read(source, since=version, until=version + dt.timedelta(microseconds=1))[1]

    def test_a_list_whose_validity_ended_is_out_of_use_since_that_midnight(
        self, source: Source, today: dt.date
    ) -> None:
        long_ago = {"changed_at": dt.datetime(2020, 1, 1, tzinfo=dt.UTC), "valid_from": today - 9 * DAY}
        over = self.row(source, f"US01/{self.price_list(valid_until=today - DAY, **long_ago)}")
        assert (over["active"], over["valid_until"]) == (False, today - DAY)
        assert over["version"] == dt.datetime.combine(today, dt.time(), dt.UTC)
        still = self.row(source, f"US01/{self.price_list(valid_until=today, **long_ago)}")
        assert still["active"]
        assert still["version"] == dt.datetime.combine(today - 9 * DAY, dt.time(), dt.UTC)

    def _set(self, native: str, what: str) -> None:
        self.do(f"UPDATE erp.price_list SET {what}, {CHANGED} WHERE price_list = %s", native.partition("/")[2])  # noqa: S608


class TestPrices(CatalogueSuite):
    definition = PRICE

    def make(self, source: Source, number: int) -> str:
        return self.price(self.price_list(), self.product(), "12.3456")

    def change(self, source: Source, native: str) -> None:
        _, price_list, product = native.split("/")
        where = f"{CHANGED} WHERE price_list = %s AND product_number = %s"
        self.do(f"UPDATE erp.price SET unit_price = 13, {where}", price_list, product)  # noqa: S608

    def change_part(self, source: Source, native: str) -> None:
        _, price_list, product = native.split("/")
        self.price(price_list, product, "11", from_quantity=10)

    def remove(self, source: Source, native: str) -> None:
        where = f"{CHANGED} WHERE product_number = %s"
        self.do(f"UPDATE erp.product SET status = 'Discontinued', {where}", native.rpartition("/")[2])  # noqa: S608

    def test_breaks_and_days(self, source: Source, today: dt.date) -> None:
        price_list, product = self.price_list(), self.product()
        begun, later = today - 9 * DAY, today + 9 * DAY
        self.price(price_list, product, "9", valid_from=begun - DAY, valid_until=begun - DAY)
        self.price(price_list, product, "20", valid_from=begun)
        self.price(price_list, product, "18.5", valid_from=begun, from_quantity=10)
        native = self.price(price_list, product, "21", valid_from=later)
        row = self.row(source, native)
        tiers = sorted((t["from_quantity"], t["unit_price"], t["valid_from"], t["valid_until"]) for t in row["tiers"])
        assert tiers == [
            (1, Decimal("20"), begun, later - DAY),
            (1, Decimal("21"), later, None),
            (10, Decimal("18.5"), begun, None),
        ]
        assert (row["unit_price"], row["currency"], row["active"], row["gone"]) == (20, "USD", True, False)
        assert (row["product"], row["price_list"]) == (f"legacy:{product}", f"legacy:US01/{price_list}")

    def test_a_price_that_is_over_or_on_a_list_that_is_over_is_gone(self, source: Source, today: dt.date) -> None:
        product = self.product()
        over = self.price(self.price_list(), product, "1", valid_until=today - DAY)
        ended = self.price(self.price_list(valid_until=today - DAY), product, "1")
        early = self.price(self.price_list(), product, "1", valid_from=today + DAY)
        assert [self.row(source, native)["gone"] for native in (over, ended, early)] == [True, True, True]
        assert self.row(source, over)["version"] >= dt.datetime.combine(today, dt.time(), dt.UTC)
