"""Products, price lists and prices out of interface tables."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from accord.objects.definition import BusinessObject
from accord.ports import Selection, Sink
from accord.routing import entities_of
from accord.systems import erp_product
from accord.systems.collapsing import flat
from accord.systems.erp import SourceHandler
from accord.systems.interface_tables.context import Context
from accord.systems.interface_tables.contract import Outbox, Part
from accord.systems.interface_tables.extracting import Extraction

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
    fields={"product": "product_number", "currency": "currency", "unit_price": "unit_price", "active": "active"},
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
)


class Products(SourceHandler[Context]):
    """Reads products: every company of the ERP sells them."""

    not_read = erp_product.NOT_READ | {"legal_entities"}
    needs = PRODUCT.needs
    places: ClassVar = PRODUCT.places | erp_product.DERIVED_PLACES | {"legal_entities": "every company of the ERP"}

    def extract(self, definition: BusinessObject, selection: Selection, sink: Sink) -> datetime:
        """By the database's clock."""
        context = self._context
        return Extraction(context.session, context.name, PRODUCT, definition, self.not_read).run(selection, sink)

    def derive(self, table: pa.Table) -> pa.Table:
        table = erp_product.derive(self._context.name, table)
        codes = [sorted(entity.code for entity in entities_of(self._context.name))] * table.num_rows
        place = table.column_names.index("legal_entities")
        return table.set_column(place, "legal_entities", pa.array(codes, pa.list_(pa.string())))


class PriceLists(SourceHandler[Context]):
    """Reads price lists."""

    needs = PRICE_LIST.needs
    places = PRICE_LIST.places

    def extract(self, definition: BusinessObject, selection: Selection, sink: Sink) -> datetime:
        """By the database's clock."""
        context = self._context
        return Extraction(context.session, context.name, PRICE_LIST, definition, self.not_read).run(selection, sink)


class Prices(SourceHandler[Context]):
    """Reads prices. Which list one is on says its key: <legal entity>/<price list>/<product>."""

    not_read = frozenset({"price_list"})
    needs = PRICE.needs
    places: ClassVar = PRICE.places | {"price_list": "outbound.price.company, .price_list"}

    def extract(self, definition: BusinessObject, selection: Selection, sink: Sink) -> datetime:
        """By the database's clock."""
        context = self._context
        return Extraction(context.session, context.name, PRICE, definition, self.not_read).run(selection, sink)

    def derive(self, table: pa.Table) -> pa.Table:
        lists = pc.extract_regex(flat(table["key"]), r"^(?P<list>[^/]+/[^/]+)/").field("list")
        return table.set_column(table.column_names.index("price_list"), "price_list", lists)
