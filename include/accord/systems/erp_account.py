"""customer_account out of any ERP: its native id, and what follows from what is read: the credit hold and the risk indicator.

Staged in `credit_hold` is only whether finance put the customer on hold by hand.
"""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from accord.objects.vocabulary import RISKS
from accord.systems.collapsing import flat

NOT_READ = frozenset({"system", "risk", "risk_level"})
DERIVED_FROM = frozenset({"credit_hold", "credit_limit", "balance", "overdue"})
DERIVED_PLACES = {"risk": "derived from credit_hold, overdue and credit_limit", "risk_level": "derived from risk"}

_LOW, _MEDIUM, _HIGH, _BLOCKED = range(4)


def account_native(legal_entity: str, customer: str) -> str:
    """The native id of a customer account: one customer in one legal entity's books."""
    return f"{legal_entity}/{customer}"


def split_native(native: str) -> tuple[str, str]:
    """(legal entity, native id of the customer) of a customer account's native id."""
    entity, _, customer = native.partition("/")
    return entity, customer


def derive(system: str, accounts: pa.Table) -> pa.Table:
    """Canonical customer accounts with NOT_READ filled, and on hold too when the balance is above the limit."""
    limit, balance, overdue = (flat(accounts[name]) for name in ("credit_limit", "balance", "overdue"))
    hold = on_hold(flat(accounts["credit_hold"]), limit, balance)
    level = risk_level(hold, limit, overdue)
    known = {
        "system": pa.repeat(system, accounts.num_rows),
        "credit_hold": hold,
        "risk": pa.array(RISKS).take(level),
        "risk_level": level,
    }
    for name, column in known.items():
        accounts = accounts.set_column(accounts.column_names.index(name), name, column)
    return accounts


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
