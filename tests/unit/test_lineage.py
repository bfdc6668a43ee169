"""Lineage by column follows from definitions and mappings."""

from __future__ import annotations

import re

import pytest

from accord.flows import flows_of
from accord.lineage import columns, lineage
from accord.objects import OBJECTS


def test_a_field_s_way() -> None:
    ways = {(w.field, w.target): w for w in lineage("customer")}
    phone = ways["phone", "tryton"]
    assert (phone.source, phone.read, phone.rule) == ("salesforce", "Account.Phone", "as it is")
    assert phone.written
    assert ways["parent", "tryton"].rule == "the target's id of the customer, by its link"
    assert ways["legal_name", "tryton"].rule == "when the record is created, and never after"
    assert ways["contacts.email", "legacy"].read == "Contact.Email"


def test_what_the_other_side_owns_does_not_travel() -> None:
    assert "legal_name" in {w.field for w in lineage("customer_account") if w.target == "salesforce"}
    assert not [w for w in lineage("customer_account") if w.source == "salesforce"]


@pytest.mark.parametrize("name", [name for name in OBJECTS if flows_of(name)])
def test_every_object_that_travels_has_ways(name: str) -> None:
    assert {(w.source, w.target) for w in lineage(name)} == {
        (flow.source, target) for flow in flows_of(name) for target in flow.targets
    }


@pytest.mark.parametrize(
    ("place", "named"),
    [
        ("Account.BillingCity, Account.ShippingCity", ("Account.BillingCity", "Account.ShippingCity")),
        ("party.address.invoice, delivery", ("party.address.invoice", "party.address.delivery")),
        (
            "inbound.customer.parent_ref, parent_number",
            ("inbound.customer.parent_ref", "inbound.customer.parent_number"),
        ),
        ("derived from a.b.state, start and end", ("a.b.state", "a.b.start", "a.b.end")),
        ("a.line.amount × a.line.rate, rounded per line", ("a.line.amount", "a.line.rate")),
        ("p.p.price in the context of company, price_list", ("p.p.price",)),
        ("party.contact_mechanism.value (phone)", ("party.contact_mechanism.value",)),
        ("derived from lines (accord.recurring.arr): no such figure is kept", ()),
        ("", ()),
    ],
)
def test_the_columns_a_place_names(place: str, named: tuple[str, ...]) -> None:
    assert columns(place) == named


def test_nearly_every_way_begins_and_ends_in_columns() -> None:
    ways = [way for name in OBJECTS for way in lineage(name) if way.read]
    without = {way.read for way in ways if not columns(way.read)}
    assert all(columns(way.written) for way in ways)
    assert len(without) < 20, without
    assert not [place for place in without if re.sub(r"\(.*?\)", "", place).count(".")], (
        "what names a field is understood"
    )
