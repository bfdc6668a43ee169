"""Publishing: to every subscriber what is new for it, in order, each at its own pace.

The cursor moves after the receiver has confirmed, and only then: what dies in between is sent again with the same ids.
"""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from accord.categories import Category, remedy
from accord.errors import AccordError
from accord.hub.connection import Hub, Session
from accord.hub.exceptions import Raised, raise_exceptions
from accord.hub.subscriptions import Turn, certain, confirm, failed, release, take_turn
from accord.outbox.events import Wanted, cloud_event, read_events
from accord.outbox.subscribers import MOST_EVENTS, Subscriber
from accord.outbox.webhook import Refusal, Webhook
from accord.runtime import Accord

log = logging.getLogger(__name__)

FLOW, OBJECT = "outbox", "subscriber"  # what an exception about a subscriber says it is about
SECONDS = 45.0  # of one round: the next comes a minute later
NOTICE = 5  # failures in a row until somebody is told, once: about five minutes
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=15), timedelta(hours=1)
_PAGE = MOST_EVENTS  # read at once; a request never has more
_AT_ONCE = 8  # subscribers

_CLOSE = """
UPDATE exception SET state = 'closed', closed = now(), resolution = 'it takes events again'
WHERE object = %s AND key = %s AND state <> 'closed'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What one subscriber was sent in a round. `problem`: why it was not sent more; None when it has everything or waits its
    turn."""

    subscriber: str
    events: int
    problem: str | None = None


def publish(accord: Accord, *, seconds: float = SECONDS) -> list[Published]:
    """Send every subscriber what is new, for at most about `seconds`. One that fails holds up nobody else, and raises nothing."""
    if not accord.subscribers:
        return []
    until = certain(accord.hub)
    if until is None:
        log.info("events wait for a long write to end; the next round sends them")
        return []
    deadline = time.monotonic() + seconds
    declared = [(name, _declared(accord, name)) for name in accord.subscribers]
    with ThreadPoolExecutor(max_workers=min(_AT_ONCE, len(declared))) as together:
        return list(together.map(lambda one: _publish_to(accord.hub, one[0], one[1], until, deadline), declared))


def _declared(accord: Accord, name: str) -> Subscriber | Refusal:
    try:
        return accord.subscriber(name)
    except AccordError as error:
        return Refusal(problem=str(error))


def _publish_to(hub: Hub, name: str, to: Subscriber | Refusal, until: int, deadline: float) -> Published:
    turn = take_turn(hub, name, until)
    if turn is None:
        return Published(subscriber=name, events=0)
    if isinstance(to, Refusal):
        with hub.statements() as session:
            return _not_taken(session, turn, to, 0)
    webhook = Webhook(to)
    try:
        with hub.statements() as session:
            return _Round(session, turn, to, webhook).send(until, deadline)
    finally:
        webhook.close()


class _Round:
    """One subscriber's turn."""

    def __init__(self, session: Session, turn: Turn, to: Subscriber, webhook: Webhook) -> None:
        self._session, self._turn, self._to, self._webhook = session, turn, to, webhook
        self._after, self._sequence, self._begun = turn.position, turn.sequence, turn.sequence

    def send(self, until: int, deadline: float) -> Published:
        """Send page by page, confirm request by request."""
        while self._after < until:
            rows = self._page(until)
            for start in range(0, len(rows), self._size):
                if time.monotonic() >= deadline:
                    return self._end()
                part = rows[start : start + self._size]
                refusal = self._webhook.send(
                    [cloud_event(row, self._sequence + n) for n, row in enumerate(part, start=1)]
                )
                if refusal:
                    return _not_taken(self._session, self._turn, refusal, self._sequence - self._begun)
                if not self._confirm(int(part[-1]["position"]), len(part)):
                    return self._end("another publisher took over")
            if len(rows) < _PAGE and not self._confirm(until, 0):  # what lies behind the last one is not for it
                return self._end("another publisher took over")
        return self._end()

    @property
    def _size(self) -> int:
        return self._to.batch or 1

    def _page(self, until: int) -> list[dict[str, Any]]:
        wanted = Wanted(objects=self._to.objects, types=self._to.types, after=self._after, until=until)
        return read_events(self._session, wanted, _PAGE)

    def _confirm(self, position: int, events: int) -> bool:
        with self._session.transaction():
            mine = confirm(self._session, self._turn, position=position, events=events)
            if mine and self._turn.failures:
                self._session.execute(_CLOSE, (OBJECT, self._turn.name))
        self._turn = replace(self._turn, failures=0)
        self._after, self._sequence = position, self._sequence + events
        return mine

    def _end(self, problem: str | None = None) -> Published:
        release(self._session, self._turn)
        events = self._sequence - self._begun
        if events:
            log.info("%s: %d event(s), up to position %d", self._turn.name, events, self._after)
        return Published(subscriber=self._turn.name, events=events, problem=problem)


def _not_taken(session: Session, turn: Turn, refusal: Refusal, events: int) -> Published:
    """Keep why, and tell somebody once when it goes on; the events wait."""
    failures = turn.failures + 1  # in a row
    wait = refusal.wait if refusal.wait is not None else min(_FIRST_WAIT * 2 ** min(failures - 1, 20), _LONGEST_WAIT)
    with session.transaction():
        failed(session, turn, refusal.problem, wait=wait, gone=refusal.gone)
        if refusal.gone or failures >= NOTICE:
            _tell(session, turn.name, refusal)
    log.warning("%s does not take events: %s; failure %d in a row", turn.name, refusal.problem, failures)
    return Published(subscriber=turn.name, events=events, problem=refusal.problem)


def _tell(session: Session, name: str, refusal: Refusal) -> None:
    category = Category.SUBSCRIBER
    message = f"Subscriber {name} does not take events ({refusal.problem})."
    raised = Raised(kind="parked", key=name, category=category, message=f"{message} {remedy(category, '')}")
    raise_exceptions(session, FLOW, OBJECT, None, [raised])
