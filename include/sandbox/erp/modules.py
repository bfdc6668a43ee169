"""Which of Tryton's modules make up the sandbox ERP: everything from a quote to cash."""

from __future__ import annotations

MODULES = (
    "party",
    "party_relationship",
    "company",
    "currency",
    "country",
    "bank",
    "product",
    "product_kit",
    "product_price_list",
    "account",
    "account_product",
    "account_invoice",
    "account_invoice_stock",
    "account_payment",
    "account_payment_clearing",
    "account_credit_limit",
    "account_tax_rule_country",
    "stock",
    "stock_shipment_cost",
    "carrier",
    "sale",
    "sale_history",
    "sale_price_list",
    "sale_credit_limit",
    "sale_shipment_cost",
    "sale_amendment",
    "sale_subscription",
)
