"""The standard price: Salesforce takes a product's price in a price book only when the standard price book has one.

Object Reference, "PricebookEntry": "You must load the standard price for a product before you are permitted to load its
custom price(s)"; one entry per price book, product and currency.
"""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from accord.categories import Category
from accord.errors import Recovery, SchemaDrift
from accord.systems.results import Outcome
from accord.systems.salesforce.client import LONGEST_URL, Client
from accord.systems.salesforce.delivery import Delivery
from accord.systems.salesforce.failures import outcome
from accord.systems.salesforce.mapping import StandardPrice, Writing
from accord.systems.salesforce.payload import CREATED, Group
from accord.systems.salesforce.replies import Refusal
from accord.systems.salesforce.rest_query import rest_pages
from accord.systems.salesforce.soql import Select, by_lists, compare

_ROOM = 1_000  # bytes of the longest URL left for host and path
_ACTIVE = "IsActive"
_UNSURE = Outcome(
    outcome=Recovery.RETRY, category=Category.INTERRUPTED, message="The standard price may not be there yet."
)

Pair = tuple[str, str]  # Id of the product, currency


def ensure_standard(
    client: Client, writing: Writing, rule: StandardPrice, prices: pa.Table, delivery: Delivery
) -> dict[str, Outcome]:
    """See to the standard entries of `prices` that are about to be created; key → outcome of those that can't be yet.

    An entry that is there already, or that somebody else creates at the same time, is left as it is.
    """
    if not len(prices):
        return {}
    standard = _standard_book(client, writing.fields[rule.price_list])
    names = ["key", f"{rule.product}__native", f"{rule.price_list}__native", rule.currency, rule.amount]
    wanted: dict[Pair, tuple[list[str], object]] = {}
    for key, product, book, currency, amount in zip(*(prices[n].to_pylist() for n in names), strict=True):
        if book != standard:
            wanted.setdefault((product, currency), ([], amount))[0].append(key)
    there = _there(client, writing, rule, standard, {product for product, _ in wanted})
    lacking = [pair for pair in wanted if pair not in there]
    group = Group(
        sobject=writing.sobject,
        by=CREATED,
        keys=["/".join(pair) for pair in lacking],
        ids=pa.nulls(len(lacking), pa.string()),
        columns=pa.table(
            {
                writing.fields[rule.price_list]: pa.array([standard] * len(lacking), pa.string()),
                writing.fields[rule.product]: pa.array([product for product, _ in lacking], pa.string()),
                writing.fields[rule.currency]: pa.array([currency for _, currency in lacking], pa.string()),
                writing.fields[rule.amount]: pa.array([wanted[p][1] for p in lacking], prices[rule.amount].type),
                _ACTIVE: pa.array([True] * len(lacking), pa.bool_()),
            }
        ),
    )
    replies = delivery.call(group)
    refused = {pair for pair, name in zip(lacking, group.keys, strict=True) if isinstance(replies[name], Refusal)}
    # somebody else may have been quicker; Salesforce has more than one code for it
    there = _there(client, writing, rule, standard, {product for product, _ in refused}) if refused else set()
    failed: dict[str, Outcome] = {}
    for pair, name in zip(lacking, group.keys, strict=True):
        reply = replies[name]
        if isinstance(reply, Refusal):
            if pair in there:
                continue
            reply = outcome(reply.faults, values=reply.values)
        if reply.outcome is Recovery.UNKNOWN:
            reply = _UNSURE  # nothing of the price itself was sent
        if reply.outcome is not Recovery.APPLIED:
            failed |= dict.fromkeys(wanted[pair][0], reply)
    return failed


def _standard_book(client: Client, column: str) -> str:
    select = Select(sobject="Pricebook2", columns=("Id",), where=(compare("IsStandard", "=", True),))
    for table in rest_pages(client, select, {"Id": pa.string()}, deleted=False):
        return str(table["Id"][0].as_py())
    raise SchemaDrift(
        f"Salesforce shows no standard price book for {column}.", cure="Let the integration user read price books."
    )


def _there(client: Client, writing: Writing, rule: StandardPrice, standard: str, products: Iterable[str]) -> set[Pair]:
    product, currency = writing.fields[rule.product], writing.fields[rule.currency]
    book = compare(writing.fields[rule.price_list], "=", standard)
    select = Select(sobject=writing.sobject, columns=(product, currency), where=(book,))
    found: set[Pair] = set()
    for listed in by_lists(select, product, sorted(products), limit=LONGEST_URL - _ROOM):
        for table in rest_pages(client, listed, dict.fromkeys(select.columns, pa.string()), deleted=False):
            found |= set(zip(table[product].to_pylist(), table[currency].to_pylist(), strict=True))
    return found
