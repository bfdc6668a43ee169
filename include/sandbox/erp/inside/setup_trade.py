"""What the company buys, stores and sells: units, products, bundles, warehouses, stock, carriers, price lists, numbers.

A price list is kept in its company's currency, as Tryton has it; the last word of its name is the currency it is offered in.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from proteus import Model
from setup_records import currency, known, one, work_for

COST = Decimal("0.55")  # of the list price
CENT = Decimal("0.01")
Entities = list[tuple[dict[str, Any], Any]]


def set_up(entities: Entities, catalogue: dict[str, Any], year: int) -> None:
    """Everything, for every legal entity.

    Args:
        entities: what is declared of each, and its company record.
        catalogue: the products and the price lists.
        year: the one that validity dates are relative to.
    """
    work_for(entities[0][1])
    units = {
        "Each": one("product.uom", [("id", "=", known("product.uom_unit"))]),
        "Hour": one("product.uom", [("id", "=", known("product.uom_hour"))]),
        "Litre": one("product.uom", [("id", "=", known("product.uom_liter"))]),
        "Month": unit("Month"),
        "Kit": unit("Kit"),
    }
    families = {name: family(name) for name in dict.fromkeys(row["family"] for row in catalogue["products"])}
    templates = [product(row, units, families) for row in catalogue["products"]]
    Model.get("product.template").save(templates)
    products = {one_of.products[0].code: one_of.products[0] for one_of in templates}
    bundles(catalogue["products"], products)
    for entity, owner in entities:
        work_for(owner)
        prices(entity["code"], catalogue["products"])
        storage = warehouse(entity, first=owner.id == entities[0][1].id)
        stock(entity["code"], catalogue["products"], owner, storage, year)
        default = price_lists(catalogue["price_lists"][entity["code"]], owner, year)
        numbers(entity["code"], owner, default)
        carrier(entity["carrier"], owner, units["Each"])
        banks(entity, owner)
    work_for(entities[0][1])
    subscriptions(catalogue["products"])
    retire(catalogue["products"])


def unit(name: str) -> Any:
    Category, Unit = Model.get("product.uom.category"), Model.get("product.uom")
    category = Category(name=name)
    category.save()
    made = Unit(name=name, symbol=name.lower(), category=category, factor=1.0, rate=1.0, digits=0, rounding=1.0)
    made.save()
    return made


def family(name: str) -> Any:
    made = Model.get("product.category")(name=name)
    made.save()
    return made


def product(row: dict[str, Any], units: dict[str, Any], families: dict[str, Any]) -> Any:
    kind = row.get("kind", "Goods")
    made = Model.get("product.template")(name=row["name"])
    made.type = {"Goods": "goods", "Service": "service", "Bundle": "kit"}[kind]
    made.default_uom = units[row["unit"]]
    made.salable = True
    made.sale_uom = units[row["unit"]]
    made.account_category = one("product.category", [("name", "=", _accounting(row)), ("accounting", "=", True)])
    made.categories.append(Model.get("product.category")(families[row["family"]].id))
    made.list_price = Decimal(0)
    if "lead_days" in row:
        made.lead_time = dt.timedelta(days=row["lead_days"])
    made.products[0].suffix_code = row["code"]
    return made


def _accounting(row: dict[str, Any]) -> str:
    return str(row.get("tax") or ("Services" if row.get("kind") == "Service" else "Goods"))


def bundles(rows: list[dict[str, Any]], products: dict[str, Any]) -> None:
    for row in rows:
        if "components" in row:
            bundle = Model.get("product.template")(products[row["code"]].template.id)
            for code, quantity in row["components"].items():
                part = bundle.components.new()
                part.product = Model.get("product.product")(products[code].id)
                part.quantity, part.fixed = float(quantity), True
            bundle.save()


def prices(entity: str, rows: list[dict[str, Any]]) -> None:
    """List price and cost are the company's own. What has no price there is not offered there."""
    by_code = {row["code"]: row for row in rows}
    Template = Model.get("product.template")
    found = Template.find([("products.code", "in", list(by_code))])
    for template in found:
        price = Decimal(by_code[template.products[0].code]["prices"][entity])
        template.list_price = price
        if template.type == "goods":
            template.cost_price = (price * COST).quantize(CENT)
    Template.save(found)


def warehouse(entity: dict[str, Any], *, first: bool) -> Any:
    """The module's own warehouse is the first entity's; its storage is where stock lies."""
    Location = Model.get("stock.location")
    declared = entity["warehouse"]
    if first:
        made = Location(known("stock.location_warehouse"))
    else:
        made = Location(type="warehouse")
        for role in ("input", "output", "storage"):
            place = Location(
                name=f"{declared['name']} {role}", code=f"{declared['code']}-{role[:3].upper()}", type="storage"
            )
            place.save()
            setattr(made, f"{role}_location", place)
        made.lost_found_location = Location(known("stock.location_lost_found"))
    made.name, made.code = declared["name"], declared["code"]
    address = one("party.party", [("code", "=", entity["code"])]).addresses[0]
    made.address = Model.get("party.address")(address.id)
    made.save()
    return made.storage_location


def stock(entity: str, rows: list[dict[str, Any]], owner: Any, storage: Any, year: int) -> None:
    Inventory = Model.get("stock.inventory")
    count = Inventory(location=storage, company=owner, date=dt.date(year, 1, 1))
    Product = Model.get("product.product")
    counted = {row["code"]: row["stock"][entity] for row in rows if row.get("stock", {}).get(entity)}
    for found in Product.find([("code", "in", list(counted))]):
        line = count.lines.new(product=found)
        line.quantity = float(counted[found.code])
    count.save()
    count.click("confirm")


def price_lists(declared: list[dict[str, Any]], owner: Any, year: int) -> Any:
    default = None
    for one_list in declared:
        made = Model.get("product.price_list")(
            name=one_list["name"], company=owner, unit="product_default", price="list_price"
        )
        for number, row in enumerate(one_list["lines"], start=1):
            line = made.lines.new(formula=row["formula"], sequence=number)
            line.quantity = float(row["from"]) if "from" in row else None
            if "product" in row:
                line.product = one("product.product", [("code", "=", row["product"])])
            if "family" in row:
                line.category = one("product.category", [("name", "=", row["family"]), ("accounting", "=", False)])
            if "from_year" in row:
                line.start_date = dt.date(year + row["from_year"], 1, 1)
            if "until_year" in row:
                line.end_date = dt.date(year + row["until_year"], 12, 31)
        made.save()
        if one_list["default"]:
            default = made
    return default


def numbers(entity: str, owner: Any, default: Any) -> None:
    """Orders and shipments are numbered by each company, told apart by its code."""
    sale = Model.get("sale.configuration")(1)
    sale.sale_sequence = _sequence("Sale", entity, "S", owner)
    sale.sale_invoice_method, sale.sale_shipment_method = "fulfillment", "order"
    sale.sale_shipment_cost_method = None  # freight is not charged: an order needs no carrier
    sale.sale_price_list = default
    sale.subscription_sequence = _sequence("Subscription", entity, "A", owner)
    sale.save()
    stock = Model.get("stock.configuration")(1)
    stock.shipment_out_sequence = _sequence("Customer Shipment", entity, "D", owner)
    stock.shipment_out_return_sequence = _sequence("Customer Return Shipment", entity, "R", owner)
    stock.save()


def _sequence(kind: str, entity: str, letter: str, owner: Any) -> Any:
    made = Model.get("ir.sequence")(name=f"{kind} {entity}", company=owner, prefix=f"{entity}-{letter}", padding=6)
    made.sequence_type = one("ir.sequence.type", [("name", "=", kind)])
    made.save()
    return made


def carrier(name: str, owner: Any, each: Any) -> None:
    template = Model.get("product.template")(name=name, type="service", default_uom=each, list_price=Decimal(0))
    template.account_category = one("product.category", [("name", "=", "Services"), ("accounting", "=", True)])
    template.save()
    made = Model.get("carrier")(party=owner.party, carrier_product=template.products[0])
    made.save()


def banks(entity: dict[str, Any], owner: Any) -> None:
    """Where customers' payments arrive: a journal of bank statements for each currency the company has an account in."""
    for code in entity["bank_currencies"]:
        made = Model.get("account.statement.journal")(name=f"{entity['code']} bank {code}", company=owner)
        made.journal = one("account.journal", [("type", "=", "statement")])
        made.currency, made.validation = currency(code), "amount"
        made.account = one("account.account", [("code", "=", "1.1.1"), ("company", "=", owner.id)])
        made.save()


def subscriptions(rows: list[dict[str, Any]]) -> None:
    """Recurrences, and a service for every product sold by the month."""
    Rules = Model.get("sale.subscription.recurrence.rule.set")
    monthly = None
    for name, freq, every in (("Monthly", "monthly", 1), ("Quarterly", "monthly", 3), ("Yearly", "yearly", 1)):
        made = Rules(name=name)
        rule = made.rules[0] if made.rules else made.rules.new()  # Tryton proposes an empty one
        rule.freq, rule.interval = freq, every
        made.save()
        monthly = monthly or made
    for row in rows:
        if row["family"] == "Subscriptions":
            found = one("product.product", [("code", "=", row["code"])])
            Model.get("sale.subscription.service")(product=found, consumption_recurrence=monthly).save()


def retire(rows: list[dict[str, Any]]) -> None:
    """Discontinued: not sold any more. Blocked: not even there."""
    for row in rows:
        if row.get("discontinued") or row.get("blocked"):
            template = one("product.template", [("products.code", "=", row["code"])])
            template.salable = False
            template.save()
            if row.get("blocked"):
                template.active = False
                template.save()
