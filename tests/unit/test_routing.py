"""The declared routes: which legal entity sells."""

from __future__ import annotations

from itertools import product

import pyarrow as pa
import pytest

from accord.objects.order import ORDER
from accord.objects.vocabulary import COUNTRIES, PRODUCT_FAMILIES
from accord.pipeline.route import belongs, routed
from accord.routing import LEGAL_ENTITIES, ROUTES, Former, books, entities_in, entities_of, erps, route
from tests.moving import move
from tests.tables import canonical

ALL = [entity.code for entity in LEGAL_ENTITIES]


@pytest.mark.parametrize(
    ("buys_from", "country", "families", "sells"),
    [
        (["NL01"], "US", ["Instruments"], "NL01"),  # the only one sells, wherever the customer is
        (ALL, "DE", ["Instruments"], "NL01"),
        (ALL, "GB", ["Instruments"], "GB01"),
        (ALL, "IE", ["Consumables", "Services"], "GB01"),
        (ALL, "US", ["Instruments"], "US01"),
        (ALL, "US", ["Subscriptions"], "US01"),
        (ALL, "GB", ["Subscriptions"], "NL01"),  # subscriptions of Europe are one legal entity's
        (ALL, "GB", ["Subscriptions", "Instruments"], "GB01"),
        (["NL01", "GB01"], "US", ["Instruments"], "NL01"),
        (["GB01", "US01"], "DE", ["Instruments"], None),  # neither sells there
        (ALL, None, ["Instruments"], "NL01"),
        ([], "NL", ["Instruments"], None),
        (None, "NL", [], None),
    ],
)
def test_who_sells(buys_from: list[str] | None, country: str | None, families: list[str], sells: str | None) -> None:
    assert route(buys_from, country, families) == sells


def test_a_customer_of_everybody_is_sold_to_everywhere() -> None:
    for country, family in product(COUNTRIES, PRODUCT_FAMILIES):
        assert route(ALL, country, [family]) in ALL


def test_routes_lead_to_known_legal_entities_and_each_is_reached() -> None:
    assert {one.entity for one in ROUTES} == set(ALL)
    reached = {route(ALL, country, ["Instruments"]) for country in COUNTRIES}
    assert reached == set(ALL)
    assert {c for one in ROUTES for c in one.countries or ()} <= set(COUNTRIES)
    assert {f for one in ROUTES for f in one.families or ()} <= set(PRODUCT_FAMILIES)


def test_cross_border_routing_fills_in_what_sales_left_open() -> None:
    """Only where no legal entity is named; where no route leads anywhere, it stays open and the gate holds the order."""
    common = {"customer_entities": ALL, "customer_country": "GB", "lines": [{"id": "1", "family": "Instruments"}]}
    rows = [
        {"key": "salesforce:1", **common},
        {"key": "salesforce:2", **common, "legal_entity": "NL01"},
        {"key": "salesforce:3", **common, "customer_entities": None},
        {"key": "salesforce:4", **common, "customer_country": "CA", "lines": None},
    ]
    table = routed(ORDER, canonical(ORDER, rows))
    assert table["legal_entity"].to_pylist() == ["GB01", "NL01", None, "US01"]
    assert table.schema.equals(canonical(ORDER, rows).schema)
    same = canonical(ORDER, rows[1:2])
    assert routed(ORDER, same) is same
    assert isinstance(table, pa.Table)


def test_a_legal_entity_that_moved_has_books_in_both_erps(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is new goes to the new one; what is in the old one is read on, though no legal entity is left there."""
    move(monkeypatch, "US01", "tryton")
    assert [one.code for one in entities_of("tryton")] == ["NL01", "GB01", "US01"]
    assert entities_of("legacy") == ()
    (old,) = entities_in("legacy")
    assert (old.code, old.system, old.company) == ("US01", "legacy", "US01")
    assert set(erps()) == {"tryton", "legacy"}
    assert books()["US01"] == ("tryton", "legacy")
    assert old.formerly == (Former(system="legacy", company="US01"),)
    table = canonical(ORDER, [{"key": "salesforce:1", "legal_entity": "US01"}])
    assert [belongs(ORDER, table, system).to_pylist() for system in ("tryton", "legacy")] == [[True], [False]]
