"""Products, price lists and prices out of interface tables."""

from __future__ import annotations

from typing import ClassVar

import pyarrow as pa

from accord.routing import entities_in
from accord.systems import erp_product
from accord.systems.interface_tables.contract import Outbox, Part
from accord.systems.interface_tables.outbox_source import OutboxSource

PRODUCT = Outbox(
    relation="outbound.product",
    key=("product_number",),
    changes="outbound.product",
    fields={
        "code": "product_number",
        "name": "name",
        "description": "description",
        "family": "family",
        "unit": "unit",
        "kind": "kind",
        "status": "status",
        "tax_category": "tax_category",
    },
    parts={
        "components": Part(
            relation="outbound.product_component",
            fields={"id": "component_number", "product": "component_number", "quantity": "quantity"},
        ),
        "availability": Part(
            relation="outbound.product_availability",
            fields={"id": "warehouse", "warehouse": "warehouse", "region": "region", "available": "available"},
        ),
    },
)
PRICE_LIST = Outbox(
    relation="outbound.price_list",
    key=("company", "price_list"),
    changes="outbound.price_list",
    fields={
        "name": "name",
        "currency": "currency",
        "active": "active",
        "valid_from": "valid_from",
        "valid_until": "valid_until",
    },
)
PRICE = Outbox(
    relation="outbound.price",
    key=("company", "price_list", "product_number"),
    changes="outbound.price",
    fields={
        "product": "product_number",
        "price_list": "price_list",
        "currency": "currency",
        "unit_price": "unit_price",
        "active": "active",
    },
    parts={
        "tiers": Part(
            relation="outbound.price_tier",
            fields={
                "id": "tier",
                "from_quantity": "from_quantity",
                "unit_price": "unit_price",
                "valid_from": "valid_from",
                "valid_until": "valid_until",
            },
        )
    },
    gone="gone",
    within_company=frozenset({"price_list"}),
)


class Products(OutboxSource):
    """Reads products: every company of the ERP sells them."""

    outbox = PRODUCT
    not_read = erp_product.NOT_READ | {"legal_entities"}
    needs = PRODUCT.needs
    places: ClassVar = PRODUCT.places | erp_product.DERIVED_PLACES | {"legal_entities": "every company of the ERP"}

    def derive(self, table: pa.Table) -> pa.Table:
        table = erp_product.derive(self._context.name, table)
        codes = [sorted(entity.code for entity in entities_in(self._context.name))] * table.num_rows
        place = table.column_names.index("legal_entities")
        return table.set_column(place, "legal_entities", pa.array(codes, pa.list_(pa.string())))


class PriceLists(OutboxSource):
    """Reads price lists."""

    outbox = PRICE_LIST
    needs, places = PRICE_LIST.needs, PRICE_LIST.places


class Prices(OutboxSource):
    """Reads prices."""

    outbox = PRICE
    needs = PRICE.needs
    places: ClassVar = {path: place for path, place in PRICE.places.items() if path != "legal_entity"}
