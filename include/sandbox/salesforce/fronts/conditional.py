"""Conditional requests for single records: ``If-Modified-Since`` and the rest.

Source: REST API Developer Guide, "Conditional Request Headers": entity tags for accounts only; DELETE is not supported; a
value that can't be read is ignored by GET and refused (400) by PATCH.
"""

import hashlib
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.fronts.messages import Call

_TAGGED = "Account"


class NotModified(ApiError):
    """The client has the record as it is: 304, without a body."""


def tag(name: str, record: dict[str, Any]) -> dict[str, str]:
    """Return the headers that go out with a stored record: its entity tag, where the object has them, and its instant."""
    changed = datetime.fromisoformat(record["LastModifiedDate"])
    headers = {"Last-Modified": format_datetime(changed, usegmt=True)}
    if name == _TAGGED:
        stamp = f"{record['Id']} {record['SystemModstamp']}"
        headers["ETag"] = f'"{hashlib.sha256(stamp.encode()).hexdigest()[:28]}--gzip"'
    return headers


def check(call: Call, name: str, record: dict[str, Any]) -> dict[str, str]:
    """Hold a stored record against the request's conditions; return the headers that go out with it.

    Raises:
        NotModified: 304, a GET for what the client has.
        ApiError: 412, a condition does not hold; 400, it can't be read.
    """
    headers = tag(name, record)
    changed = datetime.fromisoformat(record["LastModifiedDate"]).replace(microsecond=0)
    reading = call.method == "GET"
    own = headers.get("ETag")
    if own and (wanted := _tags(call, "if-match")) and own not in wanted:
        raise _failed()
    if own and own in _tags(call, "if-none-match"):
        raise NotModified(304, "NOT_MODIFIED", "", headers=headers, body=b"") if reading else _failed()
    since = _instant(call, "if-unmodified-since")
    if since is not None and changed > since:
        raise _failed()
    since = _instant(call, "if-modified-since")
    if reading and since is not None and changed <= since:
        raise NotModified(304, "NOT_MODIFIED", "", headers=headers, body=b"")
    return headers


def _failed() -> ApiError:
    return ApiError(412, "PRECONDITION_FAILED", "The specified precondition(s) were not met")


def _tags(call: Call, header: str) -> list[str]:
    tags = [part.strip() for part in call.headers.get(header, "").split(",") if part.strip()]
    if call.method != "GET" and not all(len(t) > 2 and t[0] == t[-1] == '"' for t in tags):
        raise ApiError(400, "INVALID_HEADER", f"{header}: entity tags are given in quotes")
    return tags


def _instant(call: Call, header: str) -> datetime | None:
    given = call.headers.get(header)
    if given is None:
        return None
    try:
        instant = parsedate_to_datetime(given)
    except ValueError:
        if call.method != "GET":
            raise ApiError(400, "INVALID_HEADER", f"{header}: {given} is no HTTP date") from None
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
