"""The statements of a comparison, in the order they run. `staged` holds one row per record of the batch."""

STAGED = """
CREATE TEMP TABLE staged (
  key text NOT NULL, version timestamptz, read_at timestamptz, hash bytea, hash_alone bytea, said bytea, gone boolean, deleted boolean,
  parent text, state text, out_of_scope boolean, currency text, amount numeric, batch_chunk int,
  held boolean NOT NULL DEFAULT false,                -- the target takes no calls now
  unresolved text, awaits text, awaits_object text,   -- what it waits for, as the source or as the canonical id has it
  bucket text NOT NULL DEFAULT 'changed', behind boolean NOT NULL DEFAULT false, native text,
  parent_native text, parent_left_out boolean NOT NULL DEFAULT false, elsewhere boolean NOT NULL DEFAULT false,
  tree text, depth int NOT NULL DEFAULT 0) WITH (fillfactor = 50) ON COMMIT DROP
"""

# what rows are looked for by: the hashes would cost as much again
ANALYZED = "ANALYZE staged (key, parent, bucket, gone, unresolved, batch_chunk, out_of_scope)"

CLASSIFY = (
    """UPDATE staged s SET bucket = 'quarantined'
       WHERE %(judged)s AND EXISTS (SELECT FROM finding f WHERE f.run = %(run)s AND f.key = s.key)""",
    # what is gone before the target was told of it needs nothing, unless it is being told right now
    """UPDATE staged s SET bucket = 'excluded' WHERE bucket = 'changed' AND (out_of_scope OR (gone AND NOT EXISTS (
         SELECT FROM link l WHERE l.stream = %(stream)s AND l.key = s.key AND (l.hash IS NOT NULL OR l.dispatch IS NOT NULL))))""",
    # a person decided against what it says: it stays behind until it says something else, or somebody asks for it
    """UPDATE staged s SET bucket = 'excluded'
       FROM exception e
       WHERE NOT %(asked)s AND e.discarded AND e.object = %(object)s AND e.target IN ('', %(target)s) AND e.key = s.key
         AND e.said = s.said AND s.bucket = 'changed'""",
    """UPDATE staged SET bucket = 'parked', awaits = unresolved WHERE bucket = 'changed' AND unresolved IS NOT NULL""",
)

RECOGNIZE = (
    # what the source says again is newer than what was applied: nothing older may come after it
    """UPDATE link l SET version = n.version, read_at = n.read_at, deleted = n.deleted
       FROM (SELECT l.key, s.version, s.read_at, s.deleted FROM link l JOIN staged s ON s.key = l.key
             WHERE NOT %(dry)s AND l.stream = %(stream)s AND l.hash = s.hash AND l.dispatch IS NULL AND s.version > l.version
               AND s.bucket = 'changed'
             ORDER BY l.key FOR UPDATE OF l) n
       WHERE l.stream = %(stream)s AND l.key = n.key""",
    """UPDATE staged s SET bucket = CASE WHEN l.hash = s.hash THEN 'unchanged' ELSE 'superseded' END
       FROM link l
       WHERE l.stream = %(stream)s AND l.key = s.key AND s.bucket = 'changed' AND l.hash IS NOT NULL
         AND (l.hash = s.hash OR NOT newer(s.version, s.read_at, l.version, l.read_at, %(overlap)s))
         AND (l.dispatch IS NULL OR (s.version, s.read_at) <= (l.p_version, l.p_read_at))""",
    # the target has refused just this content before: asking again changes nothing, unless a person asks for the record
    """UPDATE staged s SET bucket = 'rejected'
       FROM exception e
       WHERE e.object = %(object)s AND e.target = %(target)s AND e.key = s.key AND e.state <> 'closed' AND e.kind = 'rejected'
         AND e.hash = s.hash AND s.bucket = 'changed' AND NOT %(asked)s""",
    # where order matters, what comes later waits behind the refusal until a person has settled that
    """UPDATE staged s SET bucket = 'parked', behind = true
       FROM exception e
       WHERE %(ordered)s AND e.object = %(object)s AND e.target = %(target)s AND e.key = s.key AND e.state <> 'closed'
         AND e.kind = 'rejected' AND s.bucket = 'changed' AND NOT s.gone AND NOT %(asked)s""",
)

# where the target has it: as it was told, or, before it was told anything, as a person said. Only of what is left to send, as an
# update of every record takes longer than all else
NATIVES = """
UPDATE staged s SET native = CASE WHEN l.hash IS NULL THEN l.native ELSE coalesce(l.native, substr(s.key, strpos(s.key, ':') + 1)) END
FROM link l
WHERE l.stream = %(stream)s AND l.key = s.key AND s.bucket = 'changed' AND (l.hash IS NOT NULL OR l.native IS NOT NULL)
"""

# the members of one tree share a chunk to load; a tree of one is called by nobody
CHANGED = """
WITH trees AS (SELECT coalesce(tree, key) AS tree, count(*) AS n, min(depth) AS depth, min(batch_chunk) AS batch_chunk
               FROM staged WHERE bucket = 'changed' GROUP BY 1),
places AS (SELECT tree, ((sum(n) OVER (ORDER BY depth, batch_chunk, tree) - n) / %(chunk_rows)s)::int AS number FROM trees)
SELECT s.key, s.gone, s.deleted AS _deleted, s.hash, s.said AS _said, s.native, s.parent_native, s.parent_left_out,
  s.depth, p.number AS _number, s.state AS _state,
  coalesce(s.currency, '') AS _currency, coalesce(s.amount, 0) AS _amount, s.batch_chunk
FROM staged s JOIN places p ON p.tree = coalesce(s.tree, s.key)
WHERE s.bucket = 'changed' ORDER BY s.batch_chunk, p.number, s.depth, s.key
"""

KEYS = """
SELECT key, batch_chunk FROM staged
WHERE bucket = 'changed' AND NOT gone AND NOT (%(created)s AND native IS NOT NULL) ORDER BY batch_chunk
"""

PARKED = """
SELECT key, version, said, awaits, awaits_object, held, unresolved IS NOT NULL AS unresolved, elsewhere,
  nullif(currency, '') AS currency, amount
FROM staged WHERE bucket = 'parked' AND NOT behind
"""

BEHIND = """
UPDATE exception e SET behind = s.version, seen = now() FROM staged s
WHERE s.behind AND e.object = %(object)s AND e.target = %(target)s AND e.key = s.key AND e.state <> 'closed' AND e.kind = 'rejected'
"""

# nothing is sent to a target that takes no calls: what would be waits, as far as it waits for nothing else
HOLD_ALL = "UPDATE staged SET bucket = 'parked', held = true WHERE bucket = 'changed'"

COUNTS = """
SELECT coalesce(jsonb_object_agg(bucket, n), '{}') AS counts,
  coalesce((SELECT jsonb_object_agg(bucket, sums) FROM (
    SELECT bucket, jsonb_object_agg(currency, amount) AS sums FROM (
      SELECT bucket, coalesce(currency, '') AS currency, sum(amount)::text AS amount FROM staged WHERE amount <> 0 GROUP BY 1, 2) a
    GROUP BY bucket) b), '{}') AS amounts
FROM (SELECT bucket, count(*) AS n FROM staged GROUP BY bucket) c
"""

# what is unchanged or out of scope has nothing left to complain about; whether the systems agree only a reconciliation can say
CLOSE_EXCEPTIONS = """
UPDATE exception SET state = 'closed', closed = now(), resolution = 'the record needs nothing any more'
WHERE id IN (
  SELECT e.id FROM exception e JOIN staged s ON s.key = e.key
  WHERE e.object = %(object)s AND e.target IN ('', %(target)s) AND e.state <> 'closed' AND e.kind <> 'difference'
    AND s.bucket IN ('unchanged', 'excluded') AND (e.version IS NULL OR e.version <= s.version)
    AND (e.target = %(target)s OR e.run IS DISTINCT FROM %(run)s)
  ORDER BY e.id FOR UPDATE OF e)
"""

# a record that is gone before the target was told of it: an older run that still holds it must not create it
BURY = """
INSERT INTO link AS l (stream, key, version, read_at, gone)
SELECT %(stream)s, key, version, read_at, true FROM staged WHERE bucket = 'excluded' AND gone ORDER BY key
ON CONFLICT (stream, key) DO UPDATE SET version = excluded.version, read_at = excluded.read_at, gone = true
WHERE l.dispatch IS NULL AND l.hash IS NULL AND (l.version IS NULL OR excluded.version > l.version)
"""
