"""Lineage by column follows from definitions and mappings."""

from __future__ import annotations

import pytest

from accord.flows import flows_of
from accord.lineage import lineage
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
