"""An ERP behind the ports: one adapter, one handler per business object and direction.

An adapter is a connection and two registries, TARGETS and SOURCES; a new object is a handler in a file of its own and a
line in one of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Generic, TypeVar

import pyarrow as pa

from accord.errors import Stop
from accord.objects.definition import BusinessObject, Owner
from accord.ports import Check, Safety, Selection, Sending, Sink
from accord.systems import erp_rows

Context = TypeVar("Context")
CENSUS = pa.schema([("key", pa.string()), ("native", pa.string()), ("gone", pa.bool_())])
MATCHES = pa.schema([("key", pa.string()), ("native", pa.string()), ("rule", pa.string())])


class Handler(Generic[Context]):
    """One business object in one direction, over what the adapter's connection gives.

    `places`: dotted path of a canonical field → where the ERP keeps it, for documentation. `needs`: what `accord doctor`
    looks for, in the ERP's own terms (model → rights; relation → columns).
    """

    places: ClassVar[Mapping[str, str]] = {}
    needs: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    def __init__(self, context: Context) -> None:
        self._context = context

    def checks(self) -> Iterator[Check]:
        """What else `accord doctor` says about it."""
        return iter(())


class TargetHandler(Handler[Context], ABC):
    """How an object is written: what accord.ports.Target asks, for this object only. Tables come collapsed."""

    safety: ClassVar[Safety]
    keeps: ClassVar[frozenset[str]]
    fills_in: ClassVar[frozenset[str]] = frozenset()

    @abstractmethod
    def collapse(self, definition: BusinessObject, table: pa.Table) -> pa.Table:
        """`table` with everything the ERP can't distinguish made equal."""

    def find_matches(self, definition: BusinessObject, candidates: pa.Table) -> pa.Table:
        """MATCHES for `candidates`; none where the object has no duplicate rules."""
        if definition.duplicate_rules:
            raise Stop(f"{type(self).__name__} can't be searched for duplicates.", cure="Give the handler a search.")
        return MATCHES.empty_table()

    @abstractmethod
    def send(self, definition: BusinessObject, changes: pa.Table, sending: Sending) -> pa.Table:
        """RESULTS for `changes`."""

    @abstractmethod
    def read_back(self, definition: BusinessObject, wanted: pa.Table) -> pa.Table:
        """What the ERP holds of `wanted`."""

    @abstractmethod
    def census(self) -> Iterator[pa.Table]:
        """CENSUS pages of every record that carries a canonical key."""


class SourceHandler(Handler[Context], ABC):
    """How an object is read: which rows there are, and what follows from them.

    `not_read` are the fields and constituents that are not staged.
    """

    not_read: ClassVar[frozenset[str]] = frozenset()

    @abstractmethod
    def extract(self, definition: BusinessObject, selection: Selection, sink: Sink) -> datetime:
        """Write the selected roots to `sink`, each once, as accord.systems.erp_rows says; the instant the read began."""

    def unreadable(self, definition: BusinessObject) -> Mapping[str, str]:
        """See accord.ports.Source."""
        return {}

    def derive(self, table: pa.Table) -> pa.Table:
        """The canonical table with what is not read but follows from what is."""
        return table


def all_needs(handlers: Iterable[Handler[Any] | type[Handler[Any]]]) -> dict[str, tuple[str, ...]]:
    """What the handlers need, each thing once."""
    found: dict[str, tuple[str, ...]] = {}
    for handler in handlers:
        for name, details in handler.needs.items():
            found[name] = tuple(dict.fromkeys((*found.get(name, ()), *details)))
    return found


H = TypeVar("H", bound=Handler[Any])


class Erp(Generic[Context], ABC):
    """`Source` and `Target` (accord.ports) of every object that has a handler.

    A subclass gives the registries, `check`, `close` and `longest_request`. Raises Stop for an object without a handler.
    """

    side = Owner.ERP
    # object → its handler, made with the adapter's context when it is first used
    TARGETS: ClassVar[Mapping[str, type[TargetHandler[Any]]]] = {}
    SOURCES: ClassVar[Mapping[str, type[SourceHandler[Any]]]] = {}

    def __init__(self, name: str, context: Context) -> None:
        self._name, self._context = name, context
        self._targets: dict[str, TargetHandler[Any]] = {}
        self._sources: dict[str, SourceHandler[Any]] = {}

    @property
    def name(self) -> str:
        return self._name

    @property
    @abstractmethod
    def longest_request(self) -> timedelta:
        """See accord.ports.Target."""

    @abstractmethod
    def check(self, definitions: Mapping[str, BusinessObject]) -> Iterator[Check]:
        """See accord.ports.System."""

    @abstractmethod
    def close(self) -> None:
        """Let go of connections."""

    @classmethod
    def places(cls, object_name: str) -> dict[str, str]:
        """Dotted path of the canonical field → where this kind of ERP keeps it; {} where it does not have the object."""
        handlers = (registry.get(object_name) for registry in (cls.SOURCES, cls.TARGETS))
        return {path: place for handler in handlers if handler for path, place in handler.places.items()}

    # --------------------------------------------------------------------------------------------------- target
    def safety(self, definition: BusinessObject) -> Safety:
        return self._target(definition).safety

    def keeps(self, definition: BusinessObject) -> frozenset[str]:
        return self._target(definition).keeps

    def fills_in(self, definition: BusinessObject) -> frozenset[str]:
        return self._target(definition).fills_in

    def collapse(self, definition: BusinessObject, table: pa.Table) -> pa.Table:
        return self._target(definition).collapse(definition, table)

    def find_matches(self, definition: BusinessObject, candidates: pa.Table) -> pa.Table:
        handler = self._target(definition)
        return handler.find_matches(definition, handler.collapse(definition, candidates))

    def send(self, definition: BusinessObject, changes: pa.Table, sending: Sending) -> pa.Table:
        handler = self._target(definition)
        return handler.send(definition, handler.collapse(definition, changes), sending)

    def read_back(self, definition: BusinessObject, wanted: pa.Table) -> pa.Table:
        return self._target(definition).read_back(definition, wanted)

    def census(self, definition: BusinessObject) -> Iterator[pa.Table]:
        return self._target(definition).census()

    def remote_ended(self, remote: str) -> bool:
        return True  # calls are synchronous: there are no jobs

    # --------------------------------------------------------------------------------------------------- source
    def extract(self, definition: BusinessObject, selection: Selection, sink: Sink) -> datetime:
        return self._source(definition).extract(definition, selection, sink)

    def unreadable(self, definition: BusinessObject) -> Mapping[str, str]:
        return self._source(definition).unreadable(definition)

    def unwritable(self, definition: BusinessObject) -> Mapping[str, str]:
        return {}  # a full set is written

    def affected(self, definition: BusinessObject, natives: Sequence[str], selection: Selection) -> tuple[str, ...]:
        return ()  # a record's stamp moves with everything that is read of it: see the handlers' extract

    def roots(self, definition: BusinessObject) -> tuple[str, ...]:
        return (next(iter(self.required_columns(definition))),)

    def required_columns(self, definition: BusinessObject) -> Mapping[str, Mapping[str, pa.DataType]]:
        return erp_rows.columns(definition, self._source(definition).not_read)

    def to_canonical(self, definition: BusinessObject, staged: Mapping[str, pa.Table], read_at: datetime) -> pa.Table:
        handler = self._source(definition)
        table = erp_rows.canonical(self._name, definition, handler.not_read, staged, read_at)
        return handler.derive(table)

    def native_of(self, definition: BusinessObject, key: str) -> str:
        origin, _, native = key.partition(":")
        return native if origin == self._name else key  # what is told of a record elsewhere has that record's key

    # --------------------------------------------------------------------------------------------------- inside
    def _handlers(self) -> Iterator[Handler[Any]]:
        """Every handler, for `check`."""
        for registry in (self.TARGETS, self.SOURCES):
            yield from (handler(self._context) for handler in registry.values())

    def _target(self, definition: BusinessObject) -> TargetHandler[Any]:
        if definition.name not in self._targets:
            self._targets[definition.name] = self._handler(self.TARGETS, definition, "not written to")
        return self._targets[definition.name]

    def _source(self, definition: BusinessObject) -> SourceHandler[Any]:
        if definition.name not in self._sources:
            self._sources[definition.name] = self._handler(self.SOURCES, definition, "not read from")
        return self._sources[definition.name]

    def _handler(self, registry: Mapping[str, type[H]], definition: BusinessObject, not_done: str) -> H:
        if definition.name not in registry:
            raise Stop(f"{definition.name} is {not_done} {self._name}.", cure="Add a handler, or correct the flow.")
        return registry[definition.name](self._context)
