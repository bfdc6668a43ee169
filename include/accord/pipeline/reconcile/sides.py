"""The two sides of a reconciliation: what the source says now and what the target holds now, in the same canonical words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from accord.batch import RECORDS, Chunk, Manifest
from accord.errors import AccordError, Stop
from accord.flows import Flow
from accord.objects import business_object
from accord.pipeline.compare import as_told
from accord.pipeline.elsewhere import kept_elsewhere
from accord.pipeline.extract import extract
from accord.pipeline.moving import gone_from, staying
from accord.pipeline.reconcile.classes import Said
from accord.pipeline.resolve import OUT_OF_SCOPE, UNRESOLVED, resolve
from accord.pipeline.runs import Params, RunKind, engine_run_name, open_run
from accord.pipeline.sweep import sweep
from accord.pipeline.transform import said_of, transform
from accord.records import conform, content_hash, content_texts, schema_of
from accord.runtime import Accord
from accord.systems.collapsing import flat

READ_AT_ONCE = 5_000  # records the target is asked for in one call

HOLDING = pa.field("native", pa.string())


@dataclass(frozen=True)
class Reading:
    """A run that does nothing but read the source."""

    accord: Accord
    run: int

    @cached_property
    def manifest(self) -> Manifest:
        """What it reads, when this is first asked for: a canonical batch."""
        return self.accord.staging.manifest(transform(self.accord, self.run, extract(self.accord, self.run)))


@dataclass(frozen=True, slots=True)
class Ours:
    """What the source says of some records, as far as one target is concerned: `said` (Said values), `rows` as the target would hold
    them, edits in force and under the ids it has for their parts; `told` what the link remembers, not collapsed, `words` the hash
    of what the source said (null where everything was read), `natives` where the target keeps what is told of them, if the hub
    knows another place than the link."""

    said: pa.Array
    rows: pa.Table
    told: pa.Table
    words: pa.Array
    natives: pa.Array


@contextmanager
def source_says(accord: Accord, flow: Flow, keys: Sequence[str] | None = None) -> Iterator[Reading]:
    """Everything the source has, or what it has of `keys` (see `asked_of`), as a batch that lives as long as the context.

    The first half of a dry run: nothing is released, judged or sent, and nothing kept but the run itself.
    """
    params = Params(keys=tuple(keys or ()), dry_run=True, full_refresh=True)
    kind = RunKind.RECONCILE
    run = open_run(accord, flow, engine_run=engine_run_name(kind), kind=kind, params=params)
    error: str | None = "interrupted"
    try:
        yield Reading(accord, run)
        error = None
    except AccordError as raised:
        error = str(raised)
        raise
    finally:
        with accord.hub.session() as session:
            session.execute(
                "UPDATE run SET state = %s, error = %s, ended = now() WHERE id = %s",
                ("failed" if error else "succeeded", error, run),
            )
        sweep(accord, flow.name, done=run)


def asked_of(accord: Accord, flow: Flow, keys: Sequence[str]) -> tuple[str, ...]:
    """Those of `keys` that a run of the flow takes. A key the source can't be asked for (somebody typed it in the target) is left
    out: the source has none of it."""
    source, definition = accord.source(flow.source), business_object(flow.object)
    asked = []
    for key in keys:
        try:
            source.native_of(definition, key)
        except Stop:
            continue
        asked.append(key)
    return tuple(asked)


class Pair:
    """One object between one source and one target. `names` are the fields and constituents that are compared: those the source
    owns and the target keeps."""

    def __init__(self, accord: Accord, flow: Flow, target: str) -> None:
        self.accord, self.flow = accord, flow
        self.definition = business_object(flow.object)
        self.target = accord.target(target)
        self.stream = accord.hub.stream(target, flow.object)
        side = accord.system(flow.source).side
        self.names = self.target.keeps(self.definition) & self.definition.sent_by(side, creating=False)

    def ours(self, chunk: Chunk) -> Ours:
        """What a chunk of the canonical batch says."""
        table = self.accord.staging.read(chunk.parts[RECORDS])
        unedited = as_told(self.accord.staging, table, chunk)
        with self.accord.hub.session() as session:
            stays = staying(session, self.definition, table)
            gone = pa.chunked_array([flat(gone_from(self.definition, table, self.target.name, stays))])
            here, told = (one.set_column(one.column_names.index("gone"), "gone", gone) for one in (table, unedited))
            nobody = pa.nulls(len(table), pa.string())
            held = kept_elsewhere(session, self.definition, self.target.name, here.append_column("native", nobody))
        stands = pc.if_else(_parks(table), Said.UNRESOLVED.value, Said.LIVE.value)
        live_or_gone = pc.if_else(flat(gone), Said.GONE.value, stands)
        return Ours(
            said=pc.if_else(flat(table[OUT_OF_SCOPE]), Said.EXCLUDED.value, live_or_gone),
            rows=conform(self.definition, self.target.collapse(self.definition, held.drop_columns(["native"]))),
            told=told,
            words=flat(said_of(table)),
            natives=flat(held["native"]),
        )

    def theirs(self, keys: pa.Array, natives: pa.Array) -> pa.Table:
        """What the target holds of `keys` (`natives`: its own ids, null where the hub knows none), with references as canonical
        ids and `native`; absent rows are left out."""
        wanted = pa.table({"key": keys, "native": natives})
        schema = schema_of(self.definition).append(HOLDING)
        pages = [schema.empty_table()]
        for first in range(0, len(wanted), READ_AT_ONCE):
            found = self.target.read_back(self.definition, wanted.slice(first, READ_AT_ONCE))
            held = resolve(self.accord.hub, self.definition, conform(self.definition, found))
            page = conform(self.definition, held).append_column(HOLDING, found["native"].cast(pa.string()))
            pages.append(page.cast(schema))
        return pa.concat_tables(pages)

    def same(self, ours: pa.Table, theirs: pa.Table, place: pa.Array) -> tuple[pa.Array, pa.Array]:
        """Per row of `ours`, whether the row of `theirs` at its `place` has the same content, and whether it has but for the parent;
        false where the place is null. Whether a record is gone is told apart: a system may have no other way to say so than by a
        status the record can have anyway."""
        held = content_texts(self.definition, theirs, self.names)
        same = alone = pc.is_valid(place)
        for name, text in content_texts(self.definition, ours, self.names).items():
            other = held[name].take(place)
            equal = pc.coalesce(pc.equal(text, other), pc.and_(pc.is_null(text), pc.is_null(other)))
            same = pc.and_(same, equal)
            if name != self.definition.parent:
                alone = pc.and_(alone, equal)
        return same, alone

    def digest(self, told: pa.Table, *, alone: bool = False) -> pa.Array:
        """The digest the flow keeps in the link."""
        names = self.names - {self.definition.parent} if alone else self.names
        collapsed = conform(self.definition, self.target.collapse(self.definition, told))
        return content_hash(self.definition, collapsed, names)


def _parks(table: pa.Table) -> pa.Array:
    """Rows one of whose unresolved references makes the record wait."""
    lists = flat(table[UNRESOLVED])
    parks = pc.equal(pc.struct_field(pc.list_flatten(lists), "unknown"), "park")
    rows = pc.unique(pc.list_parent_indices(lists).filter(parks))
    return pc.is_in(pa.array(range(len(table)), pa.int64()), value_set=rows.cast(pa.int64()))
