"""A small JSON-RPC client for the sandbox's own use: finance's work, passwords, tests. Accord has its own adapter."""

from __future__ import annotations

import base64
import datetime as dt
import json
from copy import copy
from decimal import Decimal
from typing import Any

import requests

_MOMENT = ("year", "month", "day", "hour", "minute", "second", "microsecond")


class TrytonError(Exception):
    """The server refused a call; ``kind`` is Tryton's error class, e.g. ``UserError``."""

    def __init__(self, kind: str, detail: object) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind
        self.detail = detail


class Client:
    """One user's session on one Tryton database.

    Args:
        url: the server, e.g. ``http://127.0.0.1:18000``.
        database: the database's name.
        timeout: seconds one call may take.
    """

    def __init__(self, url: str, database: str, *, timeout: float = 300.0) -> None:
        self._address = f"{url.rstrip('/')}/{database}/rpc/"
        self._http = requests.Session()
        self._http.trust_env = False  # a proxy from the environment has no business on the loopback address
        self._timeout = timeout
        self._who: tuple[str, str] | None = None
        self.context: dict[str, Any] = {}

    def login(self, user: str, password: str) -> None:
        """Open a session and take over the user's preferences (company, language) as the context of every call.

        Raises:
            TrytonError: wrong user or password (``LoginException``, or HTTP 401).
        """
        self._who = None
        self._authenticate(user, password)
        self.context = self._post("model.res.user.get_preferences", [True, {}])
        self._who = (user, password)

    def within(self, **context: Any) -> Client:
        """The same session, whose calls have more context."""
        narrower = copy(self)
        narrower.context = self.context | context
        return narrower

    def call(self, method: str, *params: Any, context: dict[str, Any] | None = None) -> Any:
        """Call ``model.<name>.<method>`` with the session's context, extended by ``context``; one that has ended is opened again, once.

        Raises:
            TrytonError: the server refused.
            requests.RequestException: it could not be reached.
        """
        given = [*params, self.context | (context or {})]
        answer = self._asked(method, given)
        if answer.status_code == requests.codes.unauthorized and self._who:
            self._authenticate(*self._who)
            answer = self._asked(method, given)
        return self._result(answer)

    def _authenticate(self, user: str, password: str) -> None:
        self._http.headers.pop("Authorization", None)
        uid, token = self._post("common.db.login", [user, {"password": password}, "en"])[:2]
        credentials = base64.b64encode(f"{user}:{uid}:{token}".encode()).decode()
        self._http.headers["Authorization"] = f"Session {credentials}"

    def _post(self, method: str, params: list[Any]) -> Any:
        return self._result(self._asked(method, params))

    def _asked(self, method: str, params: list[Any]) -> requests.Response:
        body = json.dumps({"id": 0, "method": method, "params": params}, default=_encode)
        return self._http.post(
            self._address, data=body, headers={"Content-Type": "application/json"}, timeout=self._timeout
        )

    def _result(self, answer: requests.Response) -> Any:
        if answer.status_code != requests.codes.ok:
            raise TrytonError(f"HTTP {answer.status_code}", answer.text[:200])
        content = json.loads(answer.text, object_hook=_decode)
        if content.get("error"):
            kind, *detail = content["error"]
            raise TrytonError(str(kind), detail[0] if len(detail) == 1 else detail)
        return content["result"]


def _encode(value: object) -> dict[str, Any]:
    if isinstance(value, Decimal):
        return {"__class__": "Decimal", "decimal": str(value)}
    if isinstance(value, dt.datetime):
        moment = value.astimezone(dt.UTC) if value.tzinfo else value
        return {"__class__": "datetime"} | {part: getattr(moment, part) for part in _MOMENT}
    if isinstance(value, dt.date):
        return {"__class__": "date", "year": value.year, "month": value.month, "day": value.day}
    if isinstance(value, dt.timedelta):
        return {"__class__": "timedelta", "seconds": value.total_seconds()}
    raise TypeError(f"{type(value).__name__} can't travel over JSON-RPC")


def _decode(value: dict[str, Any]) -> Any:
    match value.get("__class__"):
        case "Decimal":
            return Decimal(value["decimal"])
        case "date":
            return dt.date(value["year"], value["month"], value["day"])
        case "datetime":
            return dt.datetime(tzinfo=dt.UTC, **{part: value[part] for part in _MOMENT})
        case "timedelta":
            return dt.timedelta(seconds=value["seconds"])
        case "bytes":
            return base64.b64decode(value["base64"])
    return value
