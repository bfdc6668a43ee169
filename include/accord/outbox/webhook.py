"""One webhook: a signed request, and what the answer means."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import requests

from accord.outbox import signing
from accord.outbox.subscribers import Subscriber

ONE, MANY = "application/cloudevents+json", "application/cloudevents-batch+json"
CONNECT_S = 5.0
_READ_ON = (
    4096  # bytes of an answer that are read, so that the connection can be used again; what they say is of no interest
)
_LONGEST_WAIT = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why events were not taken. `gone`: the receiver wants no more, ever; `wait`: it asked for so much time."""

    problem: str
    gone: bool = False
    wait: timedelta | None = None


class Webhook:
    """The connection to one subscriber."""

    def __init__(self, subscriber: Subscriber) -> None:
        self._to = subscriber
        self._session = requests.Session()
        # given as auth, so that a .netrc of the machine sends no password there
        self._session.auth = _as_it_is

    def close(self) -> None:
        """Let go of it."""
        self._session.close()

    def send(self, events: Sequence[Mapping[str, Any]]) -> Refusal | None:
        """Send `events` in one request; None when they were taken (any 2xx). Never raises for what the other side does.

        Certificates are verified, redirects not followed: a secret's signature goes to the declared address or nowhere.
        """
        content: Any = list(events) if self._to.batch else events[0]
        body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
        first, last = events[0]["id"], events[-1]["id"]
        message = f"{first}-{last}-{len(events)}" if self._to.batch else first
        headers = signing.headers(self._to.keys, message, int(time.time()), body)
        headers |= {"Content-Type": f"{MANY if self._to.batch else ONE}; charset=utf-8", "User-Agent": "accord"}
        try:
            with self._session.post(
                self._to.url,
                data=body,
                headers=headers,
                timeout=(CONNECT_S, self._to.timeout_s),
                allow_redirects=False,
                stream=True,
            ) as answer:
                refusal = _meaning(answer)
                if int(answer.headers.get("Content-Length") or _READ_ON + 1) <= _READ_ON:
                    _ = answer.content
                return refusal
        # in our words: those of the exceptions hold the address
        except requests.exceptions.SSLError:
            return Refusal(problem="its certificate is not trusted")
        except requests.exceptions.Timeout:
            return Refusal(problem=f"no answer within {self._to.timeout_s:g} s")
        except (requests.exceptions.RequestException, ValueError) as error:
            return Refusal(problem=f"no answer ({type(error).__name__})")


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _meaning(answer: requests.Response) -> Refusal | None:
    status = answer.status_code
    if 200 <= status < 300:
        return None
    if status == 410:
        return Refusal(problem="410 Gone: it wants no more events", gone=True)
    redirect = ": redirects are not followed" if 300 <= status < 400 else ""
    return Refusal(problem=f"answer {status}{redirect}", wait=retry_after(answer.headers.get("Retry-After")))


def retry_after(text: str | None) -> timedelta | None:
    """The wait a Retry-After header asks for, at most a day; None when it asks for none
    (https://www.rfc-editor.org/rfc/rfc9110#field.retry-after: seconds or a date)."""
    if not text:
        return None
    try:
        wait = timedelta(seconds=int(text)) if text.isdigit() else parsedate_to_datetime(text) - datetime.now(UTC)
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(wait, timedelta()), _LONGEST_WAIT)
