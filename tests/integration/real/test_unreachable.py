"""Wrong logins, revoked permissions, systems that are away: said clearly, with the cure; nothing half-written, no gap."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from accord.errors import AccordError, BadCredentials, SchemaDrift, Unavailable
from accord.hub import systems
from accord.objects import CUSTOMER
from tests.integration.real.oracle import complaints
from tests.integration.real.world import RealWorld, counts

pytestmark = pytest.mark.usefixtures("open_gates")

Change = Callable[[dict[str, Any]], None]


def _wrong(body: dict[str, Any]) -> None:
    body["password"] = "not the password"


def _wrong_secret(body: dict[str, Any]) -> None:
    body["extra"]["consumer_secret"] = "not the secret"


def _away(body: dict[str, Any]) -> None:
    body["port"] = 9  # discard: nobody listens there


def _org_away(body: dict[str, Any]) -> None:
    body["extra"]["login_url"] = "http://127.0.0.1:9"


CASES: list[tuple[str, Change, type[AccordError], str]] = [
    ("accord_hub", _wrong, BadCredentials, "login and password of connection accord_hub"),
    ("accord_hub", _away, Unavailable, "host and port of connection accord_hub"),
    ("accord_salesforce", _wrong_secret, BadCredentials, "accord_salesforce"),
    ("accord_salesforce", _org_away, Unavailable, "127.0.0.1:9 can't be reached. Check the connection"),
    ("accord_tryton", _wrong, BadCredentials, "login and password"),
    ("accord_tryton", _away, Unavailable, "127.0.0.1:9 does not answer. Start it, or correct the connection"),
    ("accord_legacy", _wrong, BadCredentials, "login and password"),
    ("accord_legacy", _away, Unavailable, "127.0.0.1:9 does not answer. Start it, or correct the connection"),
]


@pytest.mark.parametrize(
    ("connection", "change", "error", "cure"), CASES, ids=[f"{c[0]} {c[1].__name__[1:]}" for c in CASES]
)
def test_a_connection(
    world: RealWorld,
    connection: str,
    change: Change,
    error: type[AccordError],
    cure: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    account = world.account("Elm", entities="NL01;US01")
    right = world.bodies[connection]
    world.bodies[connection] = {**right, "extra": dict(right.get("extra", {}))}
    change(world.bodies[connection])
    world.forget()
    with pytest.raises(error) as raised:
        world.run()
    assert cure in str(raised.value)
    assert raised.value.cure
    secrets = [
        right.get("password"),
        right.get("extra", {}).get("consumer_secret"),
        "not the password",
        "not the secret",
    ]
    assert not [s for s in secrets if s and (s in str(raised.value) or s in caplog.text)]
    goes_on = {"accord_tryton": "legacy", "accord_legacy": "tryton"}.get(connection)  # an ERP keeps no other waiting
    for target in ("tryton", "legacy"):
        assert bool(world.written(target)) is (target == goes_on)
    assert world.status(account)[0] != "Synced"
    assert world.rows("SELECT key FROM link WHERE dispatch IS NOT NULL") == []
    assert world.watermark() is None

    world.forget()
    world.bodies[connection] = right
    assert world.run()["error"] is None
    assert complaints(world) == []
    assert world.status(account) == ("Synced", None)
    assert world.watermark() is not None
    assert not goes_on or not world.written(goes_on)


@pytest.mark.parametrize(
    ("field", "rights", "already"),
    [
        ("Tax_Registration__c", {"read": False, "edit": False}, False),
        ("ERP_Sync_Status__c", {"read": True, "edit": False}, True),
    ],
)
def test_a_revoked_permission(world: RealWorld, field: str, rights: dict[str, bool], already: bool) -> None:
    """`already`: the ERPs have their part when the field is needed; they are not sent it again."""
    account = world.account("Fir", entities="NL01;US01")
    world.org.set_field("Account", field, **rights)
    world.forget()
    with pytest.raises(SchemaDrift) as raised:
        world.run()
    assert field in str(raised.value)
    assert "permission" in raised.value.cure.lower()
    assert bool(world.written("tryton")) is already
    assert world.org_writes() == []
    assert world.status(account) == (None, None)
    assert world.watermark() is None

    world.org.reset_permissions()
    world.forget()
    assert world.run()["error"] is None
    assert bool(world.written("tryton")) is not already
    assert complaints(world) == []
    assert world.status(account) == ("Synced", None)


def test_a_permission_nothing_is_decided_by(world: RealWorld) -> None:
    """The other fields go on, what the ERPs have stays, and what was missed comes once the permission is back."""
    account = world.account("Juniper", entities="NL01;US01", Phone="+31 1", Website="one.example")
    world.run()
    world.org.set_field("Account", "Phone", read=False, edit=False)
    world.change(account, Phone="+31 2", Website="two.example")
    assert world.run()["error"] is None
    (drift,) = world.exceptions()["salesforce.Account.Phone"]
    assert (drift["category"], drift["rule"]) == ("schema drift", "phone")
    erps = world.accord()
    for name in ("tryton", "legacy"):
        wanted = pa.table({"key": [f"salesforce:{account}"], "native": pa.nulls(1, pa.string())})
        (there,) = erps.target(name).read_back(CUSTOMER, wanted).to_pylist()
        assert there["phone"] == "+31 1", name
        assert there["website"] == "two.example", name

    world.org.reset_permissions()
    assert world.run()["error"] is None
    assert "salesforce.Account.Phone" not in world.exceptions()
    assert complaints(world) == []


def test_a_failure_leaves_no_gap(world: RealWorld) -> None:
    """What changed while the ERP was away comes with the first run after."""
    first = world.account("Ginkgo", entities="US01")
    world.run()
    before = world.watermark()
    right = world.bodies["accord_legacy"]
    world.bodies["accord_legacy"] = {**right, "port": 9}
    second = world.account("Hazel", entities="US01")
    world.change(first, Phone="+1 20 3")
    for _ in range(3):
        with pytest.raises(Unavailable):
            world.run()
    assert world.watermark() == before
    assert counts(world.run(), "legacy") == {"parked": 2}, "by now it is known to be away, and nobody knocks any more"
    world.bodies["accord_legacy"] = right
    systems.release(world.accord().hub, "legacy", who="ada", why="it is back")
    world.rows("UPDATE exception SET not_before = now() WHERE not_before IS NOT NULL RETURNING id")
    world.run()
    assert complaints(world) == []
    assert [world.status(account) for account in (first, second)] == [("Synced", None)] * 2
