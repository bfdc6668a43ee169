"""customer_account out of any ERP: the shape its rows are staged in, what they mean, and the account risk indicator.

An ERP adapter stages one part, ACCOUNT, with the columns COLUMNS, all text; the rest is the same for every ERP.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from accord.objects.customer_account import CUSTOMER_ACCOUNT
from accord.objects.definition import Money
from accord.objects.vocabulary import CURRENCIES, RISKS
from accord.records import INSTANT, schema_of
from accord.routing import entities_of
from accord.systems.converting import Converter

ACCOUNT = "account"

COLUMNS = (
    "account",  # <legal entity>/<native id of the customer>: the native id of the customer account
    "customer",  # native id of the customer
    "company",  # company code in the ERP
    "customer_number",
    "legal_name",
    "tax_classification",
    "payment_terms",
    "currency",
    "credit_limit",
    "flagged",  # finance put the customer on hold by hand
    "balance",
    "overdue",
    "active",
    "modified",  # ISO 8601, UTC: the last change of anything above
)
STAGED = pa.schema([(name, pa.string()) for name in COLUMNS])

_AMOUNT = Money()  # as credit limit, balance and overdue are declared
_LOW, _MEDIUM, _HIGH, _BLOCKED = range(4)


def required_columns() -> Mapping[str, Mapping[str, pa.DataType]]:
    """What a staged chunk of customer accounts must have."""
    return {ACCOUNT: {field.name: field.type for field in STAGED}}


def account_native(legal_entity: str, customer: str) -> str:
    """The native id of a customer account: one customer in one legal entity's books."""
    return f"{legal_entity}/{customer}"


def split_native(native: str) -> tuple[str, str]:
    """(legal entity, native id of the customer) of a customer account's native id."""
    entity, _, customer = native.partition("/")
    return entity, customer


def to_canonical(system: str, staged: Mapping[str, pa.Table], read_at: datetime) -> pa.Table:
    """Canonical customer accounts with the extra column `problems`, one row per staged row."""
    rows = staged[ACCOUNT]
    convert, count = Converter(rows.num_rows), rows.num_rows
    entities = {entity.company: entity.code for entity in entities_of(system)}
    codes = pa.array([None, *entities.values()], pa.string())
    company = convert.choice("legal_entity", rows["company"], tuple(entities))
    place = pc.index_in(company, value_set=pa.array(list(entities), pa.string()))
    limit = convert.money("credit_limit", rows["credit_limit"], _AMOUNT)
    balance = convert.money("balance", rows["balance"], _AMOUNT)
    overdue = convert.money("overdue", rows["overdue"], _AMOUNT)
    hold = on_hold(convert.flag("credit_hold", rows["flagged"]), limit, balance)
    level = risk_level(hold, limit, overdue)
    columns = {
        "key": pc.binary_join_element_wise(system, rows["account"], ":"),
        "version": convert.instant("version", rows["modified"]),
        "read_at": pa.repeat(pa.scalar(read_at, INSTANT), count),
        "gone": pa.repeat(False, count),
        "merged_into": pa.nulls(count, pa.string()),
        "customer": pc.binary_join_element_wise(system, rows["customer"], ":"),
        "legal_entity": codes.take(pc.add(pc.fill_null(place, -1), 1)),
        "system": pa.repeat(system, count),
        "customer_number": rows["customer_number"],
        "legal_name": rows["legal_name"],
        "tax_classification": rows["tax_classification"],
        "payment_terms": rows["payment_terms"],
        "currency": convert.choice("currency", rows["currency"], CURRENCIES),
        "credit_limit": limit,
        "credit_hold": hold,
        "balance": balance,
        "overdue": overdue,
        "risk": pa.array(RISKS).take(level),
        "risk_level": level,
        "active": convert.flag("active", rows["active"]),
    }
    schema = schema_of(CUSTOMER_ACCOUNT).append(pa.field("problems", pa.list_(pa.string())))
    return pa.table([*(columns[name] for name in schema.names[:-1]), convert.problems()], schema=schema)


def on_hold(flagged: pa.Array, limit: pa.Array, balance: pa.Array) -> pa.Array:
    """No further deliveries on credit: finance said so, or the balance is above the limit (null: no limit)."""
    return pc.or_kleene(pc.fill_null(flagged, False), pc.fill_null(pc.greater(balance, limit), False))


def risk_level(hold: pa.Array, limit: pa.Array, overdue: pa.Array) -> pa.Array:
    """The account risk indicator, 0 to 3, as int64: the words are accord.objects.vocabulary.RISKS.

    Blocked on hold; High when something is overdue and there is no limit, or more than half of it is overdue; Medium
    when something is overdue; Low otherwise. Null where the overdue amount is not known.
    """
    much = pc.greater(pc.add(overdue, overdue), limit)
    late = pc.greater(overdue, pa.scalar(Decimal(0), overdue.type))
    level = pc.if_else(late, pc.if_else(pc.fill_null(much, True), _HIGH, _MEDIUM), _LOW)
    return pc.if_else(hold, _BLOCKED, level).cast(pa.int64())
