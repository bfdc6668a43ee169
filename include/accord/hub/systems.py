"""The systems as all workers see them: breaker, who is in, what somebody decided, the requests of the day.

While all is well a call costs one read and nothing is written. Everything else is decided under the lock of the system's
row, by the hub's clock, so that fifty workers with fifty clocks come to one decision.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from accord.breaker import Breaker, Failure, Refusal, Rules, State
from accord.hub.audit import audit
from accord.hub.connection import Hub, Session, only
from accord.quota import Usage

_BREAKER = "state, until, probe, failure, failures, failed_at, trips, allowance"


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemState:
    """One system as the hub knows it at `now`. `held_until` is when somebody's word ends that it takes no calls."""

    name: str
    now: datetime
    breaker: Breaker
    changed: datetime | None = None
    held_until: datetime | None = None
    held_why: str | None = None
    held_by: str | None = None
    usage: Usage | None = None

    @property
    def held(self) -> bool:
        """Whether somebody keeps calls away now."""
        return self.held_until is not None and self.now < self.held_until


def state_of(hub: Hub, name: str) -> SystemState:
    """The system `name` now; one nothing was ever said of is well."""
    with hub.session() as session:
        return _read(session, name)


def admit(hub: Hub, name: str, who: str, rules: Rules) -> Refusal | None:
    """Let `who` in, or say why not: while the system recovers it counts as one of a few until it leaves."""
    with hub.session() as session:
        state = _locked(session, name)
        breaker, refusal = state.breaker.asked(who, state.now, rules)
        if refusal is None and breaker.allowance is not None:
            session.execute("DELETE FROM admission WHERE system = %s AND (until <= now() OR who = %s)", (name, who))
            counted = session.execute("SELECT count(*) AS n FROM admission WHERE system = %s", (name,))
            refusal = breaker.crowded(int(only(counted)["n"]), state.now, rules)
            if refusal is None:
                session.execute("INSERT INTO admission VALUES (%s, %s, %s)", (name, who, state.now + rules.stay))
        _write(session, name, state.breaker, breaker)
    return refusal


def leave(hub: Hub, name: str, who: str) -> None:
    """`who` is done with the system."""
    with hub.session() as session:
        session.execute("DELETE FROM admission WHERE system = %s AND who = %s", (name, who))
    _change(hub, name, lambda state: state.breaker.left(who, state.now))


def asked(hub: Hub, name: str, who: str, rules: Rules) -> tuple[Refusal | None, bool]:
    """`who` is about to call the system: why it must not, and whether there is anything its answer would change."""
    state = state_of(hub, name)
    if state.breaker.state is State.CLOSED:
        return None, not state.breaker.well
    refusal: list[Refusal | None] = []

    def ask(now: SystemState) -> Breaker:
        breaker, refused = now.breaker.asked(who, now.now, rules)
        refusal.append(refused)
        return breaker

    _change(hub, name, ask)
    return refusal[0], True


def succeeded(hub: Hub, name: str, who: str, rules: Rules, *, counted: bool) -> None:
    """A call of `who` was answered; see Breaker.succeeded."""
    _change(hub, name, lambda state: state.breaker.succeeded(who, rules, counted=counted))


def failed(hub: Hub, name: str, who: str, failure: Failure, rules: Rules) -> Breaker:
    """A call of `who` failed; the breaker after it."""
    return _change(hub, name, lambda state: state.breaker.failed(who, failure, state.now, rules))


def told_usage(hub: Hub, name: str, used: int, allowed: int) -> None:
    """Keep what the system told of its requests of the day."""
    with hub.session() as session:
        session.execute(
            """INSERT INTO system (name, used, allowed, told) VALUES (%s, %s, %s, now())
               ON CONFLICT (name) DO UPDATE SET used = excluded.used, allowed = excluded.allowed, told = excluded.told""",
            (name, used, allowed),
        )


def hold(hub: Hub, name: str, *, until: datetime, who: str, why: str) -> None:
    """Keep calls away from the system until then."""
    with hub.session() as session:
        _locked(session, name)
        session.execute(
            "UPDATE system SET held_until = %s, held_why = %s, held_by = %s WHERE name = %s", (until, why, who, name)
        )
        audit(session, who, "system held", [f"system:{name}"], {"until": until.isoformat(), "why": why})


def release(hub: Hub, name: str, *, who: str, why: str) -> None:
    """Let calls through again, whatever was: the breaker is closed, nothing is held, nobody is counted."""
    with hub.session() as session:
        state = _locked(session, name)
        session.execute("DELETE FROM admission WHERE system = %s", (name,))
        session.execute("UPDATE system SET held_until = NULL, held_why = NULL, held_by = NULL WHERE name = %s", (name,))
        _write(session, name, state.breaker, Breaker(failure=state.breaker.failure, failed_at=state.breaker.failed_at))
        audit(session, who, "system released", [f"system:{name}"], {"was": state.breaker.state, "why": why})


def _change(hub: Hub, name: str, change: Callable[[SystemState], Breaker]) -> Breaker:
    with hub.session() as session:
        state = _locked(session, name)
        breaker = change(state)
        _write(session, name, state.breaker, breaker)
    return breaker


def _locked(session: Session, name: str) -> SystemState:
    session.execute("INSERT INTO system (name) VALUES (%s) ON CONFLICT DO NOTHING", (name,))
    session.execute("SELECT FROM system WHERE name = %s FOR UPDATE", (name,))
    return _read(session, name)


def _read(session: Session, name: str) -> SystemState:
    # clock_timestamp(): a transaction that waited for the lock began earlier than it decides
    row = only(
        session.execute(
            f"""SELECT clock_timestamp() AS now, {_BREAKER}, changed, held_until, held_why, held_by, used, allowed, told
            FROM (VALUES (%s)) AS asked (system) LEFT JOIN system ON name = asked.system""",  # noqa: S608 - ours
            (name,),
        )
    )
    known = row["state"] is not None
    return SystemState(
        name=name,
        now=row["now"],
        breaker=_breaker(row) if known else Breaker(),
        changed=row["changed"],
        held_until=row["held_until"],
        held_why=row["held_why"],
        held_by=row["held_by"],
        usage=Usage(used=row["used"], allowed=row["allowed"], told=row["told"]) if row["told"] else None,
    )


def _breaker(row: dict[str, Any]) -> Breaker:
    return Breaker(
        state=State(row["state"]),
        until=row["until"],
        probe=row["probe"],
        failure=Failure(row["failure"]) if row["failure"] else None,
        failures=row["failures"],
        failed_at=row["failed_at"],
        trips=row["trips"],
        allowance=row["allowance"],
    )


def _write(session: Session, name: str, before: Breaker, after: Breaker) -> None:
    if before == after:
        return
    session.execute(
        """UPDATE system SET state = %(state)s, until = %(until)s, probe = %(probe)s, failure = %(failure)s,
             failures = %(failures)s, failed_at = %(failed_at)s, trips = %(trips)s, allowance = %(allowance)s,
             changed = CASE WHEN state = %(state)s THEN changed ELSE clock_timestamp() END
           WHERE name = %(name)s""",
        {**asdict(after), "name": name},
    )
