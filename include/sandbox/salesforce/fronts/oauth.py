"""OAuth 2.0: client credentials and JWT bearer tokens, userinfo, revocation.

Source: Salesforce Help, "OAuth 2.0 Client Credentials Flow", "OAuth 2.0 JWT Bearer Flow"; RFC 7523.
"""

import base64
import binascii
import hashlib
import hmac
import json
import time
from typing import Any
from urllib.parse import parse_qsl

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509 import load_pem_x509_certificate

from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.fronts.messages import Answer, Call
from sandbox.salesforce.org import Org
from sandbox.salesforce.schema.permissions import Actor
from sandbox.salesforce.seeding import ORGANIZATION_ID

_AUDIENCES = ("https://login.salesforce.com", "https://test.salesforce.com")
# Salesforce wants the assertion to expire within three minutes; it allows for clocks that differ a little.
_LONGEST, _SKEW = 180, 30


def _refuse(error: str, description: str) -> ApiError:
    return ApiError(400, error, description, body={"error": error, "error_description": description})


def token(org: Org, call: Call) -> Answer:
    """Answer ``POST /services/oauth2/token``."""
    form = dict(parse_qsl(call.body.decode("utf-8", "replace"))) | dict(call.query)
    grant = form.get("grant_type", "")
    if grant == "client_credentials":
        actor = _client_credentials(org, call, form)
    elif grant == "urn:ietf:params:oauth:grant-type:jwt-bearer":
        actor = _jwt_bearer(org, form.get("assertion", ""), call.origin)
    else:
        raise _refuse("unsupported_grant_type", "grant type not supported")
    issued = str(int(time.time() * 1000))
    identity = f"{call.origin}/id/{ORGANIZATION_ID}/{actor.user_id}"
    signature = hmac.new(actor.client.encode(), (identity + issued).encode(), hashlib.sha256).digest()
    return Answer(
        data={
            "access_token": org.new_token(actor.client),
            "signature": base64.b64encode(signature).decode(),
            "scope": "api",
            "instance_url": call.origin,
            "id": identity,
            "token_type": "Bearer",
            "issued_at": issued,
        }
    )


def _client_credentials(org: Org, call: Call, form: dict[str, str]) -> Actor:
    client, secret = form.get("client_id", ""), form.get("client_secret", "")
    header = call.headers.get("authorization", "")
    if header.lower().startswith("basic "):
        try:
            client, _, secret = base64.b64decode(header[6:], validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise _refuse("invalid_client", "invalid client credentials") from None
    actor = org.actors.get(client)
    if actor is None:
        raise _refuse("invalid_client_id", "client identifier invalid")
    wanted = org.settings.client_secret if client == org.settings.client_id else org.settings.admin_secret
    if not hmac.compare_digest(secret.encode(), wanted.encode()):
        raise _refuse("invalid_client", "invalid client credentials")
    return actor


def _part(text: str) -> Any:
    try:
        return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error):
        raise _refuse("invalid_grant", "invalid assertion") from None


def _public_key(org: Org) -> rsa.RSAPublicKey:
    if org.settings.jwt_key is None:
        raise _refuse("invalid_grant", "this org has no JWT key: start it with --jwt-key")
    pem = org.settings.jwt_key.read_bytes()
    key = (
        load_pem_x509_certificate(pem).public_key() if b"CERTIFICATE" in pem else serialization.load_pem_public_key(pem)
    )
    if not isinstance(key, rsa.RSAPublicKey):
        raise _refuse("invalid_grant", "the JWT key is no RSA key")
    return key


def _jwt_bearer(org: Org, assertion: str, origin: str) -> Actor:
    parts = assertion.split(".")
    if len(parts) != 3:
        raise _refuse("invalid_grant", "invalid assertion")
    header, claims = _part(parts[0]), _part(parts[1])
    if not isinstance(header, dict) or not isinstance(claims, dict) or header.get("alg") != "RS256":
        raise _refuse("invalid_grant", "algorithm type not supported")
    try:
        signature = base64.urlsafe_b64decode(parts[2] + "=" * (-len(parts[2]) % 4))
        _public_key(org).verify(signature, f"{parts[0]}.{parts[1]}".encode(), padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        raise _refuse("invalid_grant", "invalid assertion") from None
    actor = org.actors.get(str(claims.get("iss")))
    if actor is None:
        raise _refuse("invalid_client_id", "client identifier invalid")
    audience = claims.get("aud")
    if not {*([audience] if isinstance(audience, str) else audience or [])} & {*_AUDIENCES, origin}:
        raise _refuse("invalid_grant", "audience is invalid")
    try:
        expires = float(claims.get("exp") or 0)
    except (TypeError, ValueError):
        expires = 0.0
    now = time.time()
    if not now - _SKEW < expires <= now + _LONGEST + _SKEW:
        raise _refuse("invalid_grant", "expired authorization code")
    if claims.get("sub") != actor.username:
        raise _refuse("invalid_grant", "user hasn't approved this consumer")
    return actor


def revoke(org: Org, call: Call) -> Answer:
    """Answer ``/services/oauth2/revoke``."""
    form = dict(parse_qsl(call.body.decode("utf-8", "replace"))) | dict(call.query)
    org.revoke(form.get("token", "-"))
    return Answer()


def userinfo(org: Org, call: Call, actor: Actor) -> Answer:
    """Answer ``/services/oauth2/userinfo`` and the identity URL."""
    return Answer(
        data={
            "sub": f"{call.origin}/id/{ORGANIZATION_ID}/{actor.user_id}",
            "user_id": actor.user_id,
            "organization_id": ORGANIZATION_ID,
            "preferred_username": actor.username,
            "name": actor.username,
            "email": actor.username,
            "email_verified": True,
            "active": True,
            "user_type": "STANDARD",
            "language": "en_US",
            "locale": "en_US",
            "zoneinfo": "GMT",
            "utcOffset": 0,
            "urls": {
                "rest": f"{call.origin}/services/data/v{{version}}/",
                "sobjects": f"{call.origin}/services/data/v{{version}}/sobjects/",
                "query": f"{call.origin}/services/data/v{{version}}/query/",
            },
        }
    )
