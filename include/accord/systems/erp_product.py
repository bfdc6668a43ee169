"""product out of any ERP: what follows from what is read. An ERP says where a product stands; sales may offer what is active."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from accord.systems.collapsing import flat

NOT_READ = frozenset({"system", "active"})
DERIVED_PLACES = {"active": "derived from status"}


def derive(system: str, products: pa.Table) -> pa.Table:
    """Canonical products with NOT_READ filled."""
    known = {"system": pa.repeat(system, products.num_rows), "active": pc.equal(flat(products["status"]), "Active")}
    for name, column in known.items():
        products = products.set_column(products.column_names.index(name), name, column)
    return products
