"""Records of one batch that refer to each other: what they refer to goes first, and they go in the same run."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest

from accord.categories import Category
from accord.flows import flow
from accord.objects import PRODUCT
from accord.pipeline.references import DEEPEST
from tests.world import World, counts

pytestmark = pytest.mark.usefixtures("open_gates")

PRODUCTS = flow("product__tryton_to_salesforce")


def product(world: World, native: str, *components: str) -> str:
    values: dict[str, Any] = {"code": native, "name": native, "unit": "Each", "kind": "Goods", "status": "Active"}
    values |= {"active": True, "system": "tryton", "legal_entities": ["NL01"]}
    parts = [{"id": name, "product": f"tryton:{name}", "quantity": "1"} for name in components]
    return world.systems["tryton"].source.put(PRODUCT, native, at=world.tick(), components=parts, **values)


def sent(world: World, key: str) -> Mapping[str, str | None]:
    """Component → the id it was sent with, of the bundle's one write."""
    (write,) = world.written(world.salesforce, key)
    return {part["product"]: part["product__native"] for part in write.fields["components"]}


@pytest.mark.parametrize("chunk_rows", [1, 2, 1000])
def test_a_bundle_goes_after_its_products(world: World, chunk_rows: int) -> None:
    outer, inner = product(world, "A", "B", "D"), product(world, "B", "C", "D")
    parts = [product(world, native) for native in ("C", "D", "E")]
    accord = world.accord(chunk_rows=chunk_rows)
    assert counts(world.run(PRODUCTS, accord=accord), "salesforce") == {"applied": 5}
    assert world.exceptions() == []
    native = {key: world.salesforce.native(PRODUCT, key) for key in (outer, inner, *parts)}
    assert sent(world, inner) == {key: native[key] for key in parts[:2]}
    assert sent(world, outer) == {inner: native[inner], parts[1]: native[parts[1]]}
    order = [write.key for write in world.salesforce.writes]
    assert order.index(inner) > max(order.index(key) for key in parts[:2])
    assert order[-1] == outer

    world.run(PRODUCTS, accord=accord)
    assert len(world.salesforce.writes) == 5


def test_a_bundle_waits_for_a_product_nobody_knows_and_so_does_what_holds_it(world: World) -> None:
    product(world, "A", "B")
    product(world, "B", "C", "X")
    product(world, "C")
    assert counts(world.run(PRODUCTS), "salesforce") == {"applied": 1, "parked": 2}
    assert {e["key"]: e["awaits"] for e in world.exceptions()} == {"tryton:A": "tryton:B", "tryton:B": "tryton:X"}

    product(world, "X")
    assert counts(world.run(PRODUCTS), "salesforce")["applied"] == 3
    assert world.exceptions() == []


def test_a_bundle_of_a_refused_product_waits(world: World) -> None:
    part, bundle = product(world, "B"), product(world, "A", "B")
    world.salesforce.rejects[part] = Category.INVALID_VALUE
    assert counts(world.run(PRODUCTS), "salesforce") == {"rejected": 1, "parked": 1}
    (held,) = world.exceptions(key=bundle)
    assert (held["awaits"], held["awaits_object"]) == (part, "product")

    world.salesforce.rejects.clear()
    product(world, "B")
    world.systems["tryton"].source.touch(PRODUCT, "B", at=world.tick(), name="mended")
    assert counts(world.run(PRODUCTS), "salesforce")["applied"] == 2
    assert world.exceptions() == []
    assert sent(world, bundle) == {part: world.salesforce.native(PRODUCT, part)}


def test_bundles_of_each_other_wait_and_hold_up_nobody(world: World) -> None:
    product(world, "A", "B")
    product(world, "B", "A")
    product(world, "C", "A")
    product(world, "D", "D")
    product(world, "E", "F")
    product(world, "F")
    assert counts(world.run(PRODUCTS), "salesforce") == {"applied": 2, "parked": 4}
    assert {e["key"] for e in world.exceptions()} == {f"tryton:{native}" for native in "ABCD"}


def test_a_long_chain_goes_in_one_run(world: World) -> None:
    names = [f"{n:02}" for n in range(DEEPEST)]
    for name, inside in pairwise(names):
        product(world, name, inside)
    product(world, names[-1])
    assert counts(world.run(PRODUCTS), "salesforce") == {"applied": DEEPEST}
