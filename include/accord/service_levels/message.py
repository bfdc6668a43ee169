"""What an alert reads like: what is late, by how much, what it costs, whose it is, what to do first. The same for every channel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from html import escape
from typing import Any
from urllib.parse import quote

from accord.service_levels.breach import Breach, instant, span
from accord.service_levels.settings import CONSOLE, Alerting
from accord.service_levels.targets import Measure

OF_FLOWS = (
    Measure.RUN,
    Measure.FRESHNESS,
    Measure.WATERMARK,
)  # how much of it is late nobody has read yet; what waits is known


class Event(StrEnum):
    """What changed."""

    OPENED = "opened"
    ESCALATED = "escalated"
    ACKNOWLEDGED = "acknowledged"
    RECOVERED = "recovered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One notice, ready for any channel. `facts` are label and value; `links` text and address; `id` is the same when it is told again."""

    event: Event
    breach: Breach
    environment: str
    title: str
    facts: tuple[tuple[str, str], ...]
    actions: tuple[str, ...]
    links: tuple[tuple[str, str], ...]
    id: str = ""
    alert: int | None = None

    @property
    def text(self) -> str:
        """All of it, as plain text."""
        width = max(len(label) for label, _ in self.facts) + 2
        lines = [self.title, "", *(f"{label:<{width}}{value}" for label, value in self.facts)]
        if self.actions:
            lines += ["", "Do first:", *(f"{n}. {action}" for n, action in enumerate(self.actions, start=1))]
        if self.links:
            lines += ["", *(f"{text}: {address}" for text, address in self.links)]
        return "\n".join(lines)

    @property
    def html(self) -> str:
        """All of it, as HTML that needs nothing from outside."""
        rows = "".join(
            f'<tr><th align="left" valign="top" style="padding:2px 16px 2px 0">{escape(label)}</th><td>{escape(value)}</td></tr>'
            for label, value in self.facts
        )
        todo = "".join(f"<li>{escape(action)}</li>" for action in self.actions)
        links = "".join(f"<li>{_anchor(text, address)}</li>" for text, address in self.links)
        return (
            f'<div style="font:15px/1.5 system-ui,sans-serif"><h2>{escape(self.title)}</h2><table>{rows}</table>'
            + (f"<h3>Do first</h3><ol>{todo}</ol>" if todo else "")
            + (f"<ul>{links}</ul>" if links else "")
            + "</div>"
        )

    def as_dict(self) -> dict[str, Any]:
        """All of it, for machines."""
        return {
            "event": str(self.event),
            "alert": self.alert,
            "environment": self.environment,
            "title": self.title,
            "links": [{"text": text, "href": address} for text, address in self.links],
            **self.breach.as_dict(),
        }


def message(
    event: Event,
    body: Mapping[str, Any],
    alerting: Alerting,
    *,
    id: str = "",
    alert: int | None = None,
    opened: datetime | None = None,
    until: datetime | None = None,
    step: int = 0,
) -> Message:
    """The message about a breach's `body`. `opened`, `until`: since when it has lasted, and until when; `step`: how often it was
    escalated."""
    one = Breach.from_dict(body)
    lasted = until - opened if opened and until else None
    return Message(
        event=event,
        breach=one,
        environment=alerting.environment,
        title=_title(event, one, alerting.environment, lasted, step),
        facts=tuple((label, value) for label, value in _facts(event, one, alert, opened, lasted) if value),
        actions=() if event is Event.RECOVERED else tuple(one.actions),
        links=tuple(_links(one, alerting, alert)),
        id=id,
        alert=alert,
    )


def _title(event: Event, one: Breach, environment: str, lasted: timedelta | None, step: int) -> str:
    word = {
        Event.OPENED: one.severity.upper(),
        Event.ESCALATED: f"ESCALATED ({step}) {one.severity.upper()}",
        Event.ACKNOWLEDGED: "ACKNOWLEDGED",
        Event.RECOVERED: f"RECOVERED{f' after {span(lasted)}' if lasted else ''}, was:",  # what follows is not so any more
    }[event]
    return f"[{environment}] {word} {one.summary}"


def _facts(
    event: Event, one: Breach, alert: int | None, opened: datetime | None, lasted: timedelta | None
) -> list[tuple[str, str]]:
    money = [f"{Decimal(amount):,.2f} {currency}" for currency, amount in sorted(one.amounts.items())]
    affected = f"{one.records:,} record(s){' wait as exceptions' if one.measure in OF_FLOWS else ''}"
    over = event is Event.RECOVERED
    return [
        ("What", f"{one.measure} of {one.subject}{f' ({one.object})' if one.object else ''}, tier {one.tier}"),
        ("Means", one.consequence if not over else ""),
        ("Deadline", one.due),
        ("Allowed", one.allowed),
        ("Actual", one.actual),
        ("Late by", span(timedelta(seconds=one.late_s)) if one.late_s else ""),
        ("Last good watermark", one.watermark),
        ("Affected", ", ".join([*([affected] if one.records else []), *money])),
        ("First failing step", one.step),
        ("Category", one.category),
        ("Owner", one.owner),
        (
            "Escalated",
            f"unless acknowledged within {span(timedelta(seconds=one.escalate_s))}" if event is Event.OPENED else "",
        ),
        ("By itself", one.next if not over else ""),
        ("Since", instant(opened)),
        ("Lasted", span(lasted) if lasted else ""),
        ("See them", one.where if not over else ""),
        (
            "Acknowledge",
            f"accord alerts acknowledge {alert}" if alert and event in (Event.OPENED, Event.ESCALATED) else "",
        ),
        ("Correlation", one.correlation),
        ("Key", one.key),
    ]


def _links(one: Breach, alerting: Alerting, alert: int | None) -> Iterator[tuple[str, str]]:
    if alerting.site:
        dag, _, run = one.run.partition("/")
        if run:
            yield "Run", f"{alerting.site}/dags/{quote(dag)}/runs/{quote(run, safe='')}"
        for text, place in one.places.items():
            yield text, f"{alerting.site}{CONSOLE}{place}"
        if alert:
            yield "Alert", f"{alerting.site}{CONSOLE}/alerts/{alert}/"
    yield "Runbook", f"{alerting.runbooks}/{one.runbook}.md"


def _anchor(text: str, address: str) -> str:
    if not address.startswith(("http://", "https://")):
        return f"{escape(text)}: {escape(address)}"
    return f'<a href="{escape(address, quote=True)}">{escape(text)}</a>'
