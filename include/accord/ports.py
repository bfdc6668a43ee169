"""What the pipeline asks of a system. An adapter implements `Source`, `Target` or both; the contract suite judges it.

Tables are Arrow. A *staged chunk* maps a part's name (the system's own: `Account`, `Contact`, `party`) to its rows in the
system's own columns. *Changes* are canonical tables (accord.records) with three more kinds of column:
`native` (the target's own id; null = create), `<reference>__native` for each reference field (null = not there), and
`depth` (0 for a root; a parent always has a smaller depth than its children and stands before them in the table).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

import pyarrow as pa

from accord.objects.definition import BusinessObject, Owner


class Safety(StrEnum):
    """Why a second sending of the same change does no harm in this system."""

    ENFORCED_KEY = "enforced_key"  # the target refuses a second record with the same key
    FULL_SET_UPDATE = "full_set_update"  # sending again changes nothing
    DRAFT_THEN_COMMIT = "draft_then_commit"  # a draft is created, the lowest id per reference kept, then confirmed


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What to read. `since`/`until` bound the modification instant (since inclusive, until exclusive; None = open);
    `natives`, when given, are the source's own ids and the window is ignored. `without` names root fields and constituents
    that can't be read now: their columns are null, their parts none."""

    since: datetime | None = None
    until: datetime | None = None
    natives: tuple[str, ...] | None = None
    without: frozenset[str] = frozenset()


class Sink(Protocol):
    """Where extracted rows go. The pipeline's sink keeps all rows of one root in one chunk, whatever the order they come in."""

    def expect(self, roots: int) -> None:
        """Say about how many root records will come, before the first write."""

    def write(self, part: str, rows: pa.Table, root: str, beside: pa.Array | None = None) -> None:
        """Add rows of `part`; column `root` holds the native id of the root each row belongs to. Every write of a part has the
        same schema. `beside`, one per row, names another root to whose chunk the row must come, instead of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of `accord doctor`: what was looked at, whether it is well, what was found and how to mend it."""

    subject: str
    ok: bool
    found: str
    cure: str = ""


class Sending(Protocol):
    """The write-ahead record of the chunk being sent, as an adapter sees it."""

    @property
    def dispatch(self) -> int:
        """Its number in the hub; good for naming things in the target."""

    def before_request(self) -> None:
        """Call before every request that changes the target. Raises InDoubt once the send deadline has passed."""

    def remember_remote(self, remote: str) -> None:
        """Store the id of an asynchronous job in the target, before the job is let loose."""


class System(Protocol):
    """What every adapter has."""

    @property
    def name(self) -> str:
        """The name the registry knows it by: salesforce, tryton, legacy."""

    @property
    def side(self) -> Owner:
        """Owner.SALESFORCE or Owner.ERP."""

    def check(self, definitions: Mapping[str, BusinessObject]) -> Iterator[Check]:
        """Look at connection, credentials, permissions, fields and settings. Never raises for a finding."""

    def close(self) -> None:
        """Let go of connections."""


class Source(System, Protocol):
    """A system that is read."""

    def extract(self, definition: BusinessObject, selection: Selection, sink: Sink) -> datetime:
        """Write every root selected, with *all* of its constituents, to `sink`, streaming; deleted and merged ones included.

        A root counts as changed when it or one of its constituents changed. Returns the instant the read began (the system's
        clock where it tells). Raises Unavailable, BadCredentials, SchemaDrift.
        """

    def unreadable(self, definition: BusinessObject) -> Mapping[str, str]:
        """Asked after a SchemaDrift: root field or constituent → its place in the system, of those that are missing, of another
        type or not permitted. {} where it is not known, or something every record needs is lacking."""

    def affected(self, definition: BusinessObject, natives: Sequence[str], selection: Selection) -> tuple[str, ...]:
        """Those of `natives` that show values of other records (a customer's legal entities on its order), where one of those
        changed in the selection's window. Such a change is none of the record itself: only records that are held are asked for."""

    def roots(self, definition: BusinessObject) -> tuple[str, ...]:
        """The parts whose rows are roots; those of the others belong to them."""

    def required_columns(self, definition: BusinessObject) -> Mapping[str, Mapping[str, pa.DataType]]:
        """part → column → type of what a staged chunk must have; the structure gate is derived from it."""

    def to_canonical(self, definition: BusinessObject, staged: Mapping[str, pa.Table], read_at: datetime) -> pa.Table:
        """The staged chunk as a canonical table, one row per root row (duplicates kept). Total: a value that can't be converted
        becomes null in the field and its reason one line in an extra `list<string>` column `problems` ("currency: not a known code"),
        never with the value itself. Reference fields hold the *referenced system's native id prefixed as canonical id* where the
        origin is known (`salesforce:001…`), else `<this system>:<native>`; the pipeline resolves these through the hub's links."""

    def native_of(self, definition: BusinessObject, key: str) -> str:
        """The native id inside a canonical id of this origin, as `Selection.natives` takes it."""


class Target(System, Protocol):
    """A system that is written."""

    @property
    def longest_request(self) -> timedelta:
        """No single request can still take effect this long after it was started."""

    def safety(self, definition: BusinessObject) -> Safety:
        """How a second sending is harmless."""

    def keeps(self, definition: BusinessObject) -> frozenset[str]:
        """Names of the canonical fields and constituents this system stores; only these are hashed, sent and read back."""

    def fills_in(self, definition: BusinessObject) -> frozenset[str]:
        """Names of the kept fields and constituents the system supplies by itself where it is told nothing (an address of the
        customer's for an order without one): what it holds there is no difference."""

    def collapse(self, definition: BusinessObject, table: pa.Table) -> pa.Table:
        """`table` with everything the target can't distinguish made equal (trimmed text, empty as null, rounding)."""

    def find_matches(self, definition: BusinessObject, candidates: pa.Table) -> pa.Table:
        """Records already in the target that may be the same as `candidates` (canonical rows about to be created), by the definition's
        duplicate rules: columns key (candidate's), native (the target's id), rule (field names joined by +). Exact on codes,
        normalized (accord.matching.normalized_name) on names."""

    def send(self, definition: BusinessObject, changes: pa.Table, sending: Sending) -> pa.Table:
        """Apply `changes` (create where native is null, update otherwise; `gone` = deactivate) and return RESULTS rows, exactly one per
        key. Writes only fields in definition.sent_by(side, creating=…) ∩ keeps. One bad record never fails the others. Outcomes:
        applied; retry (lock, limit); reject (with category); hold (parent missing: `awaits`); unknown where no answer came.
        Raises Unavailable (nothing sent), BadCredentials, SchemaDrift."""

    def unwritable(self, definition: BusinessObject) -> Mapping[str, str]:
        """The same of what is written: `send` takes a definition without these (BusinessObject.without). {} where the system can't
        be written in part."""

    def read_back(self, definition: BusinessObject, wanted: pa.Table) -> pa.Table:
        """What the target now holds for `wanted` (columns key, native nullable): a canonical table (collapsed, only kept fields filled,
        system columns except key/gone null) plus `native`; rows not found are absent. A create in doubt is looked up by its key."""

    def census(self, definition: BusinessObject) -> Iterator[pa.Table]:
        """Every record of the object that carries a canonical key, page by page: columns key, native, gone. One key more than once is
        a duplicate. Nothing where records carry no key of their own, being those of another object."""

    def remote_ended(self, remote: str) -> bool:
        """Whether the asynchronous job `remote` can no longer change anything; aborts it if it has not been let loose."""
