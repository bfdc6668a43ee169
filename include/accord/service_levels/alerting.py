"""From what was found to who is told: through the ledger, or directly when the hub is away; and the sign of life at the end."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import requests

from accord.errors import AccordError, BadCredentials, Retry, Stop, Unavailable
from accord.outbox.subscribers import checked_url
from accord.runtime import Accord
from accord.service_levels import spool
from accord.service_levels.breach import Breach, breach
from accord.service_levels.channels import Channel, Send
from accord.service_levels.delivery import Delivered, channels, deliver
from accord.service_levels.evaluation import Evaluation, evaluate
from accord.service_levels.ledger import Recorded, adopt, record
from accord.service_levels.targets import HUB, LEVELS, ServiceLevel

log = logging.getLogger(__name__)

_HEARTBEAT_S = (5.0, 10.0)  # to connect, to answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerted:
    """What came of it. `directly`: the hub was away; `problems`: channel → why it took nothing; `overdue`: notices that were tried several
    times in vain; `heartbeat`: whether the sign of life went out, None when nobody waits for one."""

    recorded: Recorded = field(default_factory=Recorded)
    notices: int = 0
    problems: dict[str, str] = field(default_factory=dict)
    overdue: int = 0
    directly: bool = False
    heartbeat: bool | None = None


def check(accord: Accord, levels: Sequence[ServiceLevel] = LEVELS) -> Evaluation:
    """Measure `levels`; when the hub does not answer, that is what is found, and nothing is known of them."""
    environment = accord.alerting.environment
    try:
        found = evaluate(accord, levels)
    except (Unavailable, BadCredentials) as error:
        return Evaluation(
            breached=[hub_away(environment, error)], unmeasured=[level.key(environment) for level in levels]
        )
    found.met.append(HUB.key(environment))
    return found


def hub_away(environment: str, error: AccordError) -> Breach:
    """The breach of a hub that does not answer."""
    return breach(
        HUB,
        environment,
        summary=f"the hub does not answer ({type(error).__name__})",
        actual="no answer" if isinstance(error, Retry) else "login refused",
        late=HUB.terms.run * 0,
        category="hub",
        where="accord doctor",
    )


def alert(accord: Accord, found: Evaluation, send: Send, *, only_once: bool = False) -> Alerted:
    """Keep what was `found` in the ledger and tell whom it concerns; directly, and spooled, when the hub is away.

    `only_once`: nobody will find it again, so that it is spooled too; what is measured anew is not. A channel that takes nothing raises
    nothing: what it should be told waits, and is tried again by the next call.
    """
    to = channels(accord)
    known = [one for one in to.values() if isinstance(one, Channel)]
    try:
        with accord.hub.session() as session:
            spooled = list(spool.spooled(accord.alerting))
            for one in spooled:
                adopt(session, one.breach, opened=one.opened, told=one.told, channels=known)
            recorded = record(session, found, known)
        for one in spooled:  # the ledger has them now
            one.path.unlink(missing_ok=True)
        done = deliver(accord, to, send)
    except (Unavailable, BadCredentials) as error:
        log.warning("the hub is away: alerts go out directly")
        breached = [hub_away(accord.alerting.environment, error), *(found.breached if only_once else ())]
        problems = spool.tell_directly(accord.alerting, breached, to, send)
        return Alerted(problems=problems, directly=True, overdue=len(problems))
    wrong = {name: str(error) for name, error in to.items() if isinstance(error, AccordError)}
    return _alerted(recorded, done, wrong)


def _alerted(recorded: Recorded, done: Delivered, wrong: Mapping[str, str]) -> Alerted:
    return Alerted(
        recorded=recorded, notices=done.notices, problems={**wrong, **done.problems}, overdue=done.overdue + len(wrong)
    )


def heartbeat(accord: Accord) -> bool | None:
    """Tell whoever watches from outside that service levels are being watched: a POST to the URL that is the host of the connection named
    by the setting `heartbeat`. None when there is none; False, and a line in the log, when it was not taken.

    It says nothing but that it comes. Who hears nothing for a while knows that the scheduler, or the alerting itself, is dead.
    """
    name = accord.alerting.heartbeat
    if not name:
        return None
    try:
        url = checked_url(accord.connection(name).host)
        if url is None:
            raise Stop(f"Connection {name} has no usable address.", cure="Give the whole URL, https://…, as its host.")
        answer = requests.post(url, timeout=_HEARTBEAT_S, allow_redirects=False)
    except (AccordError, requests.RequestException) as error:
        log.warning(
            "the heartbeat was not taken: %s", error if isinstance(error, AccordError) else type(error).__name__
        )
        return False
    if not answer.ok:
        log.warning("the heartbeat was not taken: answer %d", answer.status_code)
    return bool(answer.ok)
