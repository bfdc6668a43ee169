"""An expectation report as plain text: for terminals."""

from __future__ import annotations

from collections.abc import Iterator

from accord.hub.gate_reports import FATES, GateReport, RuleReport
from accord.quality.report import fields_said, headline, money, review_said


def report_text(report: GateReport) -> str:
    """The report, failures first."""
    return "\n".join(_lines(report))


def _lines(report: GateReport) -> Iterator[str]:
    yield f"{headline(report)}: {report.verdict.upper()}"
    yield f"flow {report.flow}, run {report.run} ({report.engine_run}), {report.at:%Y-%m-%d %H:%M}Z"
    at_risk = f", {money(report.at_risk)} at risk" if report.at_risk else ""
    yield f"{report.records:,} records checked, {report.quarantined:,} fail{at_risk}"
    yield from report.reasons
    for rule in report.failing:
        yield from _failing(rule)
    for fate, count in report.fates.items():
        yield f"{count:>7,} {fate}: {FATES[fate]}"
    for rule in report.fixed:
        yield f"  fixed: {rule.title}{f' ({rule.fixed:,} records)' if rule.fixed else ''}"
    yield f"{sum(rule.holds for rule in report.rules):,} rules hold"


def _failing(rule: RuleReport) -> Iterator[str]:
    yield ""
    yield f"{rule.standing.upper()}  {rule.title} [{rule.severity}, {rule.owner}, {rule.category}]"
    yield f"  {rule.message or f'{rule.failed:,} of {rule.checked:,} fail'}"
    yield f"  Means: {rule.consequence}"
    if rule.fresh or rule.recurring or rule.fixed:
        yield f"  {rule.fresh:,} new, {rule.recurring:,} recurring, {rule.fixed:,} fixed"
    if rule.at_risk:
        yield f"  At risk: {money(rule.at_risk)}"
    if len(rule.trend) > 1:
        yield f"  Failed, run by run: {' '.join(map(str, rule.trend))}"
    for one in rule.samples:
        yield f"  {one['key']}  {one['correlation']}  {fields_said(one)}".rstrip()
    if rule.review:
        yield f"  {review_said(rule.review)}"
