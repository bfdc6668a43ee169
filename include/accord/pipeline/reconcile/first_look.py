"""The first look: everything on both sides, chunk by chunk, to find the few records a second look is worth.

A chunk holds the records whose keys fall into one bucket (ADR 0002), and the target is asked for just these keys: both sides
of a record are in memory together, and nothing else is. The census, taken of the target while the source is read, finds what
only the target or only the hub knows.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc
from psycopg.rows import tuple_row

from accord.batch import StagedFile
from accord.hub.copying import copy_into
from accord.pipeline.reconcile.amounts import Amounts, add_amounts
from accord.pipeline.reconcile.classes import Said, Standing
from accord.pipeline.reconcile.sides import Ours, Pair, Reading
from accord.systems.collapsing import flat

SAID = pa.schema([("key", pa.string()), ("standing", pa.string())])  # "" where it takes a second look
CENSUS = pa.schema([("key", pa.string()), ("native", pa.string()), ("gone", pa.bool_())])

_LINKS = """
SELECT CASE WHEN l.hash IS NOT NULL THEN coalesce(l.native, substr(a.key, strpos(a.key, ':') + 1)) END,
  l.hash IS NOT NULL, l.left_out IS NOT NULL
FROM asked a LEFT JOIN link l ON l.stream = %(stream)s AND l.key = a.key ORDER BY a.n
"""

# links to what the source has no trace of, and live records of the target that no link and no source knows
_STRAY = """
SELECT l.key, '', '' FROM link l
WHERE l.stream = %(stream)s AND l.hash IS NOT NULL AND NOT l.gone AND starts_with(l.key, %(origin)s)
  AND NOT EXISTS (SELECT FROM said s WHERE s.key = l.key)
UNION ALL
SELECT t.key, string_agg(t.native, chr(31) ORDER BY t.native), coalesce(min(s.standing), '')
FROM there t LEFT JOIN said s ON s.key = t.key
WHERE NOT t.gone AND starts_with(t.key, %(origin)s)
GROUP BY t.key
HAVING count(*) > 1 OR (count(s.key) = 0 AND NOT EXISTS (
  SELECT FROM link l WHERE l.stream = %(stream)s AND l.key = t.key AND l.hash IS NOT NULL AND NOT l.gone))
"""


@dataclass(slots=True)
class Looked:
    """What a first look found. `counts` by Standing of what needs no second one, `doubtful` the keys that do, `natives` the
    target's own ids where the census saw them."""

    counts: Counter[str] = field(default_factory=Counter)
    doubtful: list[pa.Array] = field(default_factory=list)
    natives: dict[str, tuple[str, ...]] = field(default_factory=dict)
    amounts: Amounts = field(default_factory=dict)

    def keys(self) -> pa.Array:
        """The keys for the second look, each once."""
        return pc.unique(pa.concat_arrays([pa.array([], pa.string()), *self.doubtful]))


def first_look(pair: Pair, reading: Reading) -> Looked:
    """Compare everything `reading` has with what the target holds, and take the census."""
    looked = Looked()
    folder = pair.accord.staging.new_batch(pair.flow.name, reading.run, f"census-{pair.target.name}")
    with ThreadPoolExecutor(max_workers=1) as beside:
        counting = beside.submit(_there, pair, f"{folder}/there.parquet")
        chunks = reading.manifest.chunks
        there = counting.result()
    said = pair.accord.staging.open_writer(f"{folder}/said.parquet", SAID)
    for chunk in chunks:
        said.append(_compare(pair, pair.ours(chunk), looked))
    _census(pair, said.close(), there, looked)
    return looked


def _there(pair: Pair, file: str) -> StagedFile:
    """Every key the target holds, staged."""
    there = pair.accord.staging.open_writer(file, CENSUS)
    for page in pair.target.census(pair.definition):
        there.append(page.select(CENSUS.names).cast(CENSUS))
    return there.close()


def _compare(pair: Pair, mine: Ours, looked: Looked) -> pa.Table:
    """One chunk; SAID of it."""
    said, ours = mine.said, mine.rows
    keys = flat(ours["key"])
    natives, told, left_out = _links(pair, keys)
    theirs = pair.theirs(keys, pc.coalesce(mine.natives, natives))
    place = pc.index_in(keys, value_set=flat(theirs["key"]))
    there = pc.is_valid(place)
    same, alone = pair.same(ours, theirs, place)
    if pair.definition.parent and pc.any(left_out).as_py():
        parentless = pc.is_null(flat(theirs[pair.definition.parent]).take(place))
        same = pc.or_(same, pc.and_(pc.and_(alone, parentless), left_out))
    inactive = pc.fill_null(flat(theirs["gone"]).take(place), False)
    live = pc.equal(said, Said.LIVE.value)
    gone = pc.equal(said, Said.GONE.value)
    # whether such a record is gone it says in its state
    well = pc.and_(live, same if pair.definition.state else pc.and_(same, pc.invert(inactive)))
    agreed = pc.or_(pc.and_(well, told), pc.and_(gone, pc.or_(pc.invert(there), inactive)))
    excluded = pc.equal(said, Said.EXCLUDED.value)
    standing = pc.if_else(excluded, Standing.EXCLUDED.value, pc.if_else(agreed, Standing.AGREED.value, ""))
    for counted in pc.value_counts(standing).to_pylist():
        if counted["values"]:
            looked.counts[counted["values"]] += counted["counts"]
    looked.doubtful.append(keys.filter(pc.equal(standing, "")))
    add_amounts(looked.amounts, pair, ours.filter(live), side="source")
    of = pc.index_in(flat(theirs["key"]), value_set=keys)
    counts = pc.or_(live.take(of), pc.invert(flat(theirs["gone"])))
    add_amounts(looked.amounts, pair, theirs.filter(counts), side="target", beside=ours.take(of.filter(counts)))
    return pa.table([keys, standing], schema=SAID)


def _links(pair: Pair, keys: pa.Array) -> tuple[pa.Array, pa.Array, pa.Array]:
    """What the hub's links say of `keys`, in their order: the target's own id, whether it was told, whether without the parent."""
    with pair.accord.hub.session() as session:
        session.execute("CREATE TEMP TABLE asked (n int, key text) ON COMMIT DROP")
        copy_into(session, "asked", pa.table({"n": pa.array(range(len(keys)), pa.int32()), "key": keys}))
        session.execute("ANALYZE asked")
        with session.cursor(row_factory=tuple_row) as cursor:
            rows = cursor.execute(_LINKS, {"stream": pair.stream}).fetchall()
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    return pa.array(columns[0], pa.string()), pa.array(columns[1], pa.bool_()), pa.array(columns[2], pa.bool_())


def _census(pair: Pair, said: StagedFile, there: StagedFile, looked: Looked) -> None:
    """Add what the source has no trace of, what the target has more than once, and what no link and no source knows."""
    with pair.accord.hub.session() as session:
        session.execute("CREATE TEMP TABLE said (key text, standing text) ON COMMIT DROP")
        session.execute("CREATE TEMP TABLE there (key text, native text, gone boolean) ON COMMIT DROP")
        for name, file in (("said", said), ("there", there)):
            for page in pair.accord.staging.pages(file):
                copy_into(session, name, page)
        session.execute("ANALYZE said, there")
        with session.cursor(row_factory=tuple_row) as cursor:
            origin = f"{pair.flow.source}:"
            found = cursor.execute(_STRAY, {"stream": pair.stream, "origin": origin}).fetchall()
    for key, natives, standing in found:
        if natives:
            looked.natives[key] = tuple(natives.split("\x1f"))
        if standing:  # one of several under its key agreed
            looked.counts[standing] -= 1
    looked.doubtful.append(pa.array([key for key, _, _ in found], pa.string()))
