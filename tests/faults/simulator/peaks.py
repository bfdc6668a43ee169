"""Stories told on purpose: a storm of repeated events, the end of a quarter on which the ERP goes away, and
those that only one safeguard brings to a good end."""

from __future__ import annotations

from random import Random

from accord.pipeline.runs import RunKind
from tests.faults.simulator.schedule import (
    ANSWERS,
    BILLED,
    INVOICES,
    KILLED,
    ORDERS,
    TICK,
    TO_TRYTON,
    Action,
    Answers,
    Edit,
    Outage,
    Schedule,
    Stall,
    Start,
    Strike,
)


def replay_storm(seed: int, *, events: int = 10_000, repeats: int = 9_000, runs: int = 10) -> Schedule:
    """Everything that was said is said again and again, in any order, to runs side by side; meanwhile it changes."""
    random = Random(seed)  # noqa: S311 - a story, not a secret
    there = events - repeats
    told = [str(n) for n in range(there)] + [str(random.randrange(there)) for _ in range(repeats)]
    random.shuffle(told)
    actions: list[Action] = [_customer(n, at=0.0, phone=f"+31 {n:05d}") for n in range(there)]
    share = events // runs
    for n in range(runs):
        keys = tuple(told[n * share : (n + 1) * share])
        strike = Strike(nth=random.randint(20, 60), how=KILLED) if n % 5 == 4 else None
        actions.append(
            Start(at=12 + random.uniform(0, 6) if n else 10.0, name=f"replay {n}", flow=TO_TRYTON, kind=RunKind.MANUAL, keys=keys,
                  strike=strike, again=5.0)
        )  # fmt: skip
    for n in random.sample(range(there), there // 10):
        edit = Edit(at=10 + random.uniform(0, 8), object="customer", native=str(n), values={"phone": f"+32 {n:05d}"})
        actions.append(edit)
    actions.append(Answers(at=10, system="tryton", faults=("drop after commit", "late", "drop before commit")))
    return Schedule(seed=seed, flows=(TO_TRYTON,), actions=_in_order(actions), request_size=100, chunk_rows=300)


def quarter_end(seed: int, *, orders: int = 300) -> Schedule:
    """A burst of orders, amended while they travel; in the middle of it the ERP is away for longer than anybody waits."""
    random = Random(seed)  # noqa: S311 - as above
    actions: list[Action] = [_customer(n, at=0.0, phone=f"+31 {n:05d}") for n in range(20)]
    actions.append(Start(at=60.0, name="customers", flow=TO_TRYTON, kind=RunKind.SCHEDULED))
    for n in range(orders):
        at = TICK + random.uniform(0, 20)
        actions.append(_order(random, n, at))
        if random.random() < 0.2:
            actions.append(_order(random, n, at + random.uniform(0.5, 60)))
    for n in range(6):
        at = TICK + 4 + 6 * n
        strike = Strike(nth=random.randint(20, 70), how=KILLED) if n == 2 else None
        actions.append(Start(at=at, name=f"orders {n}", flow=ORDERS, kind=RunKind.EVENT, strike=strike))
    actions.append(Outage(at=TICK + 9, system="tryton", seconds=15))
    actions.append(Answers(at=TICK + 25, system="tryton", faults=("drop after commit", "late", "locked")))
    return Schedule(seed=seed, flows=(TO_TRYTON, ORDERS), actions=_in_order(actions), request_size=20, chunk_rows=60)


def all_at_once(*, runs: int = 8) -> Schedule:
    """The same new customers are read by runs that begin together."""
    actions: list[Action] = [_customer(n, at=0.0, phone=f"+31 {n:05d}") for n in range(6)]
    actions += [Start(at=10.0, name=f"run {n}", flow=TO_TRYTON, kind=RunKind.EVENT) for n in range(runs)]
    return Schedule(seed=1, flows=(TO_TRYTON,), actions=_in_order(actions))


def late(system: str) -> Schedule:
    """A run stands still, having read (`system`: the source) or about to send (the target), until another has written something
    newer; then it goes on."""
    actions: list[Action] = [
        _customer(0, at=0.0, phone="+31 00001"),
        Stall(at=1.0, system=system, seconds=60, reading=system == "salesforce"),
        Start(at=10.0, name="stands still", flow=TO_TRYTON, kind=RunKind.EVENT),
        Edit(at=20.0, object="customer", native="0", values={"phone": "+31 00002"}),
        Start(at=30.0, name="goes by", flow=TO_TRYTON, kind=RunKind.EVENT),
    ]
    return Schedule(seed=1, flows=(TO_TRYTON,), actions=_in_order(actions))


def late_invoice(*, reading: bool) -> Schedule:
    """The same of an invoice on its way to Salesforce: the run stands still having read it, or about to send it."""
    actions: list[Action] = [
        _customer(0, at=0.0, phone="+31 00001"),
        Start(at=10.0, name="customers", flow=TO_TRYTON, kind=RunKind.EVENT),
        Edit(at=60.0, object="invoice", native="I0", values=_BILL | {"open_balance": "12.10"}),
        Stall(at=61.0, system="tryton" if reading else "salesforce", seconds=60, reading=reading),
        Start(at=70.0, name="stands still", flow=INVOICES, kind=RunKind.EVENT),
        Edit(at=80.0, object="invoice", native="I0", values={"open_balance": "6.10"}),
        Start(at=90.0, name="goes by", flow=INVOICES, kind=RunKind.EVENT),
    ]
    return Schedule(seed=1, flows=(TO_TRYTON, INVOICES), actions=_in_order(actions))


_BILL = {
    "number": "I0", "customer": "0", "legal_entity": "NL01", "system": "tryton", "status": "Posted", "currency": "EUR",
    "net": "10.00", "tax": "2.10", "total": "12.10", "overdue": False, "invoice_date": "2026-03-02", "booking_date": "2026-03-02",
    "lines": BILLED,
}  # fmt: skip


def every_answer(system: str) -> Schedule:
    """Each thing that a request to `system` can meet is met: by customers on their way to it, or by their invoices."""
    actions: list[Action] = [_customer(n, at=0.0, phone=f"+31 {n:05d}") for n in range(len(ANSWERS))]
    billed = system == "salesforce"
    if billed:
        actions.append(Start(at=10.0, name="customers", flow=TO_TRYTON, kind=RunKind.EVENT))
        for n in range(len(ANSWERS)):
            bill = _BILL | {"number": f"I{n}", "customer": str(n), "open_balance": "12.10"}
            actions.append(Edit(at=60.0, object="invoice", native=f"I{n}", values=bill))
    actions.append(Answers(at=69.0, system=system, faults=ANSWERS))
    flow = INVOICES if billed else TO_TRYTON
    actions += [Start(at=70.0 + n * TICK, name=f"run {n}", flow=flow, kind=RunKind.EVENT) for n in range(3)]
    flows = (TO_TRYTON, INVOICES) if billed else (TO_TRYTON,)
    return Schedule(seed=1, flows=flows, actions=_in_order(actions), chunk_rows=1)


def late_commit() -> Schedule:
    """What is committed after a run has read was modified before it."""
    actions: list[Action] = [
        _customer(0, at=0.0, phone="+31 00001"),
        Start(at=TICK, name="before", flow=TO_TRYTON, kind=RunKind.SCHEDULED),
        Edit(at=TICK + 60, object="customer", native="0", values={"phone": "+31 00002"}, late=120.0),
        Start(at=2 * TICK, name="after", flow=TO_TRYTON, kind=RunKind.SCHEDULED),
    ]
    return Schedule(seed=1, flows=(TO_TRYTON,), actions=_in_order(actions))


def late_effect() -> Schedule:
    """A request takes effect only after its sender has stopped waiting for the answer."""
    actions: list[Action] = [
        _customer(0, at=0.0, phone="+31 00001"),
        Answers(at=1.0, system="tryton", faults=("late",)),
        Start(at=10.0, name="run", flow=TO_TRYTON, kind=RunKind.EVENT),
    ]
    return Schedule(seed=1, flows=(TO_TRYTON,), actions=_in_order(actions))


def source_away() -> Schedule:
    """The first run, long after people began, can't read; the next one reads from where it believes that one ended."""
    actions: list[Action] = [
        _customer(0, at=0.0, phone="+31 00001"),
        Outage(at=9 * TICK, system="salesforce", seconds=TICK / 2),
        Start(at=9 * TICK + 10, name="can't read", flow=TO_TRYTON, kind=RunKind.SCHEDULED),
    ]
    return Schedule(seed=1, flows=(TO_TRYTON,), actions=_in_order(actions))


def _customer(n: int, *, at: float, phone: str) -> Edit:
    values = {"name": f"Customer {n}", "country": "NL", "currency": "EUR", "legal_entities": ["NL01"], "phone": phone}
    return Edit(at=at, object="customer", native=str(n), values=values | {"parent": None})


def _order(random: Random, n: int, at: float) -> Edit:
    quantity = random.randint(1, 999)
    line = {"id": "L1", "product": "tryton:P1", "quantity": str(quantity), "unit_price": "2.00", "cancelled": False}
    values = {"number": f"O{n}", "customer": f"salesforce:{n % 20}", "legal_entity": "NL01", "currency": "EUR",
              "order_date": "2026-03-02", "status": "Activated", "lines": [line], "total": f"{2 * quantity}.00"}  # fmt: skip
    return Edit(at=at, object="order", native=f"O{n}", values=values)


def _in_order(actions: list[Action]) -> tuple[Action, ...]:
    return tuple(sorted(actions, key=lambda action: action.at))
