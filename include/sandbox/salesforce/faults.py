"""Misbehaviour on demand: rules that make matching requests, records or jobs go wrong in Salesforce's own ways."""

import itertools
import random
import re
import threading
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from sandbox.salesforce.errors import ApiError, RowError


class Kind(StrEnum):
    """What goes wrong."""

    LATENCY = "latency"  # value: seconds
    UNAVAILABLE = "unavailable"  # 503 SERVER_UNAVAILABLE
    SERVER_ERROR = "server_error"  # 500 UNKNOWN_EXCEPTION
    TOO_MANY_REQUESTS = "too_many_requests"  # 429
    BAD_GATEWAY = "bad_gateway"  # 502, with a page instead of JSON
    SESSION_EXPIRED = "session_expired"  # 401 INVALID_SESSION_ID
    LIMIT_EXCEEDED = "limit_exceeded"  # 403 REQUEST_LIMIT_EXCEEDED
    DROP_BEFORE = "drop_before"  # connection closed, nothing done
    DROP_AFTER = "drop_after"  # done and committed, connection closed without an answer
    TRUNCATE = "truncate"  # value: bytes of the body sent before the connection closes
    LOCK_ROWS = "lock_rows"  # every nth record (value, default 1): UNABLE_TO_LOCK_ROW
    FAIL_ROWS = "fail_rows"  # value: {"every": n, "code": ..., "message": ...}
    LATE_COMMIT = "late_commit"  # value: seconds by which SystemModstamp lies before the commit
    JOB_FAILED = "job_failed"  # value: {"after": rows, "message": ...}
    JOB_STALL = "job_stall"  # the job stays InProgress while the rule exists
    SHUFFLE_RESULTS = "shuffle_results"  # result files in another order than the upload


BEFORE = (
    Kind.UNAVAILABLE,
    Kind.SERVER_ERROR,
    Kind.TOO_MANY_REQUESTS,
    Kind.BAD_GATEWAY,
    Kind.SESSION_EXPIRED,
    Kind.LIMIT_EXCEEDED,
)
_ANSWERS = {
    Kind.UNAVAILABLE: (503, "SERVER_UNAVAILABLE", "The server is unavailable, please try again later"),
    Kind.SERVER_ERROR: (500, "UNKNOWN_EXCEPTION", "An unexpected error occurred"),
    Kind.TOO_MANY_REQUESTS: (429, "TOO_MANY_REQUESTS", "Too many requests: try again later"),
    Kind.BAD_GATEWAY: (502, "BAD_GATEWAY", "Bad Gateway"),
    Kind.SESSION_EXPIRED: (401, "INVALID_SESSION_ID", "Session expired or invalid"),
    Kind.LIMIT_EXCEEDED: (403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
}

_PAGE = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


@dataclass(slots=True, kw_only=True)
class Rule:
    """One rule. It applies to the matches after the first `after`, at most `times` of them (None: all).

    With a `share` below 1 it applies to about so many of them: which, the `seed` says, the same every time.

    `method` and `path` are regular expressions, matched from the start of the request's; jobs being processed match
    with method ``JOB`` and path ``/jobs/ingest/<object>/<operation>`` (or ``/jobs/query/<object>/<operation>``).
    """

    id: int
    kind: Kind
    method: str = ".*"
    path: str = ".*"
    times: int | None = None
    after: int = 0
    share: float = 1.0
    seed: int = 0
    value: Any = None
    seen: int = field(default=0)
    applied: int = field(default=0)


class Faults:
    """The rules in force."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def add(self, given: dict[str, Any]) -> dict[str, Any]:
        """Add a rule from its JSON form and return it with its id.

        Raises:
            ApiError: The rule makes no sense; the message says what is allowed.
        """
        match = given.get("match", given)
        try:
            rule = Rule(
                id=next(self._numbers),
                kind=Kind(str(given.get("kind"))),
                method=match.get("method") or ".*",
                path=match.get("path") or ".*",
                times=given.get("times"),
                after=int(given.get("after") or 0),
                share=float(given.get("share", 1.0)),
                seed=int(given.get("seed") or 0),
                value=given.get("value"),
            )
            re.compile(rule.method), re.compile(rule.path)
        except (ValueError, TypeError, re.error, AttributeError) as error:
            kinds = ", ".join(kind.value for kind in Kind)
            raise ApiError(
                400,
                "INVALID_FAULT",
                f"{error}. kind is one of {kinds}; match holds the regular expressions method and path",
            ) from error
        with self._lock:
            self._rules.append(rule)
        return asdict(rule)

    def list(self) -> list[dict[str, Any]]:
        """Return all rules with their counters."""
        return [asdict(rule) for rule in self._rules]

    def remove(self, number: int | None = None) -> None:
        """Remove one rule, or all."""
        with self._lock:
            self._rules = [rule for rule in self._rules if number is not None and rule.id != number]

    def take(self, method: str, path: str, *kinds: Kind) -> Rule | None:
        """Return the first rule of these kinds that applies now, and count the match."""
        if not self._rules:
            return None
        with self._lock:
            for rule in self._rules:
                if rule.kind in kinds and re.match(rule.method, method) and re.match(rule.path, path):
                    rule.seen += 1
                    if rule.seen > rule.after and (rule.times is None or rule.applied < rule.times) and _drawn(rule):
                        rule.applied += 1
                        return rule
        return None


def _drawn(rule: Rule) -> bool:
    return rule.share >= 1 or random.Random(f"{rule.seed}:{rule.seen}").random() < rule.share  # noqa: S311 - dice


def answer(rule: Rule) -> ApiError:
    """Return the refusal a rule of the `BEFORE` kinds stands for."""
    return ApiError(*_ANSWERS[rule.kind], body=_PAGE if rule.kind is Kind.BAD_GATEWAY else None)


def row_error(rule: Rule | None, number: int) -> RowError | None:
    """Return what a row rule does to the record with this number (1-based) in its request or job."""
    if rule is None:
        return None
    if rule.kind is Kind.LOCK_ROWS:
        every = int(rule.value or 1)
        error = RowError("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record or 1 records")
    else:
        value: dict[str, Any] = rule.value if isinstance(rule.value, dict) else {"every": rule.value or 1}
        every = int(value.get("every") or 1)
        error = RowError(
            value.get("code", "FIELD_CUSTOM_VALIDATION_EXCEPTION"), value.get("message", "Refused on demand")
        )
    return error if number % every == 0 else None
