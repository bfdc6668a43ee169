"""Logging in: OAuth client credentials, OAuth JWT bearer, or a session somebody else opened.

Flows: Salesforce Help, "OAuth 2.0 Client Credentials Flow" and "OAuth 2.0 JWT Bearer Flow". The password grant is not
offered: Salesforce retires it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import requests

from accord.errors import BadCredentials, Unavailable
from accord.systems.salesforce.failures import faults_in
from accord.systems.salesforce.options import Options
from accord.systems.salesforce.transport import exchange

_JWT_LIFE = 180  # seconds; Salesforce refuses an assertion that lives longer
_PASSING = frozenset({"SERVER_UNAVAILABLE", "login_rate_exceeded", "temporarily_unavailable"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """An open session: its token and the org's own URL. `renewable`: a new one can be had without a person."""

    token: str = field(repr=False)
    instance_url: str
    renewable: bool


def log_in(options: Options, session: requests.Session) -> Login:
    """Open a session. Raises BadCredentials naming what to correct, Unavailable when the org can't be reached."""
    if options.session_id and options.instance_url:
        return Login(token=options.session_id, instance_url=options.instance_url, renewable=False)
    if not options.consumer_key or not (options.consumer_secret or options.private_key or options.private_key_file):
        raise BadCredentials(
            f"The connection {options.id} says no way to log in.",
            cure="Give its extra consumer_key with consumer_secret or private_key, or session_id with instance_url.",
        )
    form = _client_credentials(options) if options.consumer_secret else _jwt_bearer(options)
    response = exchange(
        session,
        "POST",
        f"{options.login_url}/services/oauth2/token",
        timeout=options.request_timeout,
        verify=options.verify,
        changes=False,
        data=form,
        auth=_no_netrc,
    )
    if response.status_code != requests.codes.ok:
        raise _refusal(options, response)
    try:
        body = response.json()
        return Login(token=body["access_token"], instance_url=body["instance_url"].rstrip("/"), renewable=True)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BadCredentials(
            f"{urlsplit(options.login_url).netloc} is not a Salesforce login.",
            cure=f"Set login_url of {options.id} to the org's My Domain URL.",
        ) from None


def _client_credentials(options: Options) -> dict[str, str]:
    return {
        "grant_type": "client_credentials",
        "client_id": options.consumer_key,
        "client_secret": options.consumer_secret,
    }


def _jwt_bearer(options: Options) -> dict[str, str]:
    import jwt

    if not options.user:
        raise BadCredentials(
            f"The connection {options.id} names no user for the JWT bearer flow.",
            cure="Set its login to the integration user's username.",
        )
    claims = {
        "iss": options.consumer_key,
        "sub": options.user,
        "aud": options.audience or _audience(options.login_url),
        "exp": int(time.time()) + _JWT_LIFE,
    }
    try:
        key = options.private_key or Path(options.private_key_file).read_text(encoding="utf-8")
        assertion = jwt.encode(claims, key, algorithm="RS256")
    except (OSError, ValueError, TypeError, jwt.PyJWTError):
        raise BadCredentials(
            f"The private key of {options.id} can't be read.",
            cure="Give private_key or private_key_file an RSA key in PEM.",
        ) from None
    return {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}


def _audience(login_url: str) -> str:
    host = urlsplit(login_url).hostname or ""
    sandbox = host.startswith("test.") or ".sandbox." in host
    return f"https://{'test' if sandbox else 'login'}.salesforce.com"


def _refusal(options: Options, response: requests.Response) -> BadCredentials | Unavailable:
    try:
        codes = [fault.code for fault in faults_in(response.json())]
    except ValueError:
        codes = []
    code = codes[0] if codes else f"HTTP {response.status_code}"
    if response.status_code >= requests.codes.internal_server_error or code in _PASSING:
        return Unavailable(f"Salesforce did not take the login ({code}).", cure="It is tried again.")
    cures = {
        "invalid_client_id": "Correct consumer_key.",
        "invalid_client": "Correct consumer_key and consumer_secret.",
        "unsupported_grant_type": "Enable the client credentials flow in the External Client App.",
        "invalid_grant": "Check the user, its permission to use the app, the certificate and the clock.",
        "inactive_user": "Activate the integration user.",
    }
    return BadCredentials(
        f"Salesforce refused the login of {options.id} ({code}).",
        cure=cures.get(code, "Check the connection's URL and keys."),
    )


def _no_netrc(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
