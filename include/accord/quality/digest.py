"""The weekly digest: what is open for an owner, what came up and what was settled; by mail, once a week.

It names rules, flows, counts and money; no record, no reason and no comment, as those are people's words.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html import escape
from typing import Any

from accord.categories import Queue
from accord.errors import AccordError
from accord.hub.connection import Hub
from accord.hub.reviews import Wanted, reviews
from accord.quality.report import money
from accord.runtime import Accord
from accord.service_levels.channels import Channel
from accord.service_levels.delivery import channels
from accord.service_levels.settings import CONSOLE

log = logging.getLogger(__name__)

WEEK = timedelta(days=7)
MOST = 100  # reviews told one by one
PAGE = f"{CONSOLE}/quality/"  # where the console shows them, below Airflow's address


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """One owner's mail. `open`, `accepted` and `settled` are reviews (accord.hub.reviews): those that count as open, those somebody
    accepted for now, and those settled in the week before `until`."""

    owner: str
    environment: str
    until: datetime
    open: Sequence[Mapping[str, Any]]
    accepted: Sequence[Mapping[str, Any]]
    settled: Sequence[Mapping[str, Any]]
    site: str = ""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to say."""
        return not (self.open or self.accepted or self.settled)

    @property
    def title(self) -> str:
        """The subject: the figures."""
        said = f"{len(self.open)} open, {len(self.accepted)} accepted, {len(self.settled)} settled"
        return f"[{self.environment}] Data quality this week, {self.owner}: {said}"

    @property
    def at_risk(self) -> dict[str, str]:
        """Money of the records held for what is open, per currency. A record that fails two rules is in both."""
        sums: dict[str, Decimal] = {}
        for row in self.open:
            for currency, amount in row["at_risk"].items():
                sums[currency] = sums.get(currency, Decimal(0)) + Decimal(amount)
        return {currency: f"{amount:.2f}" for currency, amount in sums.items()}

    @property
    def text(self) -> str:
        """All of it, as plain text."""
        return "\n".join(self._lines())

    @property
    def html(self) -> str:
        """All of it, as HTML that needs nothing from outside."""
        parts = [f"<h2>{escape(self.title)}</h2><p>{escape(self._sum())}</p>"]
        for title, rows in self._sections():
            heads = "".join(f'<th align="left" style="padding:2px 12px 2px 0">{head}</th>' for head in _HEADS)
            told = "".join(
                f"<tr>{''.join(_cell(cell) for cell in _cells(row, self.until))}</tr>" for row in rows[:MOST]
            )
            more = f"<p>… and {len(rows) - MOST} more.</p>" if len(rows) > MOST else ""
            parts.append(
                f'<h3>{title}</h3><table style="border-collapse:collapse"><tr>{heads}</tr>{told}</table>{more}'
            )
        where = f"{self.site}{PAGE}"
        parts.append(
            f'<p><a href="{escape(where, quote=True)}">Work them</a></p>' if self.site.startswith("http") else ""
        )
        return f'<div style="font:15px/1.5 system-ui,sans-serif">{"".join(parts)}</div>'

    def _sections(self) -> Iterator[tuple[str, Sequence[Mapping[str, Any]]]]:
        for title, rows in (
            ("Open", self.open),
            ("Accepted for now", self.accepted),
            ("Settled this week", self.settled),
        ):
            if rows:
                yield title, rows

    def _sum(self) -> str:
        fresh = sum(row["opened"] > self.until - WEEK for row in self.open)
        held = sum(row["held"] for row in self.open)
        at_risk = f", {money(self.at_risk)} at risk" if self.at_risk else ""
        return f"{fresh} of {len(self.open)} open came up this week; {held:,} held{at_risk}, counted for each rule that holds a record."

    def _lines(self) -> Iterator[str]:
        yield self.title
        yield ""
        yield self._sum()
        for title, rows in self._sections():
            yield ""
            yield f"{title}:"
            for row in rows[:MOST]:
                yield "  " + " | ".join(cell for cell in _cells(row, self.until) if cell)


_HEADS = ("Review", "What", "Means", "Held", "Whose", "Since")


def _cells(row: Mapping[str, Any], until: datetime) -> tuple[str, ...]:
    held = (
        f"{row['held']:,} held"
        if row["held"]
        else f"{row['failed']:,} failed, none is held"
        if not row["closed"]
        else ""
    )
    at_risk = f", {money(row['at_risk'])}" if row["at_risk"] else ""
    since = f"{row['opened']:%Y-%m-%d}{', new' if row['opened'] > until - WEEK else ''}"
    if row["state"] == "accepted":
        since += f", accepted until {row['accepted_until']:%Y-%m-%d}"
    elif row["accepted_until"] and not row["closed"]:
        since += f", acceptance expired {row['accepted_until']:%Y-%m-%d}"
    return (
        f"{row['id']}, {row['severity']}, {row['state']}",
        f"{row['flow']} {row['gate']}: {row['title']}",
        row["consequence"],
        f"{held}{at_risk}",
        row["assignee"] or "nobody's",
        since,
    )


def _cell(text: str) -> str:
    return f'<td valign="top" style="padding:2px 12px 2px 0">{escape(text)}</td>'


def digest(hub: Hub, owner: str, *, until: datetime, environment: str = "local", site: str = "") -> Digest:
    """The digest of `owner` for the week before `until`. Raises what the hub raises."""
    current = reviews(hub, Wanted(owner=owner), most=10_000)
    over = reviews(hub, Wanted(owner=owner, settled=True), since=until - WEEK, most=10_000)
    return Digest(
        owner=owner,
        environment=environment,
        until=until,
        open=[row for row in current if row["state"] != "accepted"],
        accepted=[row for row in current if row["state"] == "accepted"],
        settled=over,
        site=site,
    )


@dataclass(slots=True, kw_only=True)
class Mailed:
    """What became of it. `mails`: told just now; `already`: told this week before; `nothing`: owners there is nothing to tell; `nobody`:
    owners with news whom no channel tells; `problems`: channel → why it took nothing."""

    mails: int = 0
    already: int = 0
    nothing: list[str] = field(default_factory=list)
    nobody: list[str] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)


# gives a digest to a channel; raises AccordError, naming no address and no secret, when it was not taken
Mail = Callable[[Channel, Digest], None]


def mail_digests(accord: Accord, mail: Mail, *, now: datetime | None = None) -> Mailed:
    """Mail each owner's digest to the e-mail channels that are told of the owner's alerts at once: one per channel, owner and week, also
    when it is asked for again. An owner with nothing to be told gets no mail. A channel that takes nothing holds up no other."""
    now = now or datetime.now(UTC)
    week = now.date() - timedelta(days=now.weekday())
    alerting, done = accord.alerting, Mailed()
    known = channels(accord)
    done.problems = {name: str(error) for name, error in known.items() if isinstance(error, AccordError)}
    mailing = [one for one in known.values() if isinstance(one, Channel) and one.kind == "smtp" and not one.escalation]
    for owner in map(str, Queue):
        told = digest(accord.hub, owner, until=now, environment=alerting.environment, site=alerting.site)
        wanting = [one for one in mailing if one.owners is None or owner in one.owners]
        if told.empty:
            done.nothing.append(owner)
        elif not wanting:
            done.nobody.append(owner)
        else:
            for channel in wanting:
                _one(accord.hub, channel, told, week, mail, done)
    return done


def _one(hub: Hub, channel: Channel, told: Digest, week: date, mail: Mail, done: Mailed) -> None:
    """Mail one. The row is written first and kept only if the mail is taken: two at once mail nothing twice."""
    try:
        with hub.session() as session:
            fresh = session.execute(
                "INSERT INTO digest (channel, owner, week) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING RETURNING week",
                (channel.name, told.owner, week),
            ).fetchone()
            if fresh is None:
                done.already += 1
                return
            mail(channel, told)
    except AccordError as error:
        log.warning("the digest of %s was not mailed to %s: %s", told.owner, channel.name, error)
        done.problems[channel.name] = str(error)
        return
    done.mails += 1
