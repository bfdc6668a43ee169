"""Salesforce's REST interface: session, version, time-outs, one new login after a 401, errors typed by recovery."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential, wait_random

from accord.errors import AccordError, BadCredentials, InDoubt, LimitReached, SchemaDrift, Unavailable
from accord.systems.salesforce.auth import Login, log_in
from accord.systems.salesforce.failures import DRIFT, LIMITS, Refused, faults_in
from accord.systems.salesforce.options import PERMISSION_CURE, Options
from accord.systems.salesforce.transport import Bearer, exchange

PREFERRED_VERSION = 64.0
CLIENT = "accord"  # change events carry it as their origin, so that what we wrote is recognized
LONGEST_URL = 12_000  # bytes; Salesforce refuses a URI above 16,384 with 414

_LAST_OF_SECOND = timedelta(microseconds=999_999)
_USAGE = re.compile(r"api-usage=(\d+)/(\d+)")


class Client:
    """A session with one org, opened at first use. Usable from several threads."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.usage: tuple[int, int] | None = None  # (used, allowed) requests of the day, as last told
        self._lock = threading.Lock()
        self._session: requests.Session | None = None
        self._login: Login | None = None
        self._version = options.api_version

    def close(self) -> None:
        """Let go of connections; the next use opens new ones."""
        with self._lock:
            if self._session:
                self._session.close()
            self._session = self._login = None

    # ------------------------------------------------------------------------------------------------- requests
    def read(self, method: str, path: str, **arguments: Any) -> requests.Response:
        """A request that changes no record, tried again with back-off while Salesforce is unavailable.

        `path` is below `/services/data/vXX.X`, or absolute when it starts with `/services/`. Raises Unavailable,
        BadCredentials, SchemaDrift (a field or object is missing or not permitted) or Refused.
        """
        pause = self.options.retry_wait
        attempts = Retrying(
            stop=stop_after_attempt(self.options.read_attempts),
            wait=wait_exponential(multiplier=pause, max=30) + wait_random(0, pause),
            retry=retry_if_exception(lambda e: isinstance(e, Unavailable) and not isinstance(e, LimitReached)),
            reraise=True,
        )
        return attempts(self._request, method, path, changes=False, **arguments)

    def change(self, method: str, path: str, *, before: Callable[[], None], **arguments: Any) -> requests.Response:
        """A request that may change records, sent once; `before` is called first.

        Raises like `read`, and InDoubt when it was sent and no answer came.
        """
        self.login()  # so that nothing but the request itself is left to fail after `before`
        _ = self.version
        before()
        return self._request(method, path, changes=True, **arguments)

    def json(self, path: str, **arguments: Any) -> Any:
        """The body of a GET; numbers with a point come as Decimal."""
        return self.read("GET", path, **arguments).json(parse_float=Decimal)

    def login(self) -> Login:
        """The open session, opened now if there is none."""
        with self._lock:
            if self._login is None:
                self._login = log_in(self.options, self._http())
            return self._login

    @property
    def version(self) -> str:
        """The API version in use: the connection's, or the newest the org offers up to PREFERRED_VERSION."""
        if not self._version:
            offered = [float(entry["version"]) for entry in self.json("/services/data")]
            self._version = f"v{max((v for v in offered if v <= PREFERRED_VERSION), default=PREFERRED_VERSION):.1f}"
        return self._version

    # --------------------------------------------------------------------------------------------------- inside
    def _http(self) -> requests.Session:
        if self._session is None:
            self._session = requests.Session()
            self._session.trust_env = not self.options.local  # a proxy has no business there
            self._session.headers["Sforce-Call-Options"] = f"client={CLIENT}"
        return self._session

    def _request(self, method: str, path: str, *, changes: bool, **arguments: Any) -> requests.Response:
        login = self.login()
        response = self._send(login, method, path, changes=changes, **arguments)
        if response.status_code == requests.codes.unauthorized:
            # an expired session is refused before anything is done, so the same request may go again
            response = self._send(self._renew(login), method, path, changes=changes, **arguments)
            if response.status_code == requests.codes.unauthorized:
                raise BadCredentials("Salesforce refused a new session.", cure="Check the integration user's access.")
        if told := _USAGE.search(response.headers.get("Sforce-Limit-Info", "")):
            self.usage = (int(told[1]), int(told[2]))
        if response.status_code >= requests.codes.multiple_choices:
            raise _typed(response, changes=changes)
        return response

    def _send(self, login: Login, method: str, path: str, *, changes: bool, **arguments: Any) -> requests.Response:
        place = path if path.startswith("/services/") else f"/services/data/{self.version}{path}"
        with self._lock:
            session = self._http()
        return exchange(
            session,
            method,
            f"{login.instance_url}{place}",
            timeout=self.options.request_timeout,
            verify=self.options.verify,
            changes=changes,
            auth=Bearer(login.token),
            **arguments,
        )

    def _renew(self, used: Login) -> Login:
        with self._lock:
            if self._login is used or self._login is None:  # else another thread was quicker
                if not used.renewable:
                    raise BadCredentials(
                        f"The session given by the connection {self.options.id} has expired.",
                        cure="Give the connection consumer_key and consumer_secret, so that Accord can log in itself.",
                    )
                self._login = log_in(self.options, self._http())
            return self._login


def told_at(response: requests.Response) -> datetime:
    """When the server was asked, by its clock: its Date header, which has whole seconds; where in that second, by the local clock,
    so that of two readings within one second the later is the later. The local clock alone where it tells no date."""
    asked = datetime.now(UTC) - response.elapsed
    try:
        second = parsedate_to_datetime(response.headers["Date"]).astimezone(UTC)
    except (KeyError, TypeError, ValueError):
        return asked
    return max(second, min(asked, second + _LAST_OF_SECOND))


def _typed(response: requests.Response, *, changes: bool) -> AccordError:
    try:
        faults = faults_in(response.json())
    except ValueError:
        faults = ()
    codes = frozenset(fault.code for fault in faults)
    words = ", ".join(sorted(codes)) or f"HTTP {response.status_code}"
    status = response.status_code
    logging.getLogger("accord.salesforce").info("Salesforce answered %s (%s).", status, words)
    if codes & LIMITS or status == requests.codes.too_many_requests:
        return LimitReached(
            f"The org's requests are used up ({words}).", cure="Wait for the limit to roll over, or raise it."
        )
    if status == requests.codes.service_unavailable:
        return Unavailable(f"Salesforce is unavailable ({words}).", cure="It is tried again.")
    if status >= requests.codes.internal_server_error:
        if changes:
            return InDoubt(f"Salesforce failed while changing records ({words}).", cure="It is read back first.")
        return Unavailable(f"Salesforce failed ({words}).", cure="It is tried again.")
    if codes & DRIFT:
        named = sorted({name for fault in faults for name in (*fault.fields, *_named(fault.message))})
        return SchemaDrift(
            f"Salesforce does not show or allow {', '.join(named) or 'a field or object'} ({words}).",
            cure=PERMISSION_CURE,
        )
    return Refused(f"Salesforce refused the request ({words}).", faults=faults, status=status)


def _named(message: str) -> list[str]:
    """What "No such column 'X' on entity 'Y'" and "sObject type 'Y' is not supported" are about."""
    columns = [f"{entity}.{column}" for column, entity in re.findall(r"column '([\w.]+)' on entity '(\w+)'", message)]
    return columns or re.findall(r"(?:entity|type) '(\w+)'", message)
