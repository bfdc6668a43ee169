"""What is measured, as data: definition, unit and source of every figure. docs/metrics.md says the same, and a test holds it to that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Whom it is for."""

    BUSINESS = "business"
    TECHNICAL = "technical"


class Unit(StrEnum):
    """In what its value is."""

    SECONDS = "seconds"
    DAYS = "days"
    RATIO = "ratio"  # 0 to 1
    COUNT = "count"
    MONEY = "money"  # in the currency its label names


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One figure. `name`: the view kpi_<name> and the metric accord_<name>; `labels`: what it is told apart by; `window`: the time it
    is computed over; `source`: the tables and fields it comes from; `note`: what to know when reading it; `good`: which way is better."""

    name: str
    title: str
    kind: Kind
    unit: Unit
    labels: tuple[str, ...]
    window: str
    meaning: str
    source: str
    note: str = ""
    good: str = ""

    @property
    def view(self) -> str:
        """The view of the hub that computes it."""
        return f"kpi_{self.name}"

    @property
    def exported(self) -> str:
        """Its name among the exported metrics."""
        return f"accord_{self.name}"


# the stages of pipeline_to_cash, in the order of the way
STAGES = ("held", "ordered", "booked", "invoiced", "credited", "received", "outstanding")

_B, _T = Kind.BUSINESS, Kind.TECHNICAL
_WEEK, _MONTH, _NOW = "committed in the last 7 days", "the last 28 days", "now"

KPIS: tuple[Metric, ...] = (
    Metric(
        name="order_acceptance_seconds",
        title="Order acceptance time",
        kind=_B,
        unit=Unit.SECONDS,
        labels=("legal_entity", "statistic"),
        window=_WEEK,
        good="low",
        meaning="ERP accepted − Salesforce committed, median and 95th percentile, of orders that were accepted",
        source="committed: the earlier of the order's SystemModstamp as first delivered and Accord's first sight of it (`process`); "
        "accepted: its first delivery that the ERP took (`delivery`)",
        note="Orders not accepted yet are no part of it: they are `orders_pending`, with their age so far",
    ),
    Metric(
        name="orders_pending",
        title="Orders waiting for acceptance",
        kind=_B,
        unit=Unit.COUNT,
        labels=("status",),
        window=_NOW,
        good="low",
        meaning="orders committed and not accepted: open (on their way) or held (something waits for a person or a parent)",
        source="`process`: quote_to_cash before the step created",
    ),
    Metric(
        name="order_pending_age_seconds",
        title="Age of waiting orders",
        kind=_B,
        unit=Unit.SECONDS,
        labels=("status", "statistic"),
        window=_NOW,
        good="low",
        meaning="how long they have waited so far, median and longest",
        source="`process.opened`",
    ),
    Metric(
        name="order_fallout_ratio",
        title="Order fallout rate",
        kind=_B,
        unit=Unit.RATIO,
        labels=(),
        window=_WEEK,
        good="low",
        meaning="orders that entered an exception ÷ orders submitted",
        source="`process`, `exception` (reconciliation's differences are none)",
    ),
    Metric(
        name="straight_through_ratio",
        title="Straight-through rate",
        kind=_B,
        unit=Unit.RATIO,
        labels=("legal_entity",),
        window=_WEEK,
        good="high",
        meaning="accepted orders no hand touched ÷ accepted orders",
        source="`exception` of any kind but parked (those go on by themselves), `approval`, `audit`",
    ),
    Metric(
        name="order_cycle_days",
        title="Order cycle time",
        kind=_B,
        unit=Unit.DAYS,
        labels=("legal_entity", "statistic"),
        window=f"last payment in {_MONTH}",
        good="low",
        meaning="day of the last payment of an order's invoices − order date, median and 95th percentile, of orders that are paid",
        source="images of order, invoice and payment; `process` done",
    ),
    Metric(
        name="invoice_latency_days",
        title="Invoice latency (business)",
        kind=_B,
        unit=Unit.DAYS,
        labels=("legal_entity", "statistic"),
        window=f"invoiced in {_MONTH}",
        good="low",
        meaning="invoice date − the order's last shipment until then, median and 95th percentile",
        source="images of invoice and shipment, by their order",
        note="Neither ERP says which shipment an invoice bills; invoices of orders without a shipment are no part of it",
    ),
    Metric(
        name="invoice_visibility_seconds",
        title="Invoice latency (sync)",
        kind=_B,
        unit=Unit.SECONDS,
        labels=("legal_entity", "statistic"),
        window="posted in the last 7 days",
        good="low",
        meaning="visible in Salesforce − posted in the ERP, median and 95th percentile",
        source="`delivery`: the first that Salesforce took, and the ERP's modification instant it carried",
        note="An invoice that changed between posting and its first reading counts from the change",
    ),
    Metric(
        name="cash_visibility_ratio",
        title="Cash-application visibility",
        kind=_B,
        unit=Unit.RATIO,
        labels=("legal_entity",),
        window="booked in the last 7 days",
        good="high",
        meaning="payments visible in Salesforce within 60 minutes ÷ payments",
        source="`delivery` as above; `exception`: payments held back that long count as not visible, legal entity unknown",
    ),
    Metric(
        name="credited_ratio",
        title="Credited invoices, in place of a dispute rate",
        kind=_B,
        unit=Unit.RATIO,
        labels=("legal_entity",),
        window="invoiced in the last 90 days",
        good="low",
        meaning="invoices a credit memo corrects ÷ invoices",
        source="images of invoice and credit memo",
        note="Neither side keeps disputes that Accord could read, so how many invoices are disputed is not known",
    ),
    Metric(
        name="renewal_accuracy_ratio",
        title="Renewal accuracy",
        kind=_B,
        unit=Unit.RATIO,
        labels=("legal_entity",),
        window="contracts that end in the next 90 days",
        good="high",
        meaning="active contracts with a renewal whose amount, currency and day are what the ERP's contract says today ÷ active contracts",
        source="images of contract_status, contract_renewal, renewal, contract",
        note="The renewal as Accord created it: what sales makes of the opportunity is sales' own and not read",
    ),
    Metric(
        name="pipeline_to_cash",
        title="Pipeline to cash",
        kind=_B,
        unit=Unit.MONEY,
        labels=("stage", "legal_entity", "currency"),
        window="the last 365 days by order, invoice and payment date; held and outstanding: now",
        meaning="ordered (sum of the lines) → booked (as the ERP has it) → invoiced − credited → received → outstanding; held: at risk in "
        "open exceptions of orders",
        source="images of order, order_status, invoice, credit_memo, payment; `exception`",
        note="Ordered, booked, invoiced and credited without tax; received and outstanding with tax, as money is. An order that is held "
        "has no image, so its legal entity is unknown. Opportunities before commitment are not read",
    ),
    Metric(
        name="exceptions_open",
        title="Exception ageing",
        kind=_B,
        unit=Unit.COUNT,
        labels=("queue", "age"),
        window=_NOW,
        good="low",
        meaning="open exceptions per owner queue and age in business days (Monday to Friday, UTC): 0-1, 1-3, 3-5, over 5",
        source="`exception`",
    ),
    Metric(
        name="exceptions_at_risk",
        title="Money at risk",
        kind=_B,
        unit=Unit.MONEY,
        labels=("queue", "currency"),
        window=_NOW,
        good="low",
        meaning="amounts of records with an open exception",
        source="`exception.at_risk`",
    ),
    Metric(
        name="exception_ratio",
        title="Exception rate",
        kind=_B,
        unit=Unit.RATIO,
        labels=("object",),
        window="the last 7 days",
        good="low",
        meaning="exceptions raised ÷ (exceptions raised + records applied)",
        source="`exception`, `dispatch.counts`",
    ),
    Metric(
        name="duplicate_ratio",
        title="Duplicate rate",
        kind=_B,
        unit=Unit.RATIO,
        labels=(),
        window=_NOW,
        good="low",
        meaning="Σ(cluster size − 1) ÷ customers; a cluster is what suspected pairs connect",
        source="`exception` of kind duplicate; `process`: lead_to_customer",
    ),
    Metric(
        name="customer_master_accuracy_ratio",
        title="Customer-master accuracy",
        kind=_B,
        unit=Unit.RATIO,
        labels=("flow", "target"),
        window="the last reconciliation",
        good="high",
        meaning="linked with all owned fields equal ÷ (linked + orphans on both sides)",
        source="`reconciliation` of customer and customer_account as a whole; excluded and in-flight records are no part of it",
    ),
    Metric(
        name="retries",
        title="Retry volume",
        kind=_B,
        unit=Unit.COUNT,
        labels=("object", "target"),
        window="the last 7 days",
        good="low",
        meaning="Σ(attempts − 1) per record and version; manual runs, replays, corrections and undos excluded",
        source="`delivery` by outcome, `run.kind`",
        note="Attempts of different dispatches: retries inside one task (back-off) are not stored",
    ),
)  # fmt: skip

TECHNICAL: tuple[Metric, ...] = (
    Metric(
        name="flow_watermark_age_seconds", title="Age of the data", kind=_T, unit=Unit.SECONDS, labels=("flow",), window=_NOW,
        good="low", meaning="time since the watermark", source="`flow.watermark`",
    ),
    Metric(
        name="flow_last_run_failed", title="Last run failed", kind=_T, unit=Unit.COUNT, labels=("flow",), window="the last run that ended",
        good="low", meaning="1 when it failed, else 0", source="`run.state`",
    ),
    Metric(
        name="flow_last_run_seconds", title="Time of the last run", kind=_T, unit=Unit.SECONDS, labels=("flow",),
        window="the last run that ended", good="low", meaning="from its start to its end", source="`run.started`, `run.ended`",
    ),
    Metric(
        name="dispatches_in_doubt", title="Dispatches in doubt", kind=_T, unit=Unit.COUNT, labels=("target",), window=_NOW, good="low",
        meaning="sent without an answer and not read back yet", source="`dispatch`",
    ),
    Metric(
        name="system_available", title="System takes calls", kind=_T, unit=Unit.COUNT, labels=("system",), window=_NOW, good="high",
        meaning="1 when its breaker is closed and nobody holds it, else 0", source="`system`",
    ),
    Metric(
        name="system_requests_used_ratio", title="Requests used", kind=_T, unit=Unit.RATIO, labels=("system",), window="the system's day",
        good="low", meaning="requests used ÷ requests allowed, as the system last told", source="`system.used`, `system.allowed`",
    ),
    Metric(
        name="subscriber_behind", title="Subscriber is behind", kind=_T, unit=Unit.COUNT, labels=("subscriber",), window=_NOW, good="low",
        meaning="positions of the outbox after its cursor; events it does not want count too", source="`subscription.position`",
    ),
    Metric(
        name="alerts_open", title="Open alerts", kind=_T, unit=Unit.COUNT, labels=("severity",), window=_NOW, good="low",
        meaning="alerts that have not recovered", source="`alert`",
    ),
    Metric(
        name="notices_waiting", title="Notices not delivered", kind=_T, unit=Unit.COUNT, labels=(), window=_NOW, good="low",
        meaning="notices of alerts that no channel has taken yet, quiet hours aside", source="`notice`",
    ),
)  # fmt: skip

METRICS: dict[str, Metric] = {metric.name: metric for metric in (*KPIS, *TECHNICAL)}


def tables() -> str:
    """The definitions as Markdown: what docs/metrics.md contains."""
    return "\n".join([*_table("Business", KPIS), *_table("Technical", TECHNICAL)])


def _table(heading: str, metrics: tuple[Metric, ...]) -> Iterator[str]:
    yield f"## {heading}"
    yield ""
    yield "| metric | what it is | unit | labels | over | from |"
    yield "|---|---|---|---|---|---|"
    for one in metrics:
        note = f". {one.note}" if one.note else ""
        yield (
            f"| **{one.title}**<br>`{one.exported}` | {one.meaning}{note} | {one.unit} "
            f"| {', '.join(one.labels) or '–'} | {one.window} | {one.source} |"
        )
    yield ""
