"""What is Tryton's own: regions, archived parts, adopted parties, what its people added, ended sessions, kinds of numbers."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from accord.objects import CUSTOMER
from accord.ports import Selection
from accord.settings import Connection
from accord.systems import open_system
from accord.systems.tryton.books import books_of
from accord.systems.tryton.buyers import Buying, buyers, buyers_changed
from accord.systems.tryton.customer.mapping import BUYS
from accord.systems.tryton.customer.relations import relation_type
from accord.systems.tryton.customer.suspects import FEW, Suspects
from sandbox.erp.rpc import Client
from tests.contract.target_suite import CustomerTargetSuite
from tests.contract.tryton_server import connection as connection
from tests.contract.tryton_server import finance as finance
from tests.contract.tryton_server import one as one
from tests.parties import buys_from
from tests.tables import canonical, wanted

SUITE = CustomerTargetSuite()
DAY = timedelta(days=1)
READ = "model.party.party.read"


def held(target: Any, row: dict[str, Any]) -> dict[str, Any]:
    return SUITE.held(target, row)[row["key"]]


@pytest.mark.parametrize("region", ["CA", "US-CA", "California", "california"])
def test_a_region_by_code_or_name(one: Any, region: str) -> None:
    address = {"role": "bill_to", "street": "1 Main St", "country": "US", "region": region}
    (row,) = SUITE.create(one, SUITE.sample(1, addresses=[address]))
    assert held(one, row)["addresses"][0]["region"] == "CA"


def test_a_region_of_another_country_is_rejected(one: Any) -> None:
    row = SUITE.sample(1, addresses=[{"role": "bill_to", "country": "NL", "region": "California"}])
    answer = SUITE.send(one, row)[row["key"]]
    assert (answer["outcome"], answer["category"]) == ("reject", "unknown reference")


@pytest.mark.parametrize(
    ("code", "kind"),
    [("NL004495445B01", "eu_vat"), ("DE136695976", "eu_vat"), ("GB980780684", None), ("12-34", None)],
)
def test_a_tax_registration_is_kept_as_what_it_is(one: Any, finance: Client, code: str, kind: str | None) -> None:
    (row,) = SUITE.create(one, SUITE.sample(1, tax_registration=code))
    ((party,),) = [finance.call(READ, [int(row["native"])], ["identifiers.type", "identifiers.code"])]
    assert [(i["type"], i["code"]) for i in party["identifiers."]] == [(kind, code)]


def test_a_registration_refused_by_its_check_digit(one: Any) -> None:
    rows = [SUITE.sample(1, tax_registration=code) for code in ("NL12345", "DE00000000X")]
    outcomes = SUITE.send(one, *rows)
    assert {(a["outcome"], a["category"]) for a in outcomes.values()} == {("reject", "invalid value")}


def test_what_is_no_longer_sent_is_archived_not_deleted(one: Any, finance: Client) -> None:
    (row,) = SUITE.create(one, SUITE.sample(1))
    SUITE.create(one, SUITE.changed(row))
    party = [["party", "=", int(row["native"])], ["active", "in", [True, False]]]
    addresses = finance.call("model.party.address.search_read", party, 0, None, None, ["active", "street"])
    assert sorted((a["active"], a["street"]) for a in addresses) == [(False, "Dok 1"), (True, "Nieuwe Weg 1")]
    mechanisms = finance.call("model.party.contact_mechanism.search_read", party, 0, None, None, ["active", "value"])
    assert (False, "Plain") in {(m["active"], m["value"]) for m in mechanisms}


def test_what_its_people_added_stays(one: Any, finance: Client) -> None:
    (row,) = SUITE.create(one, SUITE.sample(1))
    party = int(row["native"])
    finance.call("model.party.contact_mechanism.create", [{"party": party, "type": "email", "value": "ap@x.example"}])
    finance.call("model.party.address.create", [{"party": party, "street": "Depot"}])
    row = SUITE.changed(row)
    SUITE.create(one, row)
    SUITE.assert_held(one, row)
    ((now,),) = [finance.call(READ, [party], ["addresses.street", "contact_mechanisms.value"])]
    assert "Depot" in [a["street"] for a in now["addresses."]]
    assert "ap@x.example" in [m["value"] for m in now["contact_mechanisms."]]


def test_an_update_of_nothing_leaves_the_party_untouched(one: Any, finance: Client) -> None:
    (row,) = SUITE.create(one, SUITE.sample(1))
    fields = ["last_modified_at"]
    before = finance.call(READ, [int(row["native"])], fields)
    SUITE.create(one, row)
    assert finance.call(READ, [int(row["native"])], fields) == before


def test_an_adopted_party_keeps_its_code(one: Any, finance: Client) -> None:
    (native,) = finance.call("model.party.party.create", [{"name": "Old Customer"}])
    row = SUITE.sample(1, native=str(native))
    SUITE.create(one, row)
    ((party,),) = [finance.call(READ, [native], ["code", "name"])]
    assert party["name"] == "Old Customer"
    assert party["code"] != row["key"].partition(":")[2]
    SUITE.assert_held(one, row)


def test_nobody_is_above_himself(one: Any) -> None:
    (top,) = SUITE.create(one, SUITE.sample(1))
    (leaf,) = SUITE.create(one, SUITE.sample(2, parent=top["key"], parent__native=top["native"]))
    loop = top | {"parent": leaf["key"], "parent__native": leaf["native"]}
    assert SUITE.send(one, loop)[top["key"]]["category"] == "hierarchy loop"
    selfish = top | {"parent": top["key"], "parent__native": top["native"]}
    assert SUITE.send(one, selfish)[top["key"]]["category"] == "hierarchy loop"


def test_an_ended_session_is_opened_again(connection: Connection, finance: Client) -> None:
    target = open_system("tryton", connection)
    target.read_back(CUSTOMER, wanted([("salesforce:nobody", None)]))
    target._context.client._http.headers["Authorization"] = "Session YWNjb3JkOjE6Z29uZQ=="
    SUITE.create(target, SUITE.sample(1))
    target.close()


def test_finds_a_party_its_people_made(one: Any, finance: Client) -> None:
    probe = SUITE.sample(1)
    one.find_matches(CUSTOMER, canonical(CUSTOMER, [probe]))  # the names are read
    (country,) = finance.call("model.country.country.search", [["code", "=", "NL"]], 0, None, None)
    address = {"street": "Kade", "country": country, "invoice": True}
    values = {
        "name": probe["name"].upper(),
        "addresses": [["create", [address]]],
        "identifiers": [["create", [{"type": None, "code": probe["tax_registration"].lower()}]]],
    }
    (native,) = finance.call("model.party.party.create", [values])
    assert SUITE.matches(one, probe) == {
        (probe["key"], str(native), "tax_registration"),
        (probe["key"], str(native), "name+country"),
    }
    finance.call("model.party.party.write", [native], {"active": False})
    assert SUITE.matches(one, probe) == set()


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("{} Perfect Box B.V.", "{} PERFÉCT-BÖX"),
        ("{} Bäckerei Müller GmbH", "{} Backerei Muller"),
        ("{} O'Brien & Fox", "{} O Brien, FOX Ltd."),
        ("{} Zu\u0308rich e\u0301", "{} Zürich É"),
        ("Ana Sánchez", "ANA SANCHEZ S.L."),  # too vague to search for
        ("Кит {}", "КИТ {}"),
    ],
)
@pytest.mark.parametrize("more", [0, FEW])
def test_few_are_searched_for_and_many_compared_with_all(
    one: Any, finance: Client, here: str, there: str, more: int
) -> None:
    tag = uuid.uuid4().hex
    (country,) = finance.call("model.country.country.search", [["code", "=", "NL"]], 0, None, None)
    address = {"street": "Kade", "country": country, "invoice": True}
    made = {"name": there.format(tag), "addresses": [["create", [address]]]}
    coded = {"name": f"Other {tag}", "identifiers": [["create", [{"type": None, "code": f"kvk-{tag[:4]}.{tag[4:]}"}]]]}
    named, numbered = finance.call("model.party.party.create", [made, coded])
    probe = SUITE.sample(1, name=here.format(tag), legal_name=None, tax_registration=f"KVK {tag.upper()}")
    fresh = Suspects(one._context.client)
    table = canonical(CUSTOMER, [probe, *(SUITE.sample(n) for n in range(more))])
    found = {tuple(row.values()) for row in fresh.matches(one.collapse(CUSTOMER, table)).to_pylist()}
    assert (probe["key"], str(named), "name+country") in found
    assert (probe["key"], str(numbered), "tax_registration") in found
    assert {key for key, _, _ in found} == {probe["key"]}


def test_without_a_legal_name_the_party_has_the_name_sales_uses(one: Any) -> None:
    (row,) = SUITE.create(one, SUITE.sample(1, legal_name=None))
    assert held(one, row)["legal_name"] == row["name"]
    SUITE.assert_held(one, row, creating=True)


def test_a_relation_begins_and_ends_by_its_days(one: Any, finance: Client) -> None:
    client = one._context.client
    british = next(books for books in books_of(client, "tryton")[0] if books.entity.code == "GB01")
    buys = relation_type(client, BUYS)
    first, last = date(2026, 3, 10), date(2026, 3, 20)
    relations = buys_from(finance, "GB01")
    relations[0][1][0] |= {"start_date": first, "end_date": last}
    (party,) = finance.call("model.party.party.create", [{"name": "Guest", "relations": relations}])

    def buying(today: date) -> Buying | None:
        return buyers(client, british, buys, [party], today).get(party)

    began, ended = datetime(2026, 3, 10, tzinfo=UTC), datetime(2026, 3, 21, tzinfo=UTC)
    assert buying(first - DAY) is None
    assert buying(first) == buying(last) == Buying(now=True, moments=(began,))
    assert buying(last + DAY) == Buying(now=False, moments=(began, ended))

    def changed(since: datetime, until: datetime) -> bool:
        selection = Selection(since=since, until=until)
        return party in buyers_changed(client, british, buys, selection, datetime.now(UTC))

    assert changed(began, began + DAY)
    assert not changed(began + 3 * DAY, ended - 3 * DAY)
    assert changed(ended, ended + DAY)
    assert not changed(ended + 3 * DAY, ended + 9 * DAY)


def test_an_adopted_party_becomes_a_customer_of_its_legal_entities(one: Any, finance: Client) -> None:
    (native,) = finance.call("model.party.party.create", [{"name": "Old Customer"}])
    row = SUITE.sample(1, native=str(native), legal_entities=["GB01", "NL01"])
    SUITE.create(one, row)
    SUITE.assert_held(one, row)
    assert held(one, row)["legal_entities"] == ["GB01", "NL01"]


@pytest.mark.parametrize("since", [date(2020, 1, 1), None, "today"])
def test_what_its_people_said_ends_whenever_it_began(one: Any, finance: Client, since: Any) -> None:
    relations = buys_from(finance, "GB01")
    relations[0][1][0]["start_date"] = datetime.now(UTC).date() if since == "today" else since
    (native,) = finance.call("model.party.party.create", [{"name": "Guest", "relations": relations}])
    row = SUITE.sample(1, native=str(native), legal_entities=["NL01"])
    SUITE.create(one, row)
    SUITE.assert_held(one, row)


def test_a_relation_said_from_the_companys_side_counts(one: Any, finance: Client) -> None:
    (row,) = SUITE.create(one, SUITE.sample(1, legal_entities=["NL01"]))
    (sells,) = finance.call("model.party.relation.type.search", [["name", "=", "sells to"]])
    (company,) = finance.call("model.party.party.search", [["code", "=", "GB01"]])
    finance.call("model.party.relation.all.create", [{"from_": company, "to": int(row["native"]), "type": sells}])
    assert held(one, row)["legal_entities"] == ["GB01", "NL01"]
    SUITE.create(one, row)
    SUITE.assert_held(one, row)
