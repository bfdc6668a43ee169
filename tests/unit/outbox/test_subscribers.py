"""A subscriber is what its connection says; what can't be meant is refused, and no secret is shown."""

from __future__ import annotations

from typing import Any

import pytest

from accord.errors import Stop
from accord.flows import FLOWS
from accord.outbox.events import EventType
from accord.outbox.subscribers import subscriber
from accord.settings import Connection
from tests.receiver import SECRET

URL = "https://billing.example.com/accord?token=hidden"


def declared(host: str = URL, password: str = SECRET, **extra: Any) -> Connection:
    return Connection(id="accord_subscriber_billing", host=host, password=password, extra=extra)


def test_it_is_told_of_everything_one_by_one_unless_it_says_otherwise() -> None:
    found = subscriber("billing", declared())
    assert set(found.objects) == {flow.object for flow in FLOWS.values()}, "and of no status Accord itself writes"
    assert found.types == tuple(EventType)
    assert (found.url, len(found.keys), found.batch, found.timeout_s) == (URL, 1, None, 10.0)


def test_what_it_says() -> None:
    found = subscriber(
        "billing",
        declared(
            objects=["invoice"], types=["accord.record.applied"], batch=50, timeout_s=2.5,
            previous_secret="whsec_" + "QUFB" * 10,
        ),
    )  # fmt: skip
    assert (found.objects, found.types) == (("invoice",), ("accord.record.applied",))
    assert (len(found.keys), found.batch, found.timeout_s) == (2, 50, 2.5)
    assert found.keys[1] == b"AAA" * 10


def test_it_shows_neither_secret_nor_address() -> None:
    text = repr(subscriber("billing", declared()))
    assert "hidden" not in text
    assert "MfKQ" not in text
    assert "keys" not in text


@pytest.mark.parametrize(
    "connection",
    [
        declared(host=""),
        declared(host="billing.example.com"),
        declared(host="http://billing.example.com/accord"),
        declared(host="https://user:hidden@billing.example.com/accord"),
        declared(host="ftp://billing.example.com/hidden"),
        declared(host="https://[hidden"),
        declared(password="hidden"),
        declared(previous_secret="hidden"),
        declared(objects=["invoices"]),
        declared(objects="invoice"),
        declared(types=["applied"]),
        declared(batch=0),
        declared(batch=1001),
        declared(batch="many"),
        declared(timeout_s=31),
        declared(timeout_s=True),
        declared(object=["invoice"]),
    ],
    ids=lambda connection: f"{connection.host} {dict(connection.extra)}",
)
def test_what_can_t_be_meant(connection: Connection) -> None:
    with pytest.raises(Stop, match="ubscriber billing") as refused:
        subscriber("billing", connection)
    assert refused.value.cure
    assert "hidden" not in str(refused.value)


@pytest.mark.parametrize("host", ["http://127.0.0.1:8000/hook", "http://localhost/hook", "https://10.0.0.7/hook"])
def test_plain_http_is_for_this_machine_only(host: str) -> None:
    assert subscriber("billing", declared(host=host)).url == host
