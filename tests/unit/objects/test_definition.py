"""Definitions: who may write what, and that the registry's ones are whole."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from accord.flows import FLOWS, flow, flows_of
from accord.objects import CUSTOMER, CUSTOMER_ACCOUNT, CUSTOMER_STATUS, OBJECTS, business_object
from accord.objects.definition import BusinessObject, Owner, Reference
from accord.routing import LEGAL_ENTITIES


def test_a_seed_is_sent_only_when_creating() -> None:
    assert CUSTOMER.sent_by(Owner.SALESFORCE, creating=True) - CUSTOMER.sent_by(Owner.SALESFORCE, creating=False) == {
        "legal_name"
    }
    assert {"addresses", "contacts"} <= CUSTOMER.sent_by(Owner.SALESFORCE, creating=False)


def test_no_side_sends_what_the_other_owns() -> None:
    assert CUSTOMER_ACCOUNT.sent_by(Owner.SALESFORCE, creating=True) == frozenset()
    assert CUSTOMER.sent_by(Owner.ERP, creating=True) == {"legal_name"}


def test_accords_own_fields_go_either_way() -> None:
    for side in (Owner.SALESFORCE, Owner.ERP):
        assert CUSTOMER_STATUS.sent_by(side, creating=False) == {"status", "error"}


@pytest.mark.parametrize("definition", OBJECTS.values(), ids=list(OBJECTS))
def test_a_definition_is_whole(definition: BusinessObject) -> None:
    names = [name for name, _ in definition.every_field()]
    assert len(names) == len(set(names))
    for field in definition.fields:
        if isinstance(field.type, Reference):
            assert find_spec(f"accord.objects.{field.type.object}")  # declared, if it does not travel yet
        assert field.seeded_by is not field.owner
    for amount in definition.amounts:
        definition.field(definition.money(amount).currency)
    for rule in definition.duplicate_rules:
        for name in (*rule.fields, *rule.names):
            definition.field(name)
        assert set(rule.names) <= set(rule.fields)
        assert rule.unless_differ is None or definition.field(rule.unless_differ)
    for constituent in definition.constituents:
        assert constituent.key in {f.name for f in constituent.fields}


def test_what_is_unknown_is_named() -> None:
    with pytest.raises(KeyError, match="customer has no field 'nothing'"):
        CUSTOMER.field("nothing")
    with pytest.raises(KeyError, match="customer has no constituent"):
        CUSTOMER.constituent("nothing")
    with pytest.raises(TypeError, match="no amount"):
        CUSTOMER.money("name")
    with pytest.raises(TypeError, match="no reference"):
        CUSTOMER.reference("name")
    with pytest.raises(KeyError, match="known: customer"):
        business_object("nothing")
    with pytest.raises(KeyError, match="known: customer__"):
        flow("nothing")


def test_every_erp_has_its_flows() -> None:
    erps = {entity.system for entity in LEGAL_ENTITIES}
    (to_erp,) = flows_of("customer")
    assert set(to_erp.targets) == erps
    assert {f.source for f in flows_of("customer_account")} == erps
    for one in FLOWS.values():
        assert one.object in OBJECTS
        assert one.status is None or one.status in OBJECTS
