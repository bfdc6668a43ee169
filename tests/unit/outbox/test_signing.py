"""Webhooks are signed as Standard Webhooks has it, and the documentation's code verifies them."""

from __future__ import annotations

import base64

import pytest

from accord.errors import Stop
from accord.outbox import signing
from tests.receiver import SECRET, code_of

# the vector published with the standard: secret, id, instant, body and signature belong together
MESSAGE, AT, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
OTHER = "whsec_" + base64.b64encode(bytes(range(32))).decode()


def test_the_published_vector() -> None:
    headers = signing.headers([signing.secret_key(SECRET, of="x")], MESSAGE, AT, BODY)
    assert headers == {"webhook-id": MESSAGE, "webhook-timestamp": str(AT), "webhook-signature": SIGNATURE}


def test_the_documentation_s_code_verifies() -> None:
    verified = code_of("events.md")["verified"]
    headers = signing.headers([signing.secret_key(SECRET, of="x")], MESSAGE, AT, BODY)
    assert verified(headers, BODY, [SECRET], now=AT + 299)
    assert not verified(headers, BODY, [SECRET], now=AT + 301)
    assert not verified(headers, BODY, [SECRET], now=AT - 301)
    assert not verified(headers, BODY + b" ", [SECRET], now=AT)
    assert not verified(headers, BODY, [OTHER], now=AT)
    assert not verified(headers | {"webhook-id": "another"}, BODY, [SECRET], now=AT)
    assert not verified(headers | {"webhook-timestamp": str(AT + 1)}, BODY, [SECRET], now=AT)


def test_while_a_secret_is_changed_both_verify() -> None:
    verified = code_of("events.md")["verified"]
    headers = signing.headers([signing.secret_key(one, of="x") for one in (OTHER, SECRET)], MESSAGE, AT, BODY)
    assert headers["webhook-signature"].count("v1,") == 2
    for known in ([SECRET], [OTHER], [OTHER, SECRET]):
        assert verified(headers, BODY, known, now=AT)


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_c2hvcnQ=", "hunter2", "whsec_not base64!", "whsec_" + "QUFB" * 30]
)
def test_what_is_no_secret_is_refused_without_being_shown(secret: str) -> None:
    with pytest.raises(Stop, match="The secret of subscriber billing is none") as refused:
        signing.secret_key(secret, of="subscriber billing")
    assert not secret or secret.removeprefix("whsec_") not in str(refused.value) or secret == "whsec_"


def test_the_documentation_s_code_sees_duplicates_and_gaps() -> None:
    judge = code_of("events.md")["judge"]
    event = {"id": "9", "sequence": f"{5:020}"}
    assert judge(event, 4, set()) == "new"
    assert judge(event, 5, {"9"}) == "again"
    assert judge(event, 3, set()) == "gap"
