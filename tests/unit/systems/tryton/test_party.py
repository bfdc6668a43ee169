"""From a canonical customer to a party's values and back, without a server."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from accord.categories import Category
from accord.systems.tryton.customer.mapping import REFUSALS, code_of, identifier_type, key_of
from accord.systems.tryton.customer.party import (
    Held,
    Impossible,
    Party,
    canonical_row,
    creation,
    held_party,
    update,
    wanted_party,
)
from accord.systems.tryton.customer.relations import Relations
from accord.systems.tryton.places import Places
from accord.systems.tryton.refusals import meaning_of

ABOVE, BUYS = 2, 4
NL01, GB01 = 1, 3
RELATIONS = Relations(above=ABOVE, buys=BUYS, companies={"NL01": NL01, "GB01": GB01})
TODAY, YESTERDAY = date(2026, 5, 4), date(2026, 5, 3)
KEY = "salesforce:001A"
NL, US, CALIFORNIA = 10, 20, 500


class Atlas(Places):
    """Two countries, one region."""

    def __init__(self) -> None:
        self._countries, self._codes = {"NL": NL, "US": US}, {NL: "NL", US: "US"}
        self._regions = {US: {"CA": CALIFORNIA, "US-CA": CALIFORNIA, "california": CALIFORNIA}, NL: {}}


PLACES = Atlas()


def row(**values: Any) -> dict[str, Any]:
    blank = dict.fromkeys(
        ("legal_name", "tax_registration", "phone", "website", "addresses", "contacts", "parent", "legal_entities")
    )
    return {"key": KEY, **blank, "legal_name": "Sample B.V."} | values


def wanted(values: dict[str, Any], parent: int | None) -> Party:
    return wanted_party(values, parent, RELATIONS, PLACES)


def address(role: str, **values: Any) -> dict[str, Any]:
    blank = dict.fromkeys(("street", "city", "region", "postal_code", "country"))
    return {"role": role, **blank} | values


def contact(number: int, **values: Any) -> dict[str, Any]:
    blank = dict.fromkeys(("first_name", "email", "phone", "title"))
    return {"id": f"salesforce:003{number}", "last_name": f"Person {number}", **blank} | values


def stored(values: dict[str, Any], **more: Any) -> Held:
    """What the server would hold after `values` created a party."""
    ids = iter(range(100, 200))

    def made(name: str) -> list[dict[str, Any]]:
        return [{"id": next(ids), **v} for operation in values[name] for v in operation[1]]

    relations = [{"start_date": None, "to.": {"code": "001PARENT"}} | r for r in made("relations")]
    parts = {f"{name}.": made(name) for name in ("addresses", "contact_mechanisms", "identifiers")}
    return held_party(
        {"id": 42, "code": values["code"], "active": True, "name": values["name"], "relations.": relations, **parts}
        | more,
        RELATIONS,
    )


FULL = row(
    tax_registration="NL004495445B01",
    phone="+31 15 1",
    website="https://a.example",
    addresses=[
        address("bill_to", street="Kade 1\nII", country="NL"),
        address("ship_to", region="California", country="US"),
    ],
    contacts=[contact(1, email="a@b.example", phone="1", title="Buyer"), contact(2)],
    legal_entities=["NL01"],
)


def test_what_was_created_needs_no_update_and_reads_back() -> None:
    party = wanted(FULL, 7)
    held = stored(creation(KEY, party, RELATIONS))
    assert update(held, party, RELATIONS, TODAY) == {}
    back = canonical_row(KEY, held, RELATIONS, PLACES, "tryton")
    assert back["native"] == "42"
    assert back["parent"] == "salesforce:001PARENT"
    assert back["legal_entities"] == ["NL01"]
    assert back["legal_name"] == "Sample B.V."
    assert [a["region"] for a in back["addresses"]] == [None, "CA"]
    assert back["contacts"] == FULL["contacts"]
    assert (back["phone"], back["website"], back["tax_registration"]) == (
        "+31 15 1",
        "https://a.example",
        "NL004495445B01",
    )


def test_an_update_never_carries_the_name() -> None:
    held = stored(creation(KEY, wanted(FULL, None), RELATIONS))
    assert update(held, wanted(FULL | {"legal_name": "Other"}, None), RELATIONS, TODAY) == {}


def test_parts_are_updated_in_place_archived_and_added_never_deleted() -> None:
    held = stored(creation(KEY, wanted(FULL, 7), RELATIONS))
    changed = FULL | {
        "addresses": [address("bill_to", street="Weg 2", country="NL")],
        "contacts": [contact(1, email="new@b.example", title="Buyer"), contact(3, phone="3")],
        "phone": None,
        "tax_registration": None,
    }
    values = update(held, wanted(changed, 7), RELATIONS, TODAY)
    bill_to, ship_to = held.ids["bill_to"], held.ids["ship_to"]
    assert values["addresses"] == [["write", [bill_to], {"street": "Weg 2"}], ["write", [ship_to], {"active": False}]]
    writes = {tuple(ids): change for kind, ids, change in (o for o in values["contact_mechanisms"] if o[0] == "write")}
    assert writes[(held.ids["salesforce:0031", "email"],)] == {"value": "new@b.example"}
    archived = next(ids for ids, change in writes.items() if change == {"active": False})
    assert set(archived) == {
        held.ids[KEY, "phone"],
        held.ids["salesforce:0031", "phone"],
        held.ids["salesforce:0032", "other"],
    }
    ((made,),) = (o[1] for o in values["contact_mechanisms"] if o[0] == "create")
    assert (made["type"], made["value"], made["comment"]) == ("phone", "3", "salesforce:0033")
    assert values["identifiers"] == [["write", [held.ids["identifier"]], {"active": False}]]
    assert "delete" not in str(values)


def test_another_parent_replaces_the_relation() -> None:
    held = stored(creation(KEY, wanted(row(), 7), RELATIONS))
    (old,) = held.parents.values()
    assert update(held, wanted(row(), 8), RELATIONS, TODAY) == {
        "relations": [["delete", [old]], ["create", [{"to": 8, "type": ABOVE}]]]
    }
    assert update(held, wanted(row(), None), RELATIONS, TODAY) == {"relations": [["delete", [old]]]}


def test_a_relation_to_a_company_is_added_and_ended() -> None:
    held = stored(creation(KEY, wanted(row(legal_entities=["NL01"]), 7), RELATIONS))
    (relation,) = held.buying
    both = wanted(row(legal_entities=["GB01", "NL01"]), 7)
    assert update(held, both, RELATIONS, TODAY) == {"relations": [["create", [{"to": GB01, "type": BUYS}]]]}
    other = update(held, wanted(row(legal_entities=["GB01"]), 7), RELATIONS, TODAY)
    assert other["relations"] == [
        ["write", [relation.id], {"end_date": YESTERDAY}],
        ["create", [{"to": GB01, "type": BUYS}]],
    ]
    assert canonical_row(KEY, stored(creation(KEY, both, RELATIONS)), RELATIONS, PLACES, "tryton")[
        "legal_entities"
    ] == [
        "GB01",
        "NL01",
    ]


def test_a_relation_of_today_ends_before_it_began() -> None:
    values = creation(KEY, wanted(row(legal_entities=["NL01"]), None), RELATIONS)
    values["relations"][0][1][0]["start_date"] = TODAY
    ends = {"end_date": YESTERDAY, "start_date": YESTERDAY}
    held = stored(values)
    assert update(held, wanted(row(), None), RELATIONS, TODAY) == {"relations": [["write", [held.buying[0].id], ends]]}


def test_relations_of_other_kinds_and_to_others_are_left_alone() -> None:
    values = creation(KEY, wanted(row(), None), RELATIONS)
    values["relations"] = [["create", [{"to": NL01, "type": 9}, {"to": 77, "type": BUYS}]]]
    held = stored(values)
    assert update(held, wanted(row(), None), RELATIONS, TODAY) == {}
    assert canonical_row(KEY, held, RELATIONS, PLACES, "tryton")["legal_entities"] is None


def test_what_the_erp_added_itself_is_left_alone() -> None:
    own = {"type": "email", "value": "ap@sample.example", "name": "Accounts payable", "comment": None, "id": 1}
    plain = {"id": 2, "street": "Depot", "city": None, "postal_code": None, "country": NL, "subdivision": None}
    held = stored(
        creation(KEY, wanted(row(), None), RELATIONS),
        **{"contact_mechanisms.": [own], "addresses.": [plain | {"invoice": False, "delivery": False}]},
    )
    assert update(held, wanted(row(), None), RELATIONS, TODAY) == {}
    assert canonical_row(KEY, held, RELATIONS, PLACES, "tryton")["contacts"] is None


def test_one_address_for_both_roles_is_split() -> None:
    both = {"id": 5, "street": "Kade 1", "city": None, "postal_code": None, "country": NL, "subdivision": None}
    held = stored(
        creation(KEY, wanted(row(), None), RELATIONS),
        **{"addresses.": [both | {"invoice": True, "delivery": True}]},
    )
    roles = [address(role, street="Kade 1", country="NL") for role in ("bill_to", "ship_to")]
    values = update(held, wanted(row(addresses=roles), None), RELATIONS, TODAY)
    assert values["addresses"][0] == ["write", [5], {"delivery": False}]
    assert [made["delivery"] for made in values["addresses"][1][1]] == [True]


def test_a_mechanism_said_twice_is_archived_once() -> None:
    held = stored(creation(KEY, wanted(row(phone="1"), None), RELATIONS))
    phone = {"type": "phone", "value": "1", "name": None, "comment": KEY}
    twice = stored(
        creation(KEY, wanted(row(), None), RELATIONS),
        **{"contact_mechanisms.": [phone | {"id": 9}, phone | {"id": 8}]},
    )
    assert update(held, wanted(row(phone="1"), None), RELATIONS, TODAY) == {}
    assert update(twice, wanted(row(phone="1"), None), RELATIONS, TODAY) == {
        "contact_mechanisms": [["write", [9], {"active": False}]]
    }


@pytest.mark.parametrize(
    ("values", "category"),
    [
        ({"addresses": [address("bill_to", country="XX")]}, Category.REFERENCE_UNKNOWN),
        ({"addresses": [address("bill_to", country="NL", region="Bavaria")]}, Category.REFERENCE_UNKNOWN),
        ({"addresses": [address("bill_to", region="CA")]}, Category.MISSING_VALUE),
        ({"addresses": [address("bill_to"), address("bill_to")]}, Category.DUPLICATE_KEY),
        ({"contacts": [contact(1), contact(1)]}, Category.DUPLICATE_KEY),
    ],
)
def test_what_tryton_can_not_hold_is_rejected(values: dict[str, Any], category: Category) -> None:
    with pytest.raises(Impossible) as impossible:
        wanted(row(**values), None)
    assert impossible.value.outcome.category is category


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("NL004495445B01", "eu_vat"), ("NL12345", "eu_vat"), ("DE 136.695.976", "eu_vat"), ("ESX1234567X", "eu_vat"),
        ("GB 980 7806 84", None), ("KVK012345678", None), ("12-3456789", None), ("DELIVERY", None), ("nl1", None),
    ],
)  # fmt: skip
def test_only_what_looks_like_a_vat_number_is_checked_as_one(code: str, kind: str | None) -> None:
    assert identifier_type(code) == kind


@pytest.mark.parametrize("key", ["salesforce:001A", "tryton:42", "legacy:US01/L-1"])
def test_party_codes_and_keys(key: str) -> None:
    assert key_of(code_of(key)) == key
    assert code_of("salesforce:001A") == "001A"


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("The code on party must be unique.", Category.DUPLICATE_KEY),
        ('The European VAT Number "NL123" for party "Secret" is not valid.', Category.INVALID_VALUE),
        ("PostgreSQL text fields cannot contain NUL (0x00) bytes", Category.INVALID_VALUE),
        ('The value "9" for field "Country" … does not exist.', Category.REFERENCE_UNKNOWN),
        ("Something new", Category.REFUSED),
    ],
)
def test_refusals_are_told_apart_by_their_words(text: str, category: Category) -> None:
    assert meaning_of(text, REFUSALS).category is category
    assert "Secret" not in meaning_of(text, REFUSALS).message
