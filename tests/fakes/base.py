"""What both fakes share, and the pipeline's side of the ports: a write-ahead record and a sink, in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from accord.errors import BadCredentials, InDoubt, SchemaDrift, Unavailable
from accord.objects.definition import BusinessObject, Owner
from accord.ports import Check


@dataclass(slots=True, kw_only=True)
class FakeSending:
    """The write-ahead record of a chunk as the adapter sees it. `expired`: the send deadline has passed."""

    dispatch: int = 1
    expired: bool = False
    requests: int = 0
    remotes: list[str] = field(default_factory=list)

    def before_request(self) -> None:
        if self.expired:
            raise InDoubt("The send deadline has passed.", cure="The next run reads the target back.")
        self.requests += 1

    def remember_remote(self, remote: str) -> None:
        self.remotes.append(remote)


@dataclass(slots=True)
class CollectingSink:
    """A sink that keeps what is written; `chunk()` gives it as one staged chunk."""

    expected: int | None = None
    written: dict[str, list[pa.Table]] = field(default_factory=dict)
    roots: dict[str, list[str]] = field(default_factory=dict)

    def expect(self, roots: int) -> None:
        assert not self.written, "expect() comes before the first write()"
        self.expected = roots

    def write(self, part: str, rows: pa.Table, root: str, beside: pa.Array | None = None) -> None:
        tables = self.written.setdefault(part, [])
        assert not tables or tables[0].schema.equals(rows.schema), f"every write of {part} has the same schema"
        tables.append(rows)
        self.roots.setdefault(part, []).extend(rows[root].to_pylist())

    def chunk(self) -> dict[str, pa.Table]:
        return {part: pa.concat_tables(tables) for part, tables in self.written.items()}


@dataclass(slots=True, kw_only=True)
class Fake:
    name: str
    side: Owner
    down: bool = False  # unreachable
    bad_login: bool = False
    drifted: str | None = None  # a column the mapping needs and the system no longer has
    missing: frozenset[str] = frozenset()  # fields and constituents it no longer has
    closed: bool = False

    def check(self, definitions: Mapping[str, BusinessObject]) -> Iterator[Check]:
        try:
            self.connect()
        except (Unavailable, BadCredentials, SchemaDrift) as error:
            yield Check(subject=self.name, ok=False, found=type(error).__name__, cure=error.cure)
        else:
            yield Check(subject=self.name, ok=True, found=f"answers; keeps {', '.join(definitions)}")

    def connect(self) -> None:
        if self.down:
            raise Unavailable(f"{self.name} can't be reached.", cure="Start it.")
        if self.bad_login:
            raise BadCredentials(f"{self.name} refused the login.", cure="Correct the password.")
        if self.drifted:
            raise SchemaDrift(f"{self.name} has no field {self.drifted}.", cure="Restore it.")

    def _demand(self, missing: Iterable[str]) -> None:
        if names := sorted(missing):
            raise SchemaDrift(f"{self.name} has no field {', '.join(names)}.", cure="Restore it.")

    def close(self) -> None:
        self.closed = True
