"""A session on one Tryton database: login at first use, errors named by what to do.

Refused               the server understood the call and refused it: nothing was kept
├── Conflict          somebody changed the same records; the same call may pass later
│   └── Crowded       somebody holds the same tables: nothing is wrong with any record of the call
└── (others)          told apart by `kind` and `text`, which may quote record values: never log them
Unavailable, InDoubt, BadCredentials, SchemaDrift, Stop    as in accord.errors
"""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from accord.errors import AccordError, BadCredentials, InDoubt, SchemaDrift, Stop, Unavailable
from accord.settings import LOOPBACK, Connection
from accord.systems.tryton.wire import decoded, encoded

# Tryton hands PostgreSQL's words on (55P03, 40P01, 40001) with status 503, after it rolled back and tried again itself
_LOCKED = re.compile("could not obtain lock on row")
_CROWDED = re.compile("could not obtain lock on relation|deadlock detected|could not serialize")
_SKEW = timedelta(seconds=2)  # the Date header has whole seconds


class Refused(AccordError):
    """The server refused a call. `kind` is its error class (UserError, UserWarning …), `text` its words."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(f"Tryton refused the call ({kind}).", cure="See the exception's category.")
        self.kind, self.text = kind, text


class Conflict(Refused):
    """Records were changed meanwhile (ConcurrencyException)."""


class Crowded(Conflict):
    """Other work holds tables the call needs, or was chosen over it by PostgreSQL (DatabaseOperationalError)."""


class TrytonClient:
    """One user's session, used by one thread at a time.

    Connection: type http; `schema` http or https, host, port, login, password; `extra`: `database` (required),
    `request_timeout_s` (60) for one call, `longest_request_s` (twice that): a call given up may take effect until then,
    `verify` (path of a CA bundle).
    """

    def __init__(self, connection: Connection) -> None:
        self._where = connection
        self._http: requests.Session | None = None
        self.timeout = float(connection.extra.get("request_timeout_s", 60))
        self.longest = timedelta(seconds=float(connection.extra.get("longest_request_s", 2 * self.timeout)))
        self.context: dict[str, Any] = {}
        self.clock = datetime.now(UTC)  # the server's, at its last answer

    def call(self, method: str, *parameters: Any, context: dict[str, Any] | None = None) -> Any:
        """Call `model.<name>.<method>` with the session's context extended by `context`.

        A session that has ended is opened again, once: the server had not executed the call. Raises Refused, Conflict, Crowded,
        Unavailable (nothing was sent), InDoubt (no answer), BadCredentials, SchemaDrift, Stop.
        """
        for fresh in (self._http is None, True):
            http = self._session()
            body = encoded({"id": 0, "method": method, "params": [*parameters, self.context | (context or {})]})
            answer = self._post(http, body)
            if answer.status_code not in (401, 403):
                return self._result(answer, method)
            self.close()  # 401: the session has ended; 403: it has too in older releases
            if fresh:
                break
        if answer.status_code == requests.codes.unauthorized:
            raise BadCredentials(
                f"Tryton ended the session of connection {self._where.id} at once.", cure="Check its user."
            )
        raise SchemaDrift(
            f"Tryton does not offer {method} to the integration user.", cure="Install the module it needs."
        )

    def close(self) -> None:
        """Forget the session; the next call opens another."""
        if self._http is not None:
            self._http.close()
            self._http = None

    def _session(self) -> requests.Session:
        if self._http is not None:
            return self._http
        http = requests.Session()
        http.trust_env = self._where.host not in LOOPBACK  # a proxy has no business there
        http.headers["Content-Type"] = "application/json"
        http.verify = self._where.extra.get("verify", True)
        user = self._where.login
        body = {"id": 0, "method": "common.db.login", "params": [user, {"password": self._where.password}, "en"]}
        answer = self._post(http, encoded(body))
        if answer.status_code in (401, 403):
            raise BadCredentials(
                f"Tryton refused the login of connection {self._where.id}.", cure="Correct its login and password."
            )
        if answer.status_code == requests.codes.too_many_requests:
            raise Unavailable(
                "Tryton locks the login after too many failed ones.", cure="Wait five minutes and correct the password."
            )
        found = self._result(answer, "common.db.login")
        if not found:
            raise BadCredentials(
                f"Tryton refused the login of connection {self._where.id}.", cure="Correct its login and password."
            )
        credentials = base64.b64encode(f"{user}:{found[0]}:{found[1]}".encode()).decode()
        http.headers["Authorization"] = f"Session {credentials}"
        asked = {"id": 0, "method": "model.res.user.get_preferences", "params": [True, {}]}
        # the session speaks English whatever the user prefers: refusals are told apart by their words
        self.context = self._result(self._post(http, encoded(asked)), "get_preferences") | {"language": "en"}
        self._http = http
        return http

    def _post(self, http: requests.Session, body: bytes) -> requests.Response:
        scheme = self._where.schema or "http"
        database = self._where.extra.get("database", "")
        address = f"{scheme}://{self._where.host}:{self._where.port or 8000}/{database}/rpc/"
        try:
            answer = http.post(address, data=body, timeout=(10, self.timeout), allow_redirects=False)
        except (requests.ConnectionError, requests.Timeout) as error:
            self.close()
            if _never_sent(error):
                raise Unavailable(
                    f"Tryton at {self._where.host}:{self._where.port} does not answer.",
                    cure="Start it, or correct the connection.",
                ) from None
            raise InDoubt("Tryton took the call and gave no answer.", cure="What was sent is read back.") from None
        self._read_clock(answer)
        return answer

    def _result(self, answer: requests.Response, method: str) -> Any:
        if answer.status_code == requests.codes.not_found:
            raise Stop(f"Tryton has no database {self._where.extra.get('database')!r}.", cure="Correct extra.database.")
        if answer.status_code == requests.codes.service_unavailable:
            if _CROWDED.search(answer.text):
                raise Crowded("DatabaseOperationalError", "Somebody else works on the same tables.")
            if _LOCKED.search(answer.text):
                raise Conflict("DatabaseOperationalError", "Somebody else works on the same records.")
        if answer.status_code in (429, 503):
            raise Unavailable(f"Tryton is too busy ({answer.status_code}).", cure="It is tried again.")
        if answer.status_code >= 500:
            raise InDoubt(f"Tryton failed ({answer.status_code}) at {method}.", cure="Look into its log.")
        if answer.status_code != requests.codes.ok:
            raise Stop(
                f"Tryton answered {answer.status_code} to {method}.", cure="Is the connection's address Tryton's?"
            )
        try:
            body = decoded(answer.content)
        except ValueError:
            raise Stop(f"What answered {method} is not Tryton.", cure="Correct host and port.") from None
        if body.get("error"):
            raise _refusal(body["error"])
        return body["result"]

    def _read_clock(self, answer: requests.Response) -> None:
        now = datetime.now(UTC)
        try:
            server = parsedate_to_datetime(answer.headers["Date"]).astimezone(UTC)
        except (KeyError, ValueError, TypeError):
            server = now
        self.clock = now if abs(now - server) < _SKEW else server


def _never_sent(error: requests.RequestException) -> bool:
    """Whether the connection was not even made."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)
    return isinstance(reason, NewConnectionError | ConnectTimeoutError)


def _refusal(error: list[Any]) -> AccordError:
    kind, detail = str(error[0]), error[1] if len(error) > 1 else ""
    text = str(detail[0]) if isinstance(detail, list) and detail else str(detail)
    if kind == "ConcurrencyException":
        return Conflict(kind, text)
    if kind in ("LoginException", "LoginError"):
        return BadCredentials("Tryton asks for another login.", cure="Give the integration user a password login.")
    if kind.startswith("'") and kind.endswith("'"):  # a bare KeyError: no such field or model
        return SchemaDrift(f"Tryton has no field or model {kind}.", cure="Install the module it belongs to.")
    return Refused(kind, text)
