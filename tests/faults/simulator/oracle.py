"""Who is right in the end. Knows what people did, what the systems hold and what they noted of every write; of the hub it reads only
what it claims to have accounted for. What each system should hold is written here again, by hand."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

State = Mapping[str, Any]
Content = dict[str, Any]

LOST, DUPLICATED, OUT_OF_ORDER, UNACCOUNTED = CLASSES = ("lost", "duplicated", "out of order", "unaccounted")
BOOKS = {"tryton": {"NL01", "GB01"}, "legacy": {"US01"}}
NOBODY: Content = {}  # what a system holds of a record it is to hold nothing active of


@dataclass(slots=True)
class Verdict:
    """What is wrong, a sentence each, by class."""

    found: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, kind: str, sentence: str) -> None:
        self.found[kind].append(sentence)

    @property
    def counts(self) -> dict[str, int]:
        return {kind: len(self.found.get(kind, ())) for kind in CLASSES}

    @property
    def well(self) -> bool:
        return not any(self.found.values())

    def __str__(self) -> str:
        return "\n".join(f"{kind}: {sentence}" for kind, told in self.found.items() for sentence in told)


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One record that took effect in a system, as the system noted it."""

    object: str
    key: str
    created: bool
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What a run says became of the records it read, in one target, and what the source says it gave that run's attempts."""

    run: str
    target: str
    accounted: int
    gave: frozenset[int]


@dataclass(slots=True, kw_only=True)
class Evidence:
    """All the oracle looks at. `said`: (object, key) → every state, oldest first; `held`: system → (object, key) → records."""

    said: Mapping[tuple[str, str], list[State]]
    told: Mapping[str, tuple[str, ...]]  # object → the systems that are to be told
    held: Mapping[str, Mapping[tuple[str, str], list[State]]]
    noted: Mapping[str, list[Note]]
    accounts: list[Account]
    unsettled: list[str]  # dispatches, claims and records still waiting, although everything is well again
    watermarks: list[tuple[str, list[Any]]]  # flow → every value its watermark had
    written_last: int  # writes of a last round of runs after which nothing had changed


def judge(evidence: Evidence) -> Verdict:
    """The verdict on a story."""
    verdict = Verdict()
    for (name, key), states in evidence.said.items():
        for system in evidence.told.get(name, ()):
            _end(verdict, evidence, system, name, key, states)
            notes = [n for n in evidence.noted[system] if (n.object, n.key) == (name, key)]
            _way(verdict, system, name, key, [content(system, name, state) for state in states], notes)
    for system, held in evidence.held.items():
        for name, key in held.keys() - evidence.said.keys():
            verdict.add(UNACCOUNTED, f"{system} has {name} {key}, which nobody made")
    for account in evidence.accounts:
        if account.accounted not in account.gave:
            gave = " or ".join(map(str, sorted(account.gave)))
            verdict.add(
                UNACCOUNTED,
                f"{account.run} accounts for {account.accounted} records in {account.target}, it was given {gave}",
            )
    for sentence in evidence.unsettled:
        verdict.add(UNACCOUNTED, sentence)
    for flow, values in evidence.watermarks:
        if values != sorted(values):
            verdict.add(OUT_OF_ORDER, f"the watermark of {flow} went back")
    if evidence.written_last:
        verdict.add(DUPLICATED, f"{evidence.written_last} records were written although nothing had changed")
    return verdict


def content(system: str, name: str, state: State) -> Content:
    """What `system` is to hold of a record in this state."""
    if state["gone"]:
        return NOBODY
    if name == "customer":
        if not BOOKS[system] & set(state["legal_entities"]):
            return NOBODY
        return {field: state.get(field) or None for field in ("name", "phone", "website")}
    if name == "order":
        if state["status"] != "Activated":
            return NOBODY
        return {
            "number": state["number"],
            "customer": state["customer"],
            "total": Decimal(state["total"]),
            "lines": sorted((line["id"], Decimal(line["quantity"])) for line in state["lines"] or ()),
        }
    return {
        "number": state["number"],
        "customer": state["customer"],
        "total": Decimal(state["total"]),
        "open_balance": Decimal(state["open_balance"]),
    }


def _end(verdict: Verdict, evidence: Evidence, system: str, name: str, key: str, states: list[State]) -> None:
    wanted = content(system, name, states[-1])
    held = evidence.held[system].get((name, key), [])
    if len(held) > 1:
        verdict.add(DUPLICATED, f"{system} has {name} {key} {len(held)} times")
    if wanted and not held:
        verdict.add(LOST, f"{system} has no {name} {key}")
    for record in held[:1]:
        there = _comparable(system, name, record)
        if there != wanted:
            verdict.add(
                LOST,
                f"{system} holds an older {name} {key}"
                if wanted and there
                else f"{system}: {name} {key} lives on"
                if there
                else f"{system}: {name} {key} is inactive",
            )
        elif wanted and name == "customer":
            parent = states[-1].get("parent")
            above = evidence.said.get((name, parent)) if parent else None
            must = {parent} if above and content(system, name, above[-1]) else {parent, None}
            if record["parent"] not in must:
                verdict.add(LOST, f"{system} has {name} {key} below {record['parent']}, not below {parent}")
        elif wanted and name == "invoice" and len(record["lines"] or ()) != len(states[-1]["lines"]):
            verdict.add(LOST, f"{system} has {name} {key} with {len(record['lines'] or ())} lines")


def _comparable(system: str, name: str, record: State) -> Content:
    if record["gone"]:
        return NOBODY
    entities = {"legal_entities": sorted(BOOKS[system])} if name == "customer" else {}
    status = {"status": "Activated"} if name == "order" else {}
    return content(system, name, {**record, **entities, **status})


def _way(verdict: Verdict, system: str, name: str, key: str, versions: list[Content], notes: list[Note]) -> None:
    """Each version took effect at most once, and none after a later one."""
    place, last, created = 0, None, 0
    for note in notes:
        now = _comparable(system, name, {"gone": False, **note.fields}) if note.fields else NOBODY
        everything = _plain(note.fields)
        created += note.created
        if last is not None and everything == last:
            verdict.add(DUPLICATED, f"{system} was told the same of {name} {key} twice")
            continue
        last = everything
        ahead = [n for n in range(place, len(versions)) if versions[n] == now]
        if ahead:
            place = ahead[0]
        elif now in versions:
            verdict.add(OUT_OF_ORDER, f"{system} was told an older version of {name} {key} after a newer one")
        else:
            verdict.add(UNACCOUNTED, f"{system} was told of a {name} {key} that never was so")
    if created > 1:
        verdict.add(DUPLICATED, f"{system} was told {created} times to create {name} {key}")


def _plain(fields: Mapping[str, Any]) -> str:
    return repr(sorted(fields.items()))


def totals(verdicts: Iterator[Verdict]) -> Counter[str]:
    """The four numbers."""
    counted: Counter[str] = Counter(dict.fromkeys(CLASSES, 0))
    for verdict in verdicts:
        counted.update(verdict.counts)
    return counted
