"""The day's requests of a real limit: bulk flows yield first, the last ones are for orders."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from accord.errors import Shut, SystemShut
from accord.flows import Flow, flow
from accord.hub import systems
from accord.pipeline.flow_run import run_flow
from accord.pipeline.runs import Params, RunKind
from accord.quota import Usage
from accord.settings import Connection
from accord.systems.salesforce.adapter import open_salesforce
from tests.salesforce_org import Org, start_org
from tests.world import CUSTOMERS, World

pytestmark = pytest.mark.usefixtures("open_gates")

LIMIT = 320
ORDERS, PRODUCTS = flow("order__salesforce_to_erp"), flow("product__tryton_to_salesforce")


LONG_AGO = "UPDATE system SET told = now() - interval '1 hour' WHERE name = 'salesforce' RETURNING name"
YESTERDAY = "UPDATE system SET used = allowed, told = now() - interval '1 day' WHERE name = 'salesforce' RETURNING name"


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Org]:
    org = start_org(tmp_path_factory.mktemp("org"), api_limit=LIMIT)
    yield org
    org.stop()


@pytest.fixture
def limited(world: World, org: Org) -> World:
    """Salesforce is an org whose requests run out."""
    extra = {"login_url": org.http, "consumer_key": org.client_id, "consumer_secret": org.client_secret}
    connection = Connection(id="accord_salesforce", kind="salesforce", extra=extra)
    world.systems["salesforce"] = open_salesforce("salesforce", connection)  # type: ignore[assignment]  # a real one
    return world


def usage(world: World) -> Usage:
    found = systems.state_of(world.accord().hub, "salesforce").usage
    assert found is not None
    return found


def run(world: World, which: Flow, params: Params | None = None, kind: RunKind = RunKind.MANUAL) -> None:
    run_flow(world.accord(), which, kind=kind, params=params)


def spend(world: World, org: Org, share: float) -> None:
    """Other people use the org's requests, and Accord is told with the next answer."""
    people, one = org.session(admin=True), Params(keys=("801000000000000AAA",))
    run(world, ORDERS, one)
    while usage(world).share < share:
        for _ in range(max(1, int((share - usage(world).share) * LIMIT) - 12)):
            people.soql("SELECT Id FROM Organization")
        run(world, ORDERS, one)


def yields(world: World, org: Org, which: Flow, params: Params | None = None) -> bool:
    """Whether the flow has to wait for requests; then it has not made any."""
    org.calls(clear=True)
    shut = None
    try:
        run(world, which, params, RunKind.SCHEDULED)
    except SystemShut as raised:
        shut = raised
    assert shut is None or shut.why is Shut.QUOTA
    assert shut is None or not org.calls()
    return shut is not None


def test_who_yields_when(limited: World, org: Org) -> None:
    world = limited
    org.session(admin=True).create(
        "Account", Name="Elm", Legal_Entities__c="NL01", BillingCountryCode="NL", CurrencyIsoCode="EUR"
    )
    assert not any(yields(world, org, which) for which in (PRODUCTS, CUSTOMERS, ORDERS))
    assert len(world.tryton.writes) == 1
    world.rows(YESTERDAY)
    assert not yields(world, org, PRODUCTS), "an old figure is asked for again before anybody waits for it"
    assert usage(world).share < 0.5
    watermark = world.watermark(PRODUCTS)

    spend(world, org, 0.75)
    assert yields(world, org, PRODUCTS)
    assert yields(world, org, CUSTOMERS, Params(full_refresh=True)), "whatever reads everything is bulk"
    assert not yields(world, org, CUSTOMERS)
    assert world.watermark(PRODUCTS) == watermark, "what it left out it reads later"

    spend(world, org, 0.90)
    assert yields(world, org, CUSTOMERS)
    assert not yields(world, org, ORDERS)

    world.rows(LONG_AGO)
    before = usage(world).used
    with pytest.raises(SystemShut, match=f"of {LIMIT} requests of salesforce are used"):
        run(world, PRODUCTS)
    assert usage(world).used > before, "the figure is of now"
