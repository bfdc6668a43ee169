"""What a reconciliation can say of one record, and how it comes to say it: from facts alone, so that every case is a line of a test.

A record is spoken of as different only when nothing is on its way: no claim is open, nothing newer was written since the
source was read, and what changed in the source has had its time to arrive.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

from accord.categories import Category
from accord.objects.definition import BusinessObject, Money

BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)  # the version of what the source knows nothing of


class Said(StrEnum):
    """What the source says."""

    LIVE = "live"
    GONE = "gone"  # deleted, or not for this target
    ABSENT = "absent"  # not even as deleted
    EXCLUDED = "excluded"  # it does not travel as it stands
    UNRESOLVED = "unresolved"  # it refers to what no link knows yet


class Held(StrEnum):
    """What the target holds."""

    LIVE = "live"
    GONE = "gone"  # deactivated
    ABSENT = "absent"


class Standing(StrEnum):
    """A record that is no difference."""

    AGREED = "agreed"
    EXCLUDED = "excluded"
    IN_FLIGHT = "in flight"  # being written, or changed too lately to have arrived
    WAITING = "waiting"  # an open exception has it already


class Class(StrEnum):
    """A record that is one."""

    MISSING = "missing"
    EXTRA = "extra"
    FIELD_DIFFERS = "field differs"
    AMOUNT_DIFFERS = "amount differs"
    STATUS_LAG = "status lag"
    DUPLICATE = "duplicate"
    ORPHAN_LINK = "orphan link"


class Cause(StrEnum):
    """What most likely happened."""

    NEVER_ARRIVED = "it never arrived"
    DELETED_IN_TARGET = "it was deleted in the target"
    CHANGED_IN_TARGET = "it was changed in the target after it was written"
    CHANGE_MISSED = "a change in the source did not arrive"
    UNSTAMPED_CHANGE = "it changed in the source without its modification instant (a formula, a record it refers to)"
    DELETED_IN_SOURCE = "it was deleted in the source, or taken out of this target's scope"
    UNKNOWN_TO_SOURCE = "the source never had it, or lost it before it was linked"
    LINK_LOST = "both have it and no link connects them"
    DELETED_IN_BOTH = "both deleted it and the link stayed"
    ENTERED_TWICE = "it was entered again in the target under the same key"


class Correction(StrEnum):
    """What is done about it, always by the object's own flow."""

    SEND_AGAIN = "send it again"
    CREATE_AGAIN = "create it again"
    RELINK = "connect the two and send it again"
    DEACTIVATE = "deactivate it in the target"
    RETIRE = "deactivate it in the target, as the source has no trace of it"
    UNLINK = "let go of the link"
    BY_HAND = "merge the records in the target"


CATEGORY = {
    Class.MISSING: Category.NOT_THERE,
    Class.EXTRA: Category.NOT_IN_SOURCE,
    Class.FIELD_DIFFERS: Category.FIELD_DIFFERS,
    Class.AMOUNT_DIFFERS: Category.AMOUNT_DIFFERS,
    Class.STATUS_LAG: Category.STATUS_LAG,
    Class.DUPLICATE: Category.DUPLICATE,
    Class.ORPHAN_LINK: Category.LINK_BROKEN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What the hub knew. `hash` None: the target was never told of it; `claimed`: it is being written right now."""

    native: str | None
    version: datetime | None
    read_at: datetime | None
    hash: bytes | None
    gone: bool
    claimed: bool
    left_out: str | None

    @property
    def told(self) -> bool:
        """Whether the target was told of the record, whatever it was told."""
        return self.hash is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that is known of one record, from one look. `fields` are the dotted paths in which the two sides differ, `hash` is
    what the flow would have the target told, `read_at` the instant the source was read, `natives` the target's own ids of
    every live record that carries the key; `discarded`: a person decided to leave behind what the source says, or took it back;
    `handed_over`: what was created belongs to the target's side with all its fields, whatever that does with it; `amounts`:
    (currency, source's, target's)."""

    key: str
    said: Said
    held: Held
    read_at: datetime
    fields: tuple[str, ...] = ()
    version: datetime | None = None
    hash: bytes | None = None
    natives: tuple[str, ...] = ()
    before: Link | None = None
    after: Link | None = None
    waits: bool = False
    discarded: bool = False
    handed_over: bool = False
    amounts: tuple[str, Decimal, Decimal] = ("", Decimal(0), Decimal(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One record in which source and target do not agree. `at_risk`: the money by which they differ."""

    key: str
    kind: Class
    cause: Cause
    correction: Correction
    version: datetime
    fields: tuple[str, ...] = ()
    natives: tuple[str, ...] = ()
    currency: str = ""
    at_risk: Decimal = Decimal(0)
    seen: Link | None = field(default=None, compare=False)

    @property
    def rule(self) -> str:
        """What a decision about it is about, beside its version."""
        return f"{self.kind}: {', '.join(self.fields)}" if self.fields else str(self.kind)


def classify(definition: BusinessObject, facts: Facts) -> Standing | Difference:
    """What is to be said of a record."""
    if _moving(facts):
        return Standing.IN_FLIGHT
    if facts.said is Said.EXCLUDED:
        return Standing.EXCLUDED
    if agrees(facts):
        return Standing.AGREED
    if facts.discarded:
        return Standing.EXCLUDED
    if facts.waits or facts.said is Said.UNRESOLVED:
        return Standing.WAITING
    if facts.said in (Said.LIVE, Said.GONE) and _on_its_way(definition, facts):
        return Standing.IN_FLIGHT
    kind, cause, correction = _judged(definition, facts)
    currency, ours, theirs = facts.amounts
    return Difference(
        key=facts.key,
        kind=kind,
        cause=cause,
        correction=correction,
        version=facts.version or (facts.after.version if facts.after else None) or BEFORE_ALL,
        fields=facts.fields,
        natives=facts.natives,
        currency=currency,
        at_risk=abs(ours - theirs),
        seen=facts.after,
    )


def agrees(facts: Facts) -> bool:
    """Whether nothing needs to be done about the record, if nothing moves."""
    if len(facts.natives) > 1:
        return False
    told = facts.after is not None and facts.after.told
    if facts.handed_over and told:
        return True
    if facts.said is Said.LIVE:
        return facts.held is Held.LIVE and not facts.fields and told
    if facts.held is Held.LIVE:
        return False
    return facts.said is Said.GONE or facts.after is None or not told or facts.after.gone


def _moving(facts: Facts) -> bool:
    """Whether it was written, or is being written, since it was read from the source."""
    if facts.before != facts.after:
        return True
    link = facts.after
    return link is not None and (link.claimed or (link.read_at is not None and link.read_at > facts.read_at))


def _late(facts: Facts) -> bool:
    """Whether the source changed it after what the target was told."""
    link = facts.after
    if facts.version is None:
        return False
    return link is None or link.version is None or facts.version > link.version


def _on_its_way(definition: BusinessObject, facts: Facts) -> bool:
    if facts.after is not None and facts.after.hash == facts.hash:
        return False  # it changed in what the target is not told of: Accord's own status, for one
    recent = facts.version is not None and facts.version > facts.read_at - definition.reconciling.lag
    return recent and _late(facts)


def _judged(definition: BusinessObject, facts: Facts) -> tuple[Class, Cause, Correction]:
    link = facts.after if facts.after is not None and facts.after.told else None
    if len(facts.natives) > 1:
        return Class.DUPLICATE, Cause.ENTERED_TWICE, Correction.BY_HAND
    if facts.said is not Said.LIVE:
        if facts.held is not Held.LIVE:
            return Class.ORPHAN_LINK, Cause.DELETED_IN_BOTH, Correction.UNLINK
        correction = Correction.RETIRE if facts.said is Said.ABSENT else Correction.DEACTIVATE
        if link is None:
            return Class.EXTRA, Cause.UNKNOWN_TO_SOURCE, correction
        return Class.EXTRA, Cause.CHANGED_IN_TARGET if link.gone else Cause.DELETED_IN_SOURCE, correction
    if facts.held is Held.ABSENT:
        if link is None:
            return Class.MISSING, Cause.NEVER_ARRIVED, Correction.SEND_AGAIN
        return Class.MISSING, Cause.DELETED_IN_TARGET, Correction.CREATE_AGAIN
    if link is None:
        return Class.ORPHAN_LINK, Cause.LINK_LOST, Correction.RELINK
    if link.hash == facts.hash:
        return _differing(definition, facts), Cause.CHANGED_IN_TARGET, Correction.SEND_AGAIN
    cause = Cause.CHANGE_MISSED if _late(facts) else Cause.UNSTAMPED_CHANGE
    # what comes with a status (what is left to pay, lines that were shipped) is behind with it
    behind = cause is Cause.CHANGE_MISSED and definition.state in facts.fields
    return Class.STATUS_LAG if behind else _differing(definition, facts), cause, Correction.SEND_AGAIN


def _differing(definition: BusinessObject, facts: Facts) -> Class:
    money = {path for path, one in definition.every_field() if isinstance(one.type, Money)}
    _, ours, theirs = facts.amounts
    return Class.AMOUNT_DIFFERS if money & {*facts.fields} or ours != theirs else Class.FIELD_DIFFERS
