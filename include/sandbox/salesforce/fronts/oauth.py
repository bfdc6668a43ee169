"""OAuth 2.0: the grants of ``/services/oauth2/token``, the web server flow's authorization, userinfo, revocation.

Source: Salesforce Help, "OAuth Authorization Flows" (client credentials, JWT bearer, web server, refresh token,
username-password), "OAuth 2.0 Error Codes"; RFC 6749, RFC 7523, RFC 7636.
"""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509 import load_pem_x509_certificate

from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.fronts.messages import LOGIN_HOSTS, Answer, Call
from sandbox.salesforce.org import Org
from sandbox.salesforce.schema.permissions import Actor
from sandbox.salesforce.seeding import ORGANIZATION_ID

# Salesforce wants the assertion to expire within three minutes; it allows for clocks that differ a little.
_LONGEST, _SKEW = 180, 30
_CODE_SECONDS = 15 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """Whom a grant signs in, and the refresh token that goes with it, if any."""

    actor: Actor
    refresh: str | None = None
    scope: str = "api"


def _refuse(error: str, description: str) -> ApiError:
    return ApiError(400, error, description, body={"error": error, "error_description": description})


def token(org: Org, call: Call) -> Answer:
    """Answer ``POST /services/oauth2/token``."""
    form = _form(call)
    grant = _GRANTS.get(form.get("grant_type", ""))
    if grant is None:
        raise _refuse("unsupported_grant_type", "grant type not supported")
    granted = grant(org, call, form)
    issued = str(int(time.time() * 1000))
    identity = f"{call.origin}/id/{ORGANIZATION_ID}/{granted.actor.user_id}"
    signature = hmac.new(granted.actor.client.encode(), (identity + issued).encode(), hashlib.sha256).digest()
    data = {
        "access_token": org.new_token(granted.actor.client),
        "signature": base64.b64encode(signature).decode(),
        "scope": granted.scope,
        "instance_url": call.instance,
        "id": identity,
        "token_type": "Bearer",
        "issued_at": issued,
    }
    return Answer(data=data | ({"refresh_token": granted.refresh} if granted.refresh else {}))


def _form(call: Call) -> dict[str, str]:
    return dict(parse_qsl(call.body.decode("utf-8", "replace"))) | dict(call.query)


def _client(org: Org, call: Call, form: dict[str, str], *, public: bool = False) -> Actor:
    """Return the connected app's user; a `public` client may prove itself by other means than its secret."""
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
    if not (public and not secret) and not hmac.compare_digest(secret.encode(), wanted.encode()):
        raise _refuse("invalid_client", "invalid client credentials")
    return actor


def _client_credentials(org: Org, call: Call, form: dict[str, str]) -> Granted:
    return Granted(actor=_client(org, call, form))


def _password(org: Org, call: Call, form: dict[str, str]) -> Granted:
    actor = _client(org, call, form)
    if org.by_password(form.get("username", ""), form.get("password", "")) is not actor:
        raise _refuse("invalid_grant", "authentication failure")
    return Granted(actor=actor)


def authorize(org: Org, call: Call) -> Answer:
    """Answer ``/services/oauth2/authorize``: the app's user agrees at once, and the browser is sent back with a code."""
    form = _form(call)
    actor = org.actors.get(form.get("client_id", ""))
    back = form.get("redirect_uri", "")
    if actor is None:
        raise _refuse("invalid_client_id", "client identifier invalid")
    if form.get("response_type") != "code":
        raise _refuse("unsupported_response_type", "response type not supported")
    if "://" not in back:
        raise _refuse("redirect_uri_missing", "redirect_uri not provided")
    code = "aPrx" + secrets.token_urlsafe(40)
    org.codes = {c: kept for c, kept in org.codes.items() if kept["until"] > time.time()}
    org.codes[code] = {
        "client": actor.client,
        "redirect_uri": back,
        "scope": form.get("scope", "api"),
        "challenge": form.get("code_challenge", ""),
        "until": time.time() + _CODE_SECONDS,
    }
    answer = {"code": code} | ({"state": form["state"]} if "state" in form else {})
    return Answer(302, headers={"Location": back + ("&" if "?" in back else "?") + urlencode(answer)})


def _authorization_code(org: Org, call: Call, form: dict[str, str]) -> Granted:
    kept = org.codes.pop(form.get("code", ""), None)
    if kept is None or kept["until"] <= time.time():
        raise _refuse("invalid_grant", "expired authorization code" if kept else "invalid authorization code")
    verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
    proven = base64.urlsafe_b64encode(verifier).decode().rstrip("=")
    if kept["challenge"] and not hmac.compare_digest(proven, kept["challenge"]):
        raise _refuse("invalid_grant", "invalid code verifier")
    actor = _client(org, call, form, public=bool(kept["challenge"]))
    if actor.client != kept["client"]:
        raise _refuse("invalid_grant", "invalid authorization code")
    if form.get("redirect_uri") != kept["redirect_uri"]:
        raise _refuse("redirect_uri_mismatch", "redirect_uri must match configuration")
    lasting = {"refresh_token", "offline_access", "full"} & set(kept["scope"].split())
    refresh = org.new_refresh_token(actor.client) if lasting else None
    return Granted(actor=actor, refresh=refresh, scope=kept["scope"])


def _refresh_token(org: Org, call: Call, form: dict[str, str]) -> Granted:
    actor = _client(org, call, form, public=True)
    if org.refreshed(form.get("refresh_token", "")) is not actor:
        raise _refuse("invalid_grant", "expired access/refresh token")
    return Granted(actor=actor, scope="refresh_token api")


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


def _jwt_bearer(org: Org, call: Call, form: dict[str, str]) -> Granted:
    parts = form.get("assertion", "").split(".")
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
    if not {*([audience] if isinstance(audience, str) else audience or [])} & {*LOGIN_HOSTS, call.origin}:
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
    return Granted(actor=actor)


_GRANTS: dict[str, Callable[[Org, Call, dict[str, str]], Granted]] = {
    "client_credentials": _client_credentials,
    "urn:ietf:params:oauth:grant-type:jwt-bearer": _jwt_bearer,
    "authorization_code": _authorization_code,
    "refresh_token": _refresh_token,
    "password": _password,
}


def revoke(org: Org, call: Call) -> Answer:
    """Answer ``/services/oauth2/revoke``, for access and refresh tokens."""
    org.revoke(_form(call).get("token", "-"))
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
