"""The figures with their trends: what was last taken, and a line of the days before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from markupsafe import Markup

from accord_airflow.console.rendering import render
from accord_airflow.console.security import Signed
from accord_airflow.runtime import opened

if TYPE_CHECKING:
    from accord.metrics.values import Taken, Trend, Value

router = APIRouter()
# what the overview tells; none is money, none is of one flow
HEADLINES = (
    "order_acceptance_seconds",
    "orders_pending",
    "order_fallout_ratio",
    "straight_through_ratio",
    "invoice_visibility_seconds",
    "cash_visibility_ratio",
)
_WIDTH, _HEIGHT, _EDGE = 160, 32, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A row of the page. `tone`: good or bad, of the change since the first day shown; "" where that is no matter of better or worse."""

    labels: str
    value: str
    sample: str
    line: Markup
    change: str
    tone: str


@router.get("/", response_class=HTMLResponse)
def show(request: Request, person: Signed) -> Response:
    """Figures name no record. Of a flow they are shown to who may see its runs, amounts of money to who may see those of all flows."""
    from accord.flows import FLOWS
    from accord.metrics.definitions import KPIS, METRICS, STAGES, TECHNICAL, Unit
    from accord.metrics.values import TREND, latest, technical, trends

    with opened() as accord:
        taken, now, past = latest(accord.hub), technical(accord.hub), trends(accord.hub)
    every = (*taken.values, *now)
    flows = {*FLOWS, *(one.labels["flow"] for one in every if "flow" in one.labels)}
    hidden = flows - set(person.may_read(flows))
    values = [
        one
        for one in every
        if one.labels.get("flow") not in hidden and not (hidden and METRICS[one.name].unit is Unit.MONEY)
    ]
    known = {(one.name, *sorted(one.labels.items())): one for several in past.values() for one in several}
    groups = [
        (heading, [(metric, _series(values, metric.name, known)) for metric in metrics])
        for heading, metrics in (("Business", KPIS), ("Technical", TECHNICAL))
    ]
    return render(
        request,
        "kpis.html",
        title="Metrics",
        groups=groups,
        stages=STAGES,
        pipeline=_pipeline(values),
        at=taken.at,
        days=TREND.days,
    )


def headlines(taken: Taken) -> list[tuple[str, str]]:
    """(title, values in words) of HEADLINES, as they were last taken; those nothing is known of are left out."""
    from accord.metrics.definitions import METRICS

    told = [(METRICS[name].title, _series(taken.values, name, {})) for name in HEADLINES]
    return [
        (title, "; ".join(f"{one.labels}: {one.value}" if one.labels else one.value for one in series))
        for title, series in told
        if series
    ]


def _pipeline(values: Iterable[Value]) -> list[tuple[str, str, dict[str, Decimal]]]:
    """(legal entity, currency, stage → amount): how much stands where between pipeline and cash."""
    found: dict[tuple[str, str], dict[str, Decimal]] = {}
    for one in values:
        if one.name == "pipeline_to_cash":
            found.setdefault((one.labels["legal_entity"], one.labels["currency"]), {})[one.labels["stage"]] = one.value
    return [(entity, currency, stages) for (entity, currency), stages in sorted(found.items())]


def _series(values: Iterable[Value], name: str, known: Mapping[Any, Trend]) -> list[Series]:
    from accord.metrics.definitions import METRICS, Unit
    from accord.metrics.telling import in_unit, shown

    metric, found = METRICS[name], []
    for one in (value for value in values if value.name == name):
        trend = known.get((name, *sorted(one.labels.items())))
        points = trend.points if trend else ()
        text = [(day, in_unit(value, metric.unit, one.labels.get("currency", ""))) for day, value in points]
        change, tone = _change(points, metric.good)
        found.append(
            Series(
                labels=", ".join(one.labels[label] for label in metric.labels if label in one.labels),
                value=shown(one),
                sample=f"{one.sample:,}" if metric.unit in (Unit.RATIO, Unit.SECONDS, Unit.DAYS) and points else "",
                line=sparkline(points, text),
                change=change,
                tone=tone,
            )
        )
    return found


def _change(points: Sequence[tuple[date, Decimal]], good: str) -> tuple[str, str]:
    """How the last value compares with the first, in words, and whether that is good."""
    if len(points) < 2:
        return "", ""
    (since, first), (_, last) = points[0], points[-1]
    if first == last:
        return f"as on {since:%d %b}", ""
    word = "up" if last > first else "down"
    share = f" {abs(last - first) / abs(first) * 100:,.0f} %" if first else ""
    tone = "" if not good else "good" if (last > first) == (good == "high") else "bad"
    return f"{word}{share} since {since:%d %b}", tone


def sparkline(points: Sequence[tuple[date, Decimal]], text: Sequence[tuple[date, str]]) -> Markup:
    """A line of the days as inline SVG, whose title says first, lowest, highest and last in words; nothing for fewer than two days."""
    if len(points) < 2:
        return Markup("")
    days = [float((day - points[0][0]).days) for day, _ in points]
    numbers = [float(value) for _, value in points]
    low, high = min(numbers), max(numbers)
    drawn = " ".join(
        f"{_EDGE + day / days[-1] * (_WIDTH - 2 * _EDGE):.1f},{_HEIGHT - _EDGE - _part(n, low, high) * (_HEIGHT - 2 * _EDGE):.1f}"
        for day, n in zip(days, numbers, strict=True)
    )
    end = drawn.rpartition(" ")[2].split(",")
    said = (
        f"From {text[0][1]} on {text[0][0]:%d %b} to {text[-1][1]} on {text[-1][0]:%d %b}; "
        f"lowest {text[numbers.index(low)][1]}, highest {text[numbers.index(high)][1]}"
    )
    return Markup(
        '<svg class="spark" role="img" viewBox="0 0 {w} {h}" width="{w}" height="{h}"><title>{said}</title>'
        '<polyline points="{drawn}" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linejoin="round"/>'
        '<circle cx="{x}" cy="{y}" r="2.5" fill="currentColor"/></svg>'
    ).format(w=_WIDTH, h=_HEIGHT, said=said, drawn=drawn, x=end[0], y=end[1])


def _part(number: float, low: float, high: float) -> float:
    return (number - low) / (high - low) if high > low else 0.5
