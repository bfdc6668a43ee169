"""What an ERP's account of a customer must be like before sales may see it."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from accord.categories import Category, Queue
from accord.objects.vocabulary import RISKS
from accord.quality.rule import Rule, Severity
from accord.routing import LEGAL_ENTITIES


def hold_is_blocked(table: pa.Table) -> pa.Array:
    """On hold and Blocked are the same thing said twice."""
    return pc.equal(table["credit_hold"], pc.equal(table["risk"], "Blocked"))


def level_is_risk(table: pa.Table) -> pa.Array:
    """The level is the indicator's place in the vocabulary."""
    return pc.equal(table["risk_level"], pc.index_in(table["risk"], value_set=pa.array(RISKS)))


def overdue_is_risky(table: pa.Table) -> pa.Array:
    """Low means that nothing is overdue."""
    return pc.or_(pc.not_equal(table["risk"], "Low"), pc.less_equal(table["overdue"], pa.scalar(0)))


def within_balance(table: pa.Table) -> pa.Array:
    """What is overdue is part of what is owed; says nothing where credits outweigh the debt."""
    return pc.or_(pc.less_equal(table["balance"], pa.scalar(0)), pc.less_equal(table["overdue"], table["balance"]))


def limit_is_possible(table: pa.Table) -> pa.Array:
    """No negative limit."""
    return pc.greater_equal(table["credit_limit"], pa.scalar(0))


def books_are_in_currency(table: pa.Table) -> pa.Array:
    """The currency is that of the legal entity's books; an unknown entity is another rule's finding."""
    codes = pa.array([entity.code for entity in LEGAL_ENTITIES])
    currencies = pa.array([entity.currency for entity in LEGAL_ENTITIES])
    return pc.equal(table["currency"], currencies.take(pc.index_in(table["legal_entity"], value_set=codes)))


CANONICAL_RULES = (
    Rule(
        name="risk.fits_hold",
        title="blocked customers, and no others, are on credit hold",
        finding="credit hold and risk indicator contradict each other",
        consequence="Sales would promise a delivery that finance stops, or turn away a customer in good standing.",
        category=Category.INVALID_VALUE,
        needs=("risk", "credit_hold"),
        holds=hold_is_blocked,
        owner=Queue.FINANCE,
    ),
    Rule(
        name="risk_level.fits_risk",
        title="the risk level is the number of the risk indicator",
        finding="risk level and risk indicator contradict each other",
        consequence="The customer's highest risk over all legal entities would be wrong.",
        category=Category.INVALID_VALUE,
        needs=("risk", "risk_level"),
        holds=level_is_risk,
        owner=Queue.INTEGRATION,
    ),
    Rule(
        name="risk.fits_overdue",
        title="a customer of low risk owes nothing overdue",
        finding="the risk indicator is low although something is overdue",
        consequence="Sales would not know that the customer is late with its payments.",
        category=Category.INVALID_VALUE,
        needs=("risk", "overdue"),
        holds=overdue_is_risky,
        owner=Queue.FINANCE,
    ),
    Rule(
        name="overdue.within_balance",
        title="what is overdue is at most what is owed",
        finding="more is overdue than is owed",
        consequence="Payments or credits are probably not applied yet: collections would ask for too much.",
        category=Category.INVALID_VALUE,
        severity=Severity.WARNING,  # true of real books: a credit note not yet applied; sales had better see the rest
        needs=("overdue", "balance"),
        holds=within_balance,
        owner=Queue.FINANCE,
    ),
    Rule(
        name="credit_limit.possible",
        title="the credit limit is not negative",
        finding="the credit limit is negative",
        consequence="Every order of the customer would be held.",
        category=Category.INVALID_VALUE,
        needs=("credit_limit",),
        holds=limit_is_possible,
        owner=Queue.FINANCE,
    ),
    Rule(
        name="currency.fits",
        title="the account is in the currency of the legal entity's books",
        finding="the account is not in the currency of the legal entity's books",
        consequence="Balance and limit would be read as another currency's amounts.",
        category=Category.CURRENCY_MISMATCH,
        needs=("legal_entity", "currency"),
        holds=books_are_in_currency,
        owner=Queue.FINANCE,
    ),
)
