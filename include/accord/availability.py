"""Whether a system takes calls from a run: its breaker, its maintenance windows, what somebody said, its requests of the day.

A run *enters* a system for as long as it works with it (an extraction, a chunk); every call inside is *recorded*. Who is
not let in gets SystemShut at once and the system is not touched: what was to be read is read by a later run, what was to
be sent is parked, and what is only a matter of seconds is waited for.
"""

from __future__ import annotations

import itertools
import logging
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar

from accord.breaker import Failure, Refusal, Rules, failure_of
from accord.categories import Category
from accord.errors import AccordError, Shut, Stop, SystemShut
from accord.flows import FLOWS, Flow
from accord.hub import systems
from accord.hub.connection import Hub
from accord.hub.dispatches import TakenOver
from accord.hub.systems import SystemState
from accord.maintenance import Window, open_until, upcoming, windows_of
from accord.objects.definition import Priority
from accord.quota import STALE
from accord.settings import Connection

log = logging.getLogger(__name__)

T = TypeVar("T")

_ASK_AGAIN = timedelta(minutes=10)  # when what is kept back may be free again, nobody knows

CATEGORY = {
    Shut.OUTAGE: Category.OUTAGE,
    Shut.RECOVERING: Category.OUTAGE,
    Shut.MAINTENANCE: Category.MAINTENANCE,
    Shut.HELD: Category.MAINTENANCE,
    Shut.QUOTA: Category.QUOTA,
}


class Availability:
    """The systems' availability as one worker sees it.

    `usage_of` asks a system how many of its requests are used, at the price of one; it gives None where none are counted.
    """

    def __init__(
        self,
        *,
        hub: Callable[[], Hub],
        connection_of: Callable[[str], Connection],
        usage_of: Callable[[str], tuple[int, int] | None],
        rules: Rules,
    ) -> None:
        self._hub, self._connection_of, self._usage_of, self.rules = hub, connection_of, usage_of, rules
        self._me, self._numbers = uuid.uuid4().hex, itertools.count(1)
        self._inside: dict[str, str] = {}  # system → as whom we are in
        self._leaves: set[str] = set()  # whom the hub counts
        self._grown: set[str] = set()  # who has made room for one more
        self._windows: dict[str, tuple[Window, ...]] = {}
        self._usage: dict[str, tuple[int, int]] = {}  # as last told

    # ----------------------------------------------------------------------------------------------------- the door
    def shut(self, system: str, priority: Priority = Priority.CRITICAL) -> SystemShut | None:
        """Why a run of that priority would not be let in now; None when it would. Nothing is changed."""
        state = systems.state_of(self._hub(), system)
        if told := self._closed(state, priority):
            return told
        refusal = state.breaker.asked("nobody", state.now, self.rules)[1]
        return self._told(state, refusal) if refusal and refusal.why is Shut.OUTAGE else None

    def may_start(self, flow: Flow, priority: Priority) -> None:
        """Raise SystemShut when a run of `flow` could do nothing: its source, or every target, takes no calls."""
        if shut := self.shut(flow.source, priority):
            raise shut
        closed = [one for target in flow.targets if (one := self.shut(target, priority)) is not None]
        if closed and len(closed) == len(flow.targets):
            raise min(closed, key=lambda one: one.until)

    @contextmanager
    def entered(self, system: str, priority: Priority = Priority.CRITICAL) -> Iterator[None]:
        """Work with a system. Raises SystemShut when it takes no calls, or already as many as it can while it recovers."""
        state = systems.state_of(self._hub(), system)
        if told := self._closed(state, priority):
            raise told
        who = f"{self._me}/{next(self._numbers)}"
        if not state.breaker.calm:
            if refusal := systems.admit(self._hub(), system, who, self.rules):
                raise self._told(state, refusal)
            self._leaves.add(who)
        before = self._inside.get(system)
        self._inside[system] = who
        try:
            yield
        finally:
            if before is None:
                del self._inside[system]
            else:
                self._inside[system] = before
            if who in self._leaves:
                self._leaves.discard(who)
                self._say(lambda: systems.leave(self._hub(), system, who))

    # ---------------------------------------------------------------------------------------------------- the calls
    def recorded(self, system: str, call: Callable[[], T], judge: Callable[[T], Failure | None] | None = None) -> T:
        """Call the system unless its breaker is open, and tell the breaker how it went.

        Who has not entered (somebody looks at a record, a catalogue is matched) is also kept away by maintenance or a hold.
        `judge` finds a failure in an answer that came. Raises SystemShut, and what the call raises.
        """
        if system not in self._inside and (told := self._closed(systems.state_of(self._hub(), system))):
            raise told
        who = self._inside.get(system, self._me)
        refusal, matters = systems.asked(self._hub(), system, who, self.rules)
        if refusal:
            raise self._told(systems.state_of(self._hub(), system), refusal)
        if matters and who != self._me:
            self._leaves.add(who)
        try:
            result = call()
        except (SystemShut, TakenOver):
            raise
        except AccordError as error:
            self._note(system, who, failure_of(error), matters)
            raise
        self._note(system, who, judge(result) if judge else None, matters)
        return result

    def told(self, system: str, usage: tuple[int, int] | None) -> None:
        """Keep what the system told of its requests of the day, as (used, allowed)."""
        if usage and usage != self._usage.get(system):
            self._usage[system] = usage
            self._say(lambda: systems.told_usage(self._hub(), system, *usage))

    # --------------------------------------------------------------------------------------------------- for people
    def overview(self) -> list[dict[str, Any]]:
        """Every system: its breaker, why and until when it takes no calls, requests of the day, the next window."""
        rows = []
        for name in dict.fromkeys(name for flow in FLOWS.values() for name in (flow.source, *flow.targets)):
            state = systems.state_of(self._hub(), name)
            shut, message = None, None
            try:
                shut, following = self.shut(name), upcoming(self._declared(name), state.now)
            except Stop as wrong:  # no connection, or windows nobody understands
                message, following = str(wrong), None
            rows.append(
                {
                    "system": name,
                    "breaker": state.breaker.state,
                    "since": state.changed,
                    "failure": state.breaker.failure,
                    "at_once": state.breaker.allowance,
                    "shut": shut.why if shut else None,
                    "until": shut.until if shut else None,
                    "message": str(shut) if shut else message,
                    "held_by": state.held_by if state.held else None,
                    "next_maintenance": following,
                    "requests": {"used": state.usage.used, "allowed": state.usage.allowed, "told": state.usage.told}
                    if state.usage
                    else None,
                    "kept_back_from": [p for p in Priority if state.usage and state.usage.keeps_back(p)],
                }
            )
        return rows

    # ------------------------------------------------------------------------------------------------------- inside
    def _closed(self, state: SystemState, priority: Priority = Priority.CRITICAL) -> SystemShut | None:
        """What is said of the system, or declared, or follows from its figures."""
        name, now = state.name, state.now
        if state.held and state.held_until:
            return SystemShut(
                f"{name} is held by {state.held_by} until {_at(state.held_until)}: {state.held_why}.",
                system=name, why=Shut.HELD, until=state.held_until, now=now,
                cure=f"Nothing, or `accord systems release {name}`.",
            )  # fmt: skip
        if end := open_until(self._declared(name), now):
            return SystemShut(
                f"{name} is in maintenance until {_at(end)}.",
                system=name, why=Shut.MAINTENANCE, until=end, now=now, cure="Nothing: what waits goes afterwards.",
            )  # fmt: skip
        if state.usage is None or not state.usage.keeps_back(priority):
            return None
        usage = state.usage
        if now - usage.told > STALE:
            told = self._usage_of(name)
            self.told(name, told)
            usage = systems.state_of(self._hub(), name).usage or usage
        if not usage.keeps_back(priority):
            return None
        return SystemShut(
            f"{usage.used:,} of {usage.allowed:,} requests of {name} are used; what is left is kept for flows that come "
            f"before {priority} ones.",
            system=name, why=Shut.QUOTA, until=now + _ASK_AGAIN, now=now,
            cure="Nothing: it goes when requests are free again. Find out who uses them up, or have more.",
        )  # fmt: skip

    def _told(self, state: SystemState, refusal: Refusal) -> SystemShut:
        if refusal.why is Shut.OUTAGE:
            text = (
                f"{state.name} failed too often ({state.breaker.failure}): nothing is sent before {_at(refusal.until)}."
            )
        else:
            text = f"{state.name} is coming back and lets in a few at a time: ask again at {_at(refusal.until)}."
        cure = f"Nothing: it is tried by itself. `accord doctor` says what is wrong with {state.name}."
        return SystemShut(text, system=state.name, why=refusal.why, until=refusal.until, now=state.now, cure=cure)

    def _declared(self, name: str) -> tuple[Window, ...]:
        if name not in self._windows:
            self._windows[name] = windows_of(self._connection_of(f"accord_{name}"))
        return self._windows[name]

    def _note(self, system: str, who: str, failure: Failure | None, matters: bool) -> None:
        if failure is None:
            if matters:
                counted = who in self._leaves and who not in self._grown
                self._grown.add(who)
                self._say(lambda: systems.succeeded(self._hub(), system, who, self.rules, counted=counted))
            return

        def fail() -> None:
            after = systems.failed(self._hub(), system, who, failure, self.rules)
            if after.until and after.failed_at:
                log.warning("%s: %s, nothing is sent before %s", system, failure, _at(after.until))

        self._say(fail)

    def _say(self, what: Callable[[], None]) -> None:
        """Tell the hub; that it is away now must not hide what happened."""
        try:
            what()
        except AccordError as error:
            log.warning("The hub was not told how a system fares (%s)", type(error).__name__)


def lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """What `overview` found, for people: a line for every system."""
    for row in rows:
        state = row["message"] or ("takes calls" if row["breaker"] == "closed" else f"breaker {row['breaker']}")
        if row["at_once"] is not None:
            state += f", at most {row['at_once']} at once while it recovers"
        requests = row["requests"]
        if requests:
            state += f"; {requests['used']:,} of {requests['allowed']:,} requests used"
        if row["kept_back_from"]:
            state += f", kept back from {' and '.join(row['kept_back_from'])} flows"
        if row["next_maintenance"]:
            state += f"; next maintenance {_at(row['next_maintenance'])}"
        yield f"{row['system']}: {state}"


def _at(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S}Z"
