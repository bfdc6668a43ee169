"""The page a reviewer reads: one per gate and run, failures first, no value of any record.

`body` is its content as HTML, for any page that has `style()`; `render` the whole page, which needs nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from accord.hub.gate_reports import FATES, GateReport, HeldRecord, Point, RuleReport
from accord.quality.docs import store_result
from accord.quality.gate import Judgement, Verdict

MEANING = {
    Verdict.PASS: "Every record goes on.",
    Verdict.QUARANTINE: "The records listed below wait as exceptions; all others go on.",
    Verdict.STOP: "Nothing of this batch is written.",
    Verdict.UNCHECKED: "Some rules could not be applied, so nobody knows whether they hold. Nothing of this batch is written.",
}
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>{style}</style></head>
<body class="standalone"><main class="report"><h1>{head}</h1>{body}</main></body></html>
"""

_NUMBERS, _NUMBER = ("At risk", "Records", "Held", "Fixed", "Checked"), ' class="n"'  # columns of figures

# gives the address of a review or an exception, or '' for none; a file has none
Link = Callable[[int], str]


def _nowhere(_: int) -> str:
    return ""


def report_path(flow: str, run_name: str, gate: str) -> str:
    """Where the page lies below the reports' folder; a page of the same flow, run and gate is written over."""
    return "/".join(("runs", _path_part(flow), _path_part(run_name), gate, "index.html"))


def write_report(report: GateReport, judgement: Judgement, *, folder: str | Path) -> str:
    """Write the page, and leave the judgement for `accord.quality.docs.build_docs`.

    Args:
        report: what the hub knows of the gate.
        judgement: what the gate said.
        folder: the reports' folder, on a local disk.

    Returns:
        The path of the page.
    """
    page = Path(folder, report_path(report.flow, report.engine_run, report.gate))
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(render(report), encoding="utf-8")
    store_result(judgement, flow=_path_part(report.flow), run_name=_path_part(report.engine_run), folder=Path(folder))
    return str(page)


def render(report: GateReport) -> str:
    """The page as HTML that needs nothing else."""
    title = f"{headline(report)} · {report.verdict}"
    return _PAGE.format(title=escape(title), style=style(), head=escape(headline(report)), body=body(report))


@cache
def style() -> str:
    """The stylesheet. Within another page `body` goes below the class `report`, and the colours are that page's."""
    return Path(__file__).with_name("report.css").read_text(encoding="utf-8")


def headline(report: GateReport) -> str:
    """Object and gate, in words."""
    return f"{report.object.replace('_', ' ')}: {report.gate} gate"


def body(report: GateReport, *, review: Link = _nowhere, exception: Link = _nowhere) -> str:
    """The report's content as HTML below its headline; `review` and `exception` link to where these are worked."""
    return "\n".join(
        [
            f'<p class="dim">flow {escape(report.flow)} · run {report.run}: {escape(report.engine_run)} · {escape(report.kind)}'
            f"{' · dry run' if report.dry else ''} · {_instant(report.at)}</p>",
            *_banner(report),
            *(["<h2>What does not hold</h2>"] if report.failing else []),
            *(part for rule in report.failing for part in _failing(rule, review)),
            *_held(report, exception),
            *_table("Fixed since the run before", report.fixed),
            *_trend(report.trend, report.run),
            *_table("What holds", [rule for rule in report.rules if rule.holds and not rule.standing]),
        ]
    )


def sparkline(values: Sequence[int], what: str) -> str:
    """The values as bars, the oldest first, with their figures for those who don't see them."""
    if len(values) < 2:
        return ""
    most = max(values) or 1
    bars = "".join(
        f'<rect x="{8 * at}" y="{24 - height}" width="6" height="{height}"/>'
        for at, value in enumerate(values)
        for height in [1 if not value else 3 + round(21 * value / most)]
    )
    told = f"{what}, the last {len(values)} runs, the oldest first: {', '.join(map(str, values))}"
    return (
        f'<svg class="spark" role="img" aria-label="{escape(told, quote=True)}" width="{8 * len(values)}" height="24" '
        f'viewBox="0 0 {8 * len(values)} 24"><title>{escape(told)}</title>{bars}</svg>'
    )


def money(amounts: Mapping[str, str]) -> str:
    """Amounts per currency as text; '' for none."""
    return ", ".join(f"{Decimal(amount):,.2f} {currency}" for currency, amount in sorted(amounts.items()))


def fields_said(sample: Mapping[str, Any]) -> str:
    """The fields of a sample, outlined, as text."""
    return ", ".join(f"{name}: {shown}" for name, shown in sample["fields"].items())


def review_said(review: Mapping[str, Any]) -> str:
    """Where a review stands, in words; reasons and comments stay out of it."""
    said = [f"Review {review['id']}: {review['state']}"]
    if review["state"] == "accepted":
        said.append(f"until {_instant(review['accepted_until'])} by {review['accepted_by']}")
        said.append(f"at {review['accepted_failed']:,} failing")
    elif review["accepted_until"]:
        said.append(f"accepted until {_instant(review['accepted_until'])}, which is over")
    elif review["acknowledged_by"]:
        said.append(f"by {review['acknowledged_by']}")
    said.append(f"assigned to {review['assignee']}" if review["assignee"] else "nobody's")
    said.append(f"since {_instant(review['opened'])}")
    return ", ".join(said)


def _banner(report: GateReport) -> Iterable[str]:
    yield f'<div class="verdict {_class(report.verdict)}"><strong>{escape(report.verdict)}</strong>'
    yield f"<p>{MEANING[Verdict(report.verdict)]} {report.records:,} records checked, {report.quarantined:,} fail.</p>"
    yield from (f"<p>{escape(reason)}</p>" for reason in report.reasons)
    if report.at_risk:
        yield f"<p>Money at risk: {escape(money(report.at_risk))}.</p>"
    if report.previous:
        yield f"<p>The run before ({report.previous['run']}, {_instant(report.previous['at'])}): {escape(report.previous['verdict'])}.</p>"
    yield "</div>"


def _failing(rule: RuleReport, review: Link) -> Iterable[str]:
    yield f'<section class="rule"><h3>{escape(rule.title)} <span class="tag {_class(rule.standing)}">{rule.standing}</span></h3>'
    yield f"<p>{escape(rule.message)}</p>" if rule.message else ""
    yield f'<p class="means"><strong>Means:</strong> {escape(rule.consequence)}</p><dl>'
    changed = f"{rule.fresh:,} new, {rule.recurring:,} recurring, {rule.fixed:,} fixed"
    holds_back = rule.severity == "critical"
    for label, value in (
        ("Severity", f"{rule.severity}: {'failing records are held back' if holds_back else 'failing records go on'}"),
        ("Owner", rule.owner),
        ("Category", rule.category),
        ("Failed", f"{rule.failed:,} of {rule.checked:,} {rule.part}"),
        ("The run before", "none" if rule.before is None else f"{rule.before:,} failed"),
        ("Records", changed if holds_back and (rule.fresh or rule.recurring or rule.fixed) else ""),
        ("Money at risk", money(rule.at_risk)),
    ):
        yield f"<div><dt>{label}</dt><dd>{escape(value)}</dd></div>" if value else ""
    if spark := sparkline(rule.trend, "failed"):
        yield f"<div><dt>Trend</dt><dd>{spark}</dd></div>"
    yield "</dl>"
    if rule.review:
        yield f"<p>{_anchor(review_said(rule.review), review(rule.review['id']))}</p>"
    if rule.samples:
        yield from _head(
            f"Some that fail: {rule.title}", ("Record", "Correlation id", "Fields"), "Some of them, values masked"
        )
        for one in rule.samples:
            yield f"<tr><td>{escape(one['key'])}</td><td><code>{escape(one['correlation'])}</code></td>"
            yield f"<td>{escape(fields_said(one))}</td></tr>"
        yield "</tbody></table></div>"
    yield f'<p class="dim">{escape(rule.part)} · {escape(rule.rule)}</p></section>'


def _held(report: GateReport, exception: Link) -> Iterable[str]:
    if not report.fates:
        return
    yield f"<h2>What became of the {report.quarantined:,} that fail</h2><ul>"
    for fate, count in report.fates.items():
        yield f"<li><strong>{count:,} {fate}</strong>: {FATES[fate]}</li>"
    yield "</ul>"
    yield from _head("Records that fail", ("Record", "Rules", "At risk", "Now", "Exception", "Correlation id"))
    yield from (_held_row(one, exception) for one in report.held)
    yield "</tbody></table></div>"
    if report.after:
        yield f'<p class="dim">Up to {escape(report.after)}. All: accord exceptions list --flow {escape(report.flow)}</p>'


def _held_row(one: HeldRecord, exception: Link) -> str:
    at_risk = money({one.currency: one.at_risk}) if one.currency and one.at_risk else ""
    number = _anchor(str(one.exception), exception(one.exception)) if one.exception else ""
    now = (
        f"{one.fate} {_instant(one.settled)}"
        if one.settled and one.fate in ("released", "replayed", "discarded")
        else one.fate
    )
    return (
        f'<tr><td>{escape(one.key)}</td><td>{escape(", ".join(one.rules))}</td><td class="n">{escape(at_risk)}</td>'
        f"<td>{escape(now)}</td><td>{number}</td><td><code>{escape(one.correlation)}</code></td></tr>"
    )


def _trend(points: Sequence[Point], run: int) -> Iterable[str]:
    if len(points) < 2:
        return
    yield f"<h2>The last {len(points)} runs</h2>{sparkline([one.quarantined for one in points], 'records held')}"
    yield from _head("Runs", ("Run", "Verdict", "Records", "Held"))
    for one in reversed(points):
        name = f"{one.run}, {_instant(one.at)}"
        yield f"<tr><td>{f'<strong>{name}</strong>' if one.run == run else name}</td><td>{escape(one.verdict)}</td>"
        yield f'<td class="n">{one.records:,}</td><td class="n">{one.quarantined:,}</td></tr>'
    yield "</tbody></table></div>"


def _table(title: str, rules: Sequence[RuleReport]) -> Iterable[str]:
    if not rules:
        return
    yield f"<h2>{title}</h2>"
    yield from _head(title, ("Rule", "Severity", "Owner", "Consequence", "Fixed", "Checked"))
    for rule in rules:
        yield f'<tr><td><strong>{escape(rule.title)}</strong><br><span class="dim">{escape(rule.part)} · {escape(rule.rule)}</span></td>'
        yield "".join(f"<td>{escape(cell)}</td>" for cell in (rule.severity, rule.owner, rule.consequence))
        yield f'<td class="n">{rule.fixed or ""}</td><td class="n">{rule.checked:,}</td></tr>'
    yield "</tbody></table></div>"


def _head(name: str, heads: Sequence[str], caption: str = "") -> Iterable[str]:
    """The beginning of a table, which scrolls by keyboard too."""
    yield f'<div class="wide" tabindex="0" role="region" aria-label="{escape(name, quote=True)}"><table>'
    yield f"<caption>{caption}</caption>" if caption else ""
    yield "<thead><tr>"
    yield from (f'<th scope="col"{_NUMBER if head in _NUMBERS else ""}>{head}</th>' for head in heads)
    yield "</tr></thead><tbody>"


def _anchor(text: str, address: str) -> str:
    return f'<a href="{escape(address, quote=True)}">{escape(text)}</a>' if address else escape(text)


def _class(word: str) -> str:
    return re.sub(r"\W+", "-", word)


def _instant(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}Z" if at else ""


def _path_part(name: str) -> str:
    """`name` as one folder name that stays inside its parent."""
    return re.sub(r"[^\w.+-]", "-", name).lstrip(".") or "-"
