"""What an invoice and a credit memo have in common before sales may see them."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from accord.categories import Category, Queue
from accord.quality.rule import Rule, Severity
from accord.quality.sums import TOTALS, as_total, part_counts, part_sums
from accord.routing import LEGAL_ENTITIES
from accord.systems.collapsing import flat

# An ERP rounds tax once per line, or once per document: then the lines' tax may differ from the document's by as many cents
# as there are lines, at most. The document's is what is owed.
TAX_ROUNDING = Decimal("0.01")
_NOTHING = pa.scalar(Decimal(0), TOTALS)


def total_adds_up(table: pa.Table) -> pa.Array:
    """Net and tax make the total."""
    return pc.equal(pc.add(as_total(table, "net"), as_total(table, "tax")), as_total(table, "total"))


def lines_make_net(table: pa.Table) -> pa.Array:
    """To the cent: a line's net is rounded before it is added up."""
    return pc.equal(part_sums(table, "lines", "net"), as_total(table, "net"))


def lines_make_tax(table: pa.Table) -> pa.Array:
    """But for TAX_ROUNDING per line."""
    off = pc.abs(pc.subtract(part_sums(table, "lines", "tax"), as_total(table, "tax")))
    most = pc.multiply(part_counts(table, "lines").cast(pa.decimal128(10, 0)), pa.scalar(TAX_ROUNDING))
    return pc.less_equal(off, most.cast(TOTALS))


def line_is_its_price(table: pa.Table) -> pa.Array:
    """Quantity times price, rounded to the cent either way."""
    product = pc.multiply(
        flat(table["quantity"]).cast(pa.decimal128(18, 4)), flat(table["unit_price"]).cast(pa.decimal128(18, 4))
    )
    off = pc.abs(pc.subtract(product.cast(pa.decimal128(36, 8)), flat(table["net"]).cast(pa.decimal128(36, 8))))
    return pc.less(off, pa.scalar(TAX_ROUNDING))


def has_lines(table: pa.Table) -> pa.Array:
    """At least one."""
    return pc.greater(part_counts(table, "lines"), 0)


def open_is_possible(table: pa.Table) -> pa.Array:
    """From nothing to everything."""
    left = as_total(table, "open_balance")
    return pc.and_(pc.greater_equal(left, _NOTHING), pc.less_equal(left, as_total(table, "total")))


def status_fits_open(table: pa.Table) -> pa.Array:
    """Nothing is open of what is paid or cancelled, everything of what is only posted."""
    status, left, total = flat(table["status"]), as_total(table, "open_balance"), as_total(table, "total")
    nothing, everything = pc.equal(left, _NOTHING), pc.equal(left, total)
    done = pc.is_in(status, value_set=pa.array(["Paid", "Cancelled"]))
    partly = pc.invert(pc.or_(nothing, everything))
    return pc.if_else(done, nothing, pc.if_else(pc.equal(status, "Posted"), everything, partly))


def due_after_invoice(table: pa.Table) -> pa.Array:
    """Not before the date on the document."""
    return pc.greater_equal(flat(table["due_date"]), flat(table["invoice_date"]))


def currency_is_traded(table: pa.Table) -> pa.Array:
    """The legal entity trades in the currency; an unknown entity is another rule's finding."""
    pairs = [f"{entity.code}|{currency}" for entity in LEGAL_ENTITIES for currency in sorted(entity.trades_in)]
    known = pa.array([entity.code for entity in LEGAL_ENTITIES])
    asked = pc.binary_join_element_wise(flat(table["legal_entity"]), flat(table["currency"]), "|")
    return pc.or_(pc.is_in(asked, value_set=pa.array(pairs)), pc.invert(pc.is_in(flat(table["legal_entity"]), known)))


CURRENCY = Rule(
    name="currency.traded",
    title="the legal entity trades in the currency",
    finding="the legal entity does not trade in the currency",
    consequence="What the customer owes would be added up in the wrong currency.",
    category=Category.CURRENCY_MISMATCH,
    needs=("legal_entity", "currency"),
    holds=currency_is_traded,
    path="currency",
)
RULES = (
    Rule(
        name="total.adds_up",
        title="net and tax make the total",
        finding="net and tax do not make the total",
        consequence="The customer would be told another amount than finance asks for.",
        category=Category.AMOUNTS,
        needs=("net", "tax", "total"),
        holds=total_adds_up,
    ),
    Rule(
        name="lines.required",
        title="the document has lines",
        finding="the document has no line",
        consequence="Nobody could tell the customer what is billed.",
        category=Category.MISSING_VALUE,
        needs=("lines",),
        holds=has_lines,
        owner=Queue.FINANCE,
    ),
    Rule(
        name="lines.make_net",
        title="the lines add up to the net amount",
        finding="the lines do not add up to the net amount",
        consequence="Lines are missing or double: sales would discuss an invoice that is not the customer's.",
        category=Category.AMOUNTS,
        needs=("lines", "net"),
        holds=lines_make_net,
    ),
    Rule(
        name="lines.make_tax",
        title="the lines' tax adds up to the tax, but for a cent of rounding per line",
        finding="the lines' tax does not add up to the tax",
        consequence="A tax rate is wrong or was changed by hand: the tax reported and the tax billed would differ.",
        category=Category.AMOUNTS,
        needs=("lines", "tax"),
        holds=lines_make_tax,
    ),
    Rule(
        name="lines.price",
        part="lines",
        title="a line is its quantity times its price",
        finding="a line is not its quantity times its price",
        consequence="The customer disputes the line, and the invoice is paid late.",
        category=Category.AMOUNTS,
        needs=("quantity", "unit_price", "net"),
        holds=line_is_its_price,
    ),
    Rule(
        name="open_balance.possible",
        title="the open balance is between nothing and the total",
        finding="the open balance is negative or more than the total",
        consequence="The customer would be dunned for what is not owed, or not for what is.",
        category=Category.AMOUNTS,
        needs=("open_balance", "total"),
        holds=open_is_possible,
    ),
    Rule(
        name="status.fits_open_balance",
        title="the status fits the open balance",
        finding="status and open balance contradict each other",
        consequence="Sales would remind a customer who has paid, or rely on one who has not.",
        category=Category.INVALID_VALUE,
        needs=("status", "open_balance", "total"),
        holds=status_fits_open,
        owner=Queue.FINANCE,
    ),
    Rule(
        name="due_date.after_invoice_date",
        title="the due date is not before the document's date",
        finding="the due date is before the document's date",
        consequence="The document is overdue from the first day: the customer is dunned for nothing.",
        category=Category.DATES,
        needs=("due_date", "invoice_date"),
        holds=due_after_invoice,
        severity=Severity.WARNING,
    ),
    CURRENCY,
)
