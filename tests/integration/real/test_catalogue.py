"""The catalogue on real parts: products, bundles, price lists and prices of both ERPs as the sample company declares them, field
by field in Salesforce; then what changes there, arrives here."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest

import sandbox.erp
from accord.flows import flow
from accord.pipeline.runs import Params, RunKind
from tests.integration.real.world import RealWorld, counts
from tests.tryton_catalogue import Catalogue, catalogue_of

DECLARED = json.loads((Path(sandbox.erp.__file__).parent / "catalogue.json").read_text(encoding="utf-8"))
DECLARED_PRODUCTS = {row["code"]: row for row in DECLARED["products"]}
CENT, EXACT = Decimal("0.01"), Decimal("0.0001")
PLACES = {"NL01": "Rotterdam", "GB01": "Leeds", "US01": "Dallas"}
ENTITIES = {"tryton": ("NL01", "GB01"), "legacy": ("US01",)}

Row = dict[str, Any]


def move(world: RealWorld, name: str, source: str, **asked: Any) -> dict[str, int]:
    """Run the flow of an object from an ERP, by hand for all or for what is asked."""
    summary = world.run(flow(f"{name}__{source}_to_salesforce"), kind=RunKind.MANUAL, params=Params(**asked))
    return counts(summary, "salesforce")


def rows(world: RealWorld, sobject: str, fields: str, path: str = "", value: str = "") -> list[Row]:
    """Records of the org, all or those whose `path` is `value`."""
    condition = f" WHERE {path} = '{value}'" if path else ""
    return world.people.soql(f"SELECT {fields} FROM {sobject}{condition}")  # noqa: S608 - our own words


# ------------------------------------------------------------------------------------------------------ what must be there
def expected_product(code: str, source: str) -> Row:
    declared = DECLARED_PRODUCTS[code]
    entities = [entity for entity in ENTITIES[source] if entity in declared["prices"]]
    state = "Blocked" if declared.get("blocked") else "Discontinued" if declared.get("discontinued") else "Active"
    kind = declared.get("kind", "Goods")
    return {
        "Name": declared["name"],
        "Family": declared["family"],
        "QuantityUnitOfMeasure": declared["unit"],
        "Kind__c": kind,
        "ERP_Status__c": state,
        "IsActive": state == "Active",
        "ERP_System__c": source,
        "Legal_Entities__c": set(entities),
        "Tax_Category__c": declared.get("tax", "Services" if kind == "Service" else "Goods"),
    }


def expected_stock(code: str, source: str, sold: Mapping[tuple[str, str], Decimal]) -> dict[str, Decimal]:
    """What of a product is where; Tryton also tells how many of a bundle its parts make."""
    declared = DECLARED_PRODUCTS[code]
    entities = ENTITIES[source]
    if "components" in declared and source == "tryton":
        parts = {part: expected_stock(part, source, sold) for part in declared["components"]}
        need = declared["components"]
        return {PLACES[e]: min(parts[p][PLACES[e]] // need[p] for p in parts) for e in entities}
    if "stock" not in declared:
        return {}
    return {PLACES[e]: Decimal(declared["stock"].get(e, 0)) - sold.get((code, e), 0) for e in entities}


def sold_in(world: RealWorld, source: str) -> dict[tuple[str, str], Decimal]:
    """(code, legal entity) → what of it went or is to go to customers since the company began: other tests sell, too."""
    sold: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    if source == "tryton":
        fields = ["product.code", "company.party.code", "quantity", "to_location.type"]
        at_customers = ["OR", ["to_location.type", "=", "customer"], ["from_location.type", "=", "customer"]]
        call = world.erp.client("admin").call
        for move in call(
            "model.stock.move.search_read", [["state", "!=", "cancelled"], at_customers], 0, None, None, fields
        ):
            back = move["to_location."]["type"] != "customer"
            of = (move["product."]["code"], move["company."]["party."]["code"])
            sold[of] += Decimal(str(move["quantity"])) * (-1 if back else 1)
    return sold


def seen_stock(world: RealWorld) -> dict[str, dict[str, Decimal]]:
    found: dict[str, dict[str, Decimal]] = {}
    for row in rows(world, "Product_Availability__c", "Product__c, Warehouse__c, Available__c"):
        found.setdefault(row["Product__c"], {})[row["Warehouse__c"]] = Decimal(str(row["Available__c"]))
    return found


def seen_parts(world: RealWorld) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for row in rows(world, "Product_Component__c", "Product__c, Component__r.ProductCode, Quantity__c"):
        found.setdefault(row["Product__c"], {})[row["Component__r"]["ProductCode"]] = int(row["Quantity__c"])
    return found


def prices_of(world: RealWorld, book: str) -> dict[str, Row]:
    """Product code → entry of a price book, with its tiers: (from, begins) → price."""
    fields = "Id, Key__c, Product2.ProductCode, CurrencyIsoCode, UnitPrice, IsActive"
    entries = rows(world, "PricebookEntry", fields, "Pricebook2.Name", book)
    tiers: dict[str, dict[tuple[Decimal, str | None], Decimal]] = {}
    fields = "Price_Key__c, From_Quantity__c, Unit_Price__c, Valid_From__c"
    for row in rows(world, "ERP_Price_Tier__c", fields):
        price = Decimal(str(row["Unit_Price__c"]))
        place = (Decimal(str(row["From_Quantity__c"])), row["Valid_From__c"])
        tiers.setdefault(row["Price_Key__c"], {})[place] = price
    return {row["Product2"]["ProductCode"]: row | {"tiers": tiers.get(row["Key__c"], {})} for row in entries}


def rounded(amount: Decimal, digits: Decimal) -> Decimal:
    return amount.quantize(digits, ROUND_HALF_UP)


# ------------------------------------------------------------------------------------------------------------------- tests
@pytest.mark.parametrize("source", ["tryton", "legacy"])
def test_the_catalogue_lands_field_by_field(world: RealWorld, source: str) -> None:
    waiting = "1/1" if source == "tryton" else "US01/US-STANDARD/MI-1001"
    assert move(world, "price", source, keys=(waiting,)) == {"parked": 1}

    assert move(world, "product", source, full_refresh=True) == {"applied": len(of(source))}
    found = {row["ProductCode"]: row for row in rows(world, "Product2", f"Id, ProductCode, {FIELDS}")}
    for row in found.values():
        row["Legal_Entities__c"] = set(row["Legal_Entities__c"].split(";"))
    assert {code: {f: row[f] for f in FIELDS.split(", ")} for code, row in found.items()} == {
        code: expected_product(code, source) for code in of(source)
    }
    stock, parts, sold = seen_stock(world), seen_parts(world), sold_in(world, source)
    for code, row in found.items():
        assert stock.get(row["Id"], {}) == expected_stock(code, source, sold), code
        assert parts.get(row["Id"], {}) == DECLARED_PRODUCTS[code].get("components", {}), code

    lists = {"tryton": 5, "legacy": 2}[source]
    assert move(world, "price_list", source, full_refresh=True)["applied"] == lists
    names = {row["Name"]: row for row in rows(world, "Pricebook2", "Name, Key__c, Currency__c, Legal_Entity__c")}
    assert {name.split()[-1] == row["Currency__c"] for name, row in names.items() if row["Legal_Entity__c"]} == {True}

    # the one that waited goes with the schedule's next run, by itself
    prices = flow(f"price__{source}_to_salesforce")
    world.read_from_the_beginning(prices)
    assert world.run(prices)["released"] == 1
    assert world.exceptions() == {}
    books = [key_of(row) for row in names.values() if row["Key__c"]]
    products = {row["ProductCode"]: key_of(row) for row in rows(world, "Product2", "Key__c, ProductCode")}
    asked = tuple(f"{book}/{products[code]}" for book in books for code in (*SOLD, *NOT_SOLD))
    told = move(world, "price", source, keys=asked)
    assert told.pop("excluded") == lists * len(NOT_SOLD)
    assert sum(told.values()) == lists * len(SOLD)
    assert set(told) <= {"applied", "unchanged"}
    for name, factor, expected_rate, entity in STANDARD[source]:
        entries = prices_of(world, name)
        assert set(SOLD) <= set(entries)
        assert not set(NOT_SOLD) & set(entries)
        for code, entry in entries.items():
            price = Decimal(DECLARED_PRODUCTS[code]["prices"][entity]) * factor * expected_rate
            if (name, code) == ("Standard EUR", "MI-1006"):
                price = Decimal(8250)
            assert Decimal(str(entry["UnitPrice"])) == rounded(price, CENT), (name, code)
            assert (entry["IsActive"], entry["CurrencyIsoCode"]) == (True, name.split()[-1])
            assert rounded(price, EXACT) in entry["tiers"].values(), (name, code)

    world.forget()
    assert set(move(world, "product", source, full_refresh=True)) == {"unchanged"}
    assert set(move(world, "price_list", source, full_refresh=True)) == {"unchanged"}
    assert set(move(world, "price", source, keys=asked)) <= {"unchanged", "excluded"}
    assert world.nothing_written()


def key_of(row: Row) -> str:
    return str(row["Key__c"]).partition(":")[2]


SOLD = ("MI-1001", "MI-1006", "MI-1014", "MI-3001", "MI-4001", "MI-9001")
NOT_SOLD = ("MI-0901",)
FIELDS = ", ".join(expected_product("MI-1001", "tryton"))
# price list → factor on the list price, exchange rate, whose list price
STANDARD: dict[str, list[tuple[str, Decimal, Decimal, str]]] = {
    "tryton": [
        ("Standard EUR", Decimal(1), Decimal(1), "NL01"),
        ("Export USD", Decimal("1.06"), Decimal("1.08"), "NL01"),
        ("Standard GBP", Decimal(1), Decimal(1), "GB01"),
    ],
    "legacy": [("Standard USD", Decimal(1), Decimal(1), "US01"), ("Partner USD", Decimal("0.85"), Decimal(1), "US01")],
}


def of(source: str) -> list[str]:
    """Codes of the products an ERP sells."""
    return [code for code, row in DECLARED_PRODUCTS.items() if set(row["prices"]) & set(ENTITIES[source])]


@pytest.fixture
def people(world: RealWorld) -> Iterator[Catalogue]:
    people = catalogue_of(world.erp.client("admin"))
    yield people
    people.close()


def entry(world: RealWorld, native: str) -> tuple[Any, ...]:
    """(price, whether it may be quoted, tiers) of a price."""
    key = f"tryton:{native}"
    (row,) = rows(world, "PricebookEntry", "UnitPrice, IsActive", "Key__c", key)
    tiers = rows(world, "ERP_Price_Tier__c", "From_Quantity__c, Unit_Price__c", "Price_Key__c", key)
    return row["UnitPrice"], row["IsActive"], {int(t["From_Quantity__c"]): t["Unit_Price__c"] for t in tiers}


@pytest.mark.usefixtures("open_gates")
def test_what_changes_in_the_erp_arrives(world: RealWorld, people: Catalogue) -> None:
    product = people.product("20")
    bundle = people.bundle(**{f"_{product}": 2})  # both new, in one run
    book = people.list({"product": product, "quantity": 10, "formula": "18"}, {"formula": "unit_price"}, name="New EUR")
    flows = [flow(f"{name}__tryton_to_salesforce") for name in ("product", "price_list", "price")]
    world.read_from_the_beginning(flows[0], flows[2])  # all lists: the products are on each
    for each in flows:
        world.run(each)
    assert [
        e["category"] for found in world.exceptions().values() for e in found if e["key"].endswith(f"/{product}")
    ] == []
    fields = "Component__r.Key__c, Quantity__c"
    (part,) = rows(world, "Product_Component__c", fields, "Product__r.Key__c", f"tryton:{bundle}")
    assert (part["Component__r"]["Key__c"], part["Quantity__c"]) == (f"tryton:{product}", 2)
    native = f"{book}/{product}"
    assert entry(world, native) == (20, True, {1: 20, 10: 18})

    (first, _) = people.lines(book)
    people.call("product.price_list.line.write", [first], {"formula": "17.505"})
    people.write(product, list_price=Decimal("21.996"), name="Renamed")
    world.run(flow("product__tryton_to_salesforce"))
    world.run(flow("price__tryton_to_salesforce"))
    assert entry(world, native) == (22, True, {1: 21.996, 10: 17.505})
    (row,) = rows(world, "Product2", "Name", "Key__c", f"tryton:{product}")
    assert row["Name"] == "Renamed"

    people.call("product.price_list.write", [book], {"lines": [["delete", people.lines(book)[1:]]]})
    move(world, "price", "tryton", keys=(native,))
    assert entry(world, native)[1] is False  # nobody can quote one of it any more
    people.call("product.price_list.write", [book], {"lines": [["create", [{"sequence": 9, "formula": "unit_price"}]]]})
    move(world, "price", "tryton", keys=(native,))
    assert entry(world, native) == (22, True, {1: 21.996, 10: 17.505})

    people.write(product, salable=False)
    move(world, "product", "tryton", keys=(str(product),))
    move(world, "price", "tryton", keys=(native,))
    (row,) = rows(world, "Product2", "IsActive, ERP_Status__c", "Key__c", f"tryton:{product}")
    assert (row["IsActive"], row["ERP_Status__c"]) == (False, "Discontinued")
    assert entry(world, native)[1] is False


def test_a_product_without_tax_category_is_not_offered_until_it_has_one(world: RealWorld, people: Catalogue) -> None:
    product = people.product(account_category=None)
    assert move(world, "product", "tryton", keys=(str(product),)) == {"quarantined": 1}
    (held,) = world.exceptions()[f"tryton:{product}"]
    assert (held["category"], held["queue"]) == ("tax can't be decided", "finance")
    assert rows(world, "Product2", "Id") == []
    people.write(product, account_category=people.goods)
    assert move(world, "product", "tryton", keys=(str(product),)) == {"applied": 1}
    assert world.exceptions() == {}
