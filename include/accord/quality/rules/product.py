"""What a product of an ERP must be like before sales may offer it."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from accord.categories import Category, Queue
from accord.quality.rule import Rule


def taxable(table: pa.Table) -> pa.Array:
    """What can be ordered has a tax category; nobody is invoiced for the rest."""
    return pc.or_(pc.is_valid(table["tax_category"]), pc.not_equal(table["status"], "Active"))


def active_fits_status(table: pa.Table) -> pa.Array:
    """Sales may offer exactly what can be ordered."""
    return pc.equal(table["active"], pc.equal(table["status"], "Active"))


def bundle_is_made_of_something(table: pa.Table) -> pa.Array:
    """Bundles, and nothing else, have components."""
    made = pc.greater(pc.fill_null(pc.list_value_length(table["components"]), 0), 0)
    return pc.equal(made, pc.equal(table["kind"], "Bundle"))


def not_inside_itself(table: pa.Table) -> pa.Array:
    """No bundle holds itself."""
    rows = zip(table["key"].to_pylist(), table["components"].to_pylist(), strict=True)
    return pa.array([all(part["product"] != key for part in parts or ()) for key, parts in rows], pa.bool_())


CANONICAL_RULES = (
    Rule(
        name="tax_category.known",
        title="a product that can be ordered has a tax category",
        finding="the product can be ordered and has no tax category",
        consequence="An order of it could be booked but not invoiced: the ERP would not know its tax.",
        category=Category.TAX_UNDECIDED,
        needs=("tax_category", "status"),
        holds=taxable,
        path="tax_category",
    ),
    Rule(
        name="active.fits_status",
        title="sales may offer what can be ordered, and nothing else",
        finding="status and offer contradict each other",
        consequence="Sales would quote what the ERP does not deliver, or miss what it does.",
        category=Category.INVALID_VALUE,
        needs=("active", "status"),
        holds=active_fits_status,
        owner=Queue.INTEGRATION,
    ),
    Rule(
        name="components.bundle",
        title="bundles, and nothing else, have components",
        finding="a bundle has no components, or something else has",
        consequence="The ERP would ship nothing for the bundle, or sales would not see what is in it.",
        category=Category.INVALID_VALUE,
        needs=("components", "kind"),
        holds=bundle_is_made_of_something,
        owner=Queue.MASTER_DATA,
        path="components",
    ),
    Rule(
        name="components.itself",
        title="no bundle holds itself",
        finding="the bundle holds itself",
        consequence="It could never be put together, and never be written: it would wait for itself.",
        category=Category.INVALID_VALUE,
        needs=("key", "components"),
        holds=not_inside_itself,
        owner=Queue.MASTER_DATA,
        path="components.product",
    ),
    Rule(
        name="components.quantity.positive",
        part="components",
        title="there is more than nothing of every component",
        finding="a component has no quantity, or a negative one",
        consequence="The bundle would be delivered incomplete.",
        category=Category.INVALID_VALUE,
        needs=("quantity",),
        holds=lambda table: pc.greater(table["quantity"], pa.scalar(0)),
        owner=Queue.MASTER_DATA,
        path="components.quantity",
    ),
)
