"""What happens, made from a seed: people's edits, runs and what strikes them, outages, answers that do not come."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from accord.pipeline.runs import RunKind

TICK = 600.0  # seconds between scheduled runs, as the flows' schedules have it
TICKS = 3
KILLED, HUB_LOST = "killed", "hub lost"
HICCUPS = ("drop_before", "unavailable", "session_expired", "limit_exceeded", "truncate")  # as the local org names them
ANSWERS = ("drop before commit", "drop after commit", "locked", "unavailable", "late")


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something that happens `at` a second of the story."""

    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit(Action):
    """Somebody changes a record; it becomes visible `late` seconds after its modification instant."""

    object: str
    native: str
    values: dict[str, Any]
    late: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """The `nth` point of a process (a commit in the hub, a request, a reading) is its last (KILLED); from it on, the hub can't be
    reached once (HUB_LOST)."""

    nth: int
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Start(Action):
    """A run begins. One that fails, or dies, is tried again as the same run after `again` seconds, as Airflow retries a task; a
    `zombie` is tried again although it is still alive. `pace`: how much slower it is than others."""

    name: str
    flow: str
    kind: RunKind
    keys: tuple[str, ...] = ()
    strike: Strike | None = None
    again: float | None = None
    zombie: bool = False
    pace: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage(Action):
    """A system answers nobody for `seconds`."""

    system: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers(Action):
    """What the next requests to a system meet instead of an answer, one each."""

    system: str
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hiccups(Action):
    """What the next readings of Salesforce meet on their way, one each: (fault, how many requests)."""

    faults: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stall(Action):
    """Whoever next reads a system stands still for `seconds` with what it read; or, unless `reading`, whoever is next to send to it,
    just before it asks whether it may."""

    system: str
    seconds: float
    reading: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock(Action):
    """Somebody has a record of a target open for `seconds`."""

    system: str
    key: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One story. Skews are seconds by which a clock is ahead of the scheduler's."""

    seed: int
    flows: tuple[str, ...]
    actions: tuple[Action, ...]
    source_skew: float = 0.0
    hub_skew: float = 0.0
    worker_skew: float = 0.0
    enforces_key: bool = False
    request_size: int = 2
    chunk_rows: int = 3


@dataclass(slots=True)
class Story:
    """A schedule in the making."""

    random: Random
    flows: tuple[str, ...]
    actions: list[Action] = field(default_factory=list)
    edits: int = 0
    runs: int = 0

    def when(self) -> float:
        """An instant: often within seconds of a scheduled run, when something is at work."""
        if self.random.random() < 0.6:
            return max(0.0, self.random.randint(1, TICKS) * TICK + self.random.uniform(-4, 8))
        return self.random.uniform(0, TICK * TICKS)

    def edit(self, object_name: str, native: str, at: float | None = None, **values: Any) -> None:
        late = self.random.uniform(0, 200) if self.random.random() < 0.25 else 0.0
        when = self.when() if at is None else at
        self.actions.append(Edit(at=when, object=object_name, native=native, values=values, late=late))

    def mark(self) -> str:
        """A value no other edit has."""
        self.edits += 1
        return f"+31 {self.edits:05d}"

    def start(self, flow: str, at: float, kind: RunKind, **more: Any) -> None:
        self.runs += 1
        pace = self.random.choice((1.0, 1.0, 1.0, 6.0))
        self.actions.append(
            Start(at=at, name=f"run {self.runs}", flow=flow, kind=kind, pace=pace, **more | self._misfortune())
        )

    def _misfortune(self) -> dict[str, Any]:
        if self.random.random() < 0.5:
            return {}
        strike = Strike(nth=int(self.random.triangular(1, 110, 70)), how=self.random.choice((KILLED, KILLED, HUB_LOST)))
        again = self.random.uniform(1, 20) if self.random.random() < 0.7 else None
        return {"strike": strike, "again": again, "zombie": again is not None and self.random.random() < 0.1}


def schedule(seed: int, against: str = "memory") -> Schedule:
    """The story of a seed, as it is played against a world (one of WORLDS)."""
    random = Random(seed)  # noqa: S311 - a story, not a secret
    flows, people = random.choice(THEMES)
    story = Story(random, flows)
    people(story)
    runs(story)
    trouble(story)
    if against != MEMORY:
        hiccups(story)
    told = Schedule(
        seed=seed,
        flows=flows,
        actions=tuple(sorted(story.actions, key=lambda action: action.at)),
        source_skew=random.choice((0.0, 0.0, random.uniform(-120, 120))),
        hub_skew=random.choice((0.0, random.uniform(-3600, 3600))),
        worker_skew=random.choice((0.0, random.uniform(-120, 120))),
        enforces_key=random.random() < 0.1,
        request_size=random.choice((1, 2, 5)),
    )
    return of_legacy(told) if against == ORG_AND_TABLES else told


def of_legacy(schedule: Schedule) -> Schedule:
    """The same story of customers of the legal entity whose books the legacy ERP keeps; one of more than customers stays."""
    instead = {TO_TRYTON: TO_LEGACY, TOLD: TOLD_OF_LEGACY}
    if not set(schedule.flows) <= instead.keys():
        return schedule

    def there(action: Action) -> Action:
        match action:
            case Edit() if "legal_entities" in action.values:
                return replace(action, values=action.values | {"legal_entities": ["US01"]})
            case Start():
                return replace(action, flow=instead[action.flow])
            case Answers() | Outage() | Stall() | Lock() if action.system == "tryton":
                return replace(action, system="legacy")
        return action

    flows = tuple(instead[name] for name in schedule.flows)
    return replace(schedule, flows=flows, actions=tuple(map(there, schedule.actions)))


def reconciled(schedule: Schedule) -> Schedule:
    """The same story, with reconciliations at any instant, some of which die."""
    random = Random(schedule.seed)  # noqa: S311 - as above
    story = Story(random, schedule.flows, list(schedule.actions), runs=len(schedule.actions))
    for flow in schedule.flows:
        for _ in range(3):
            story.start(flow, story.when(), RunKind.RECONCILE)
    return replace(schedule, actions=tuple(sorted(story.actions, key=lambda action: action.at)))


# ------------------------------------------------------------------------------------------------------------- people
def customers(story: Story, *, entities: tuple[tuple[str, ...], ...] = (("NL01",),), removable: bool = True) -> None:
    """Customers are created, changed, changed back, moved in their hierarchy, deleted, restored and merged."""
    random = story.random
    there = random.randint(2, 6)
    for n in range(there):
        parent = f"salesforce:{random.randrange(n)}" if n and random.random() < 0.3 else None
        story.edit("customer", str(n), at=random.choice((0.0, random.uniform(0, 500))), name=f"Customer {n}", country="NL",
                   currency="EUR", legal_entities=list(random.choice(entities)), phone=story.mark(), parent=parent)  # fmt: skip
    for _ in range(random.randint(4, 12)):
        n = random.randrange(there)
        for values, after in _change(story, n, entities, removable=removable):
            at = story.when()
            story.edit("customer", str(n), at=min(at + after, TICK * TICKS), **values)


def _change(
    story: Story, n: int, entities: tuple[tuple[str, ...], ...], *, removable: bool
) -> Iterator[tuple[dict[str, Any], float]]:
    random, kind = story.random, story.random.random()
    if kind < 0.5:
        yield {"phone": story.mark()}, 0
    elif kind < 0.65:  # and back
        yield {"website": "https://there.example"}, 0
        yield {"website": None}, random.uniform(0, 30)
    elif kind < 0.75 and n:
        yield {"parent": random.choice((None, f"salesforce:{random.randrange(n)}"))}, 0
    elif kind < 0.85 and removable:
        yield {"gone": True}, 0
        if random.random() < 0.7:
            yield {"gone": False}, random.uniform(1, 900)
    elif kind < 0.9 and removable and n:
        yield {"gone": True, "merged_into": "salesforce:0"}, 0
    else:
        yield {"legal_entities": list(random.choice(entities)), "phone": story.mark()}, 0


def customers_of_both(story: Story) -> None:
    """As above, moving between the ERPs."""
    customers(story, entities=(("NL01",), ("US01",), ("NL01", "US01")))


def orders(story: Story) -> None:
    """Customers and what they order: a burst, amendments, cancellations."""
    customers(story, removable=False)
    random = story.random
    there = 1 + max(int(e.native) for e in story.actions if isinstance(e, Edit))
    burst = story.when()
    for n in range(random.choice((2, 4, 12))):
        at = burst + random.uniform(0, 20)
        story.edit("order", f"O{n}", at=at, number=f"O{n}", customer=f"salesforce:{random.randrange(there)}",
                   legal_entity="NL01", currency="EUR", order_date="2026-03-02",
                   status=random.choice(("Activated", "Activated", "Draft")), **_lines(random))  # fmt: skip
        for _ in range(random.randint(0, 2)):
            later = at + random.uniform(0.5, 700)
            amendment = {"status": "Activated"} | _lines(random)
            story.edit("order", f"O{n}", at=later, **amendment)
        if random.random() < 0.2:
            story.edit("order", f"O{n}", at=at + random.uniform(700, 900), status="Cancelled")


def _lines(random: Random) -> dict[str, Any]:
    quantities = [random.randint(1, 99) for _ in range(random.randint(1, 3))]
    lines = [
        {"id": f"L{n}", "product": "tryton:P1", "quantity": str(q), "unit_price": "2.00", "cancelled": False}
        for n, q in enumerate(quantities)
    ]
    return {"lines": lines, "total": f"{2 * sum(quantities)}.00"}


BILLED = ({"id": "1", "description": "Work", "quantity": "1", "unit_price": "10.00", "net": "10.00", "tax": "2.10"},)


def billing(story: Story) -> None:
    """Customers, and what the ERP bills those it knows: posted, paid in parts."""
    customers(story, removable=False)
    random = story.random
    for n in range(random.randint(2, 6)):
        at = random.uniform(TICK, TICK * TICKS)
        story.edit("invoice", f"I{n}", at=at, number=f"I{n}", customer=str(random.randrange(2)), legal_entity="NL01",
                   system="tryton", status="Posted", currency="EUR", net="10.00", tax="2.10", total="12.10",
                   open_balance="12.10", overdue=False, invoice_date="2026-03-02", booking_date="2026-03-02", lines=BILLED)  # fmt: skip
        for paid in range(random.randint(0, 3)):
            left = f"{9 - 3 * paid}.10"
            story.edit("invoice", f"I{n}", at=at + (paid + 1) * random.uniform(1, 300), open_balance=left)


People = Callable[[Story], None]
TO_TRYTON, TO_BOTH, TOLD, ORDERS, INVOICES, TO_LEGACY, TOLD_OF_LEGACY = (
    "customer__to_tryton", "customer__to_erps", "customer__told", "order__to_tryton", "invoice__to_salesforce",
    "customer__to_legacy", "customer__told_of_legacy",
)  # fmt: skip
THEMES: tuple[tuple[tuple[str, ...], People], ...] = (
    ((TO_TRYTON,), customers),
    ((TO_TRYTON,), customers),
    ((TO_TRYTON,), customers),
    ((TO_BOTH,), customers_of_both),
    ((TOLD,), customers),
    ((TO_TRYTON, ORDERS), orders),
    ((TO_TRYTON, INVOICES), billing),
)
MEMORY, ORG, ORG_AND_TABLES = WORLDS = ("memory", "org", "org+tables")  # what a story is played against


# --------------------------------------------------------------------------------------------------- runs and trouble
def runs(story: Story) -> None:
    """The schedule's runs, some of them late or left out, and others beside them: backfills, runs of keys, repeated events."""
    random = story.random
    for flow in story.flows:
        for tick in range(1, TICKS + 1):
            if random.random() < 0.9:
                story.start(flow, tick * TICK + random.choice((0.0, random.uniform(0, 5))), RunKind.SCHEDULED)
        for _ in range(random.randint(0, 2)):
            kind = random.choice((RunKind.BACKFILL, RunKind.EVENT, RunKind.MANUAL, RunKind.SCHEDULED))
            story.start(flow, story.when(), kind)
        if random.random() < 0.4:  # events in any order, most of them again
            edits = [e for e in story.actions if isinstance(e, Edit) and flow.startswith(e.object)]
            keys = tuple(e.native for e in random.choices(edits, k=random.choice((3, 30))))
            story.start(flow, story.when(), RunKind.MANUAL, keys=keys)


def trouble(story: Story) -> None:
    """Outages, answers that do not come, locked records."""
    random = story.random
    systems = ["tryton"] + ["legacy"] * (TO_BOTH in story.flows) + ["salesforce"] * (INVOICES in story.flows)
    for _ in range(random.randint(0, 3)):
        faults = tuple(random.choice(ANSWERS) for _ in range(random.randint(1, 4)))
        story.actions.append(Answers(at=story.when(), system=random.choice(systems), faults=faults))
    if random.random() < 0.3:
        seconds = random.choice((2.0, 30.0, 700.0))
        story.actions.append(Outage(at=story.when(), system=random.choice([*systems, "salesforce"]), seconds=seconds))
    if random.random() < 0.2:
        edit = random.choice([a for a in story.actions if isinstance(a, Edit)])
        story.actions.append(
            Lock(at=story.when(), system="tryton", key=f"salesforce:{edit.native}", seconds=random.uniform(1, 700))
        )


def hiccups(story: Story) -> None:
    """Readings of a real org break on their way."""
    random = story.random
    for _ in range(random.randint(0, 3)):
        faults = tuple((random.choice(HICCUPS), random.randint(1, 3)) for _ in range(random.randint(1, 3)))
        story.actions.append(Hiccups(at=story.when(), faults=faults))
