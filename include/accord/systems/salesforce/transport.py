"""One HTTP exchange, and what it means when there is no answer."""

from __future__ import annotations

import logging
import time
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase

from accord.errors import InDoubt, Unavailable

log = logging.getLogger("accord.salesforce")


class Bearer(AuthBase):
    """The session's token. Given as auth, so that a .netrc of the machine can't replace it."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def exchange(
    session: requests.Session,
    method: str,
    url: str,
    *,
    timeout: float,
    verify: bool | str,
    changes: bool,
    **arguments: Any,
) -> requests.Response:
    """Send one request and return the answer, whatever its status. `changes`: it may change the org.

    Raises Unavailable when nothing was sent (or nothing could have changed), InDoubt when a change was sent and no
    answer came. Logs method, path and time, never a query or a body.
    """
    place = urlsplit(url)
    started = time.monotonic()
    try:
        # verify is given per request: as a setting of the session REQUESTS_CA_BUNDLE would override it
        response = session.request(method, url, timeout=timeout, verify=verify, allow_redirects=False, **arguments)
    except requests.exceptions.SSLError:
        raise Unavailable(
            f"The certificate of {place.hostname} is not trusted.",
            cure="Give the connection's extra `verify` the path of the CA bundle to trust.",
        ) from None
    except (requests.exceptions.ConnectTimeout, requests.exceptions.ProxyError):
        raise _unreachable(place.netloc) from None
    except requests.exceptions.ConnectionError as error:
        if _never_sent(error) or not changes:
            raise _unreachable(place.netloc) from None
        raise _no_answer(place.netloc) from None
    except (requests.exceptions.Timeout, requests.exceptions.ChunkedEncodingError):
        if changes:
            raise _no_answer(place.netloc) from None
        raise Unavailable(f"Salesforce at {place.netloc} did not answer in time.", cure="It is tried again.") from None
    log.debug("%s %s → %s in %.3f s", method, place.path, response.status_code, time.monotonic() - started)
    return response


def _never_sent(error: requests.exceptions.ConnectionError) -> bool:
    """Whether the connection was never made (urllib3 says so by the kind of the innermost reason)."""
    from urllib3.exceptions import MaxRetryError, NewConnectionError

    reason = error.args[0] if error.args else None
    if isinstance(reason, MaxRetryError):
        reason = reason.reason
    return isinstance(reason, NewConnectionError)


def _unreachable(where: str) -> Unavailable:
    return Unavailable(f"Salesforce at {where} can't be reached.", cure="Check the connection's URL and the network.")


def _no_answer(where: str) -> InDoubt:
    return InDoubt(
        f"Salesforce at {where} took a change and did not answer.", cure="It is read back before anything else."
    )
