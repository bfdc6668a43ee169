"""Signatures of webhooks as Standard Webhooks 1.0.0 has them: HMAC-SHA256 over id, instant and body
(https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

from accord.errors import Stop

PREFIX = "whsec_"
_BYTES = range(24, 65)  # of a secret; the standard's bounds


def secret_key(secret: str, *, of: str) -> bytes:
    """The key in a secret, `whsec_` and base64. Raises Stop, naming `of` and never the secret, when it is none."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) not in _BYTES:
        raise Stop(
            f"The secret of {of} is none.",
            cure=f"Make one: {PREFIX} and 24 to 64 random bytes in base64; tell both sides.",
        )
    return key


def headers(keys: Sequence[bytes], message: str, at: int, body: bytes) -> dict[str, str]:
    """The three headers that prove a body: `message` is its id, `at` the instant of sending in seconds since 1970, and there is
    one signature per key, so that a receiver may still know only the older one."""
    signed = f"{message}.{at}.".encode() + body
    digests = (base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode() for key in keys)
    return {
        "webhook-id": message,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(f"v1,{digest}" for digest in digests),
    }
