"""The statements of a comparison, in the order they run. `staged` holds one row per record of the batch."""

STAGED = """
CREATE TEMP TABLE staged (
  key text NOT NULL, version timestamptz, read_at timestamptz, hash bytea, hash_alone bytea, gone boolean, deleted boolean,
  parent text, unresolved text,
  out_of_scope boolean, currency text, amount numeric, batch_chunk int,
  bucket text NOT NULL DEFAULT 'changed', known boolean NOT NULL DEFAULT false, native text, parent_native text,
  parent_left_out boolean NOT NULL DEFAULT false, waits boolean NOT NULL DEFAULT false,
  tree text, depth int NOT NULL DEFAULT 0, number int) ON COMMIT DROP
"""

CLASSIFY = (
    # known: the target was told of it before, whatever it was told
    """UPDATE staged s SET known = true, native = coalesce(l.native, substr(s.key, strpos(s.key, ':') + 1))
       FROM link l WHERE l.stream = %(stream)s AND l.key = s.key AND l.hash IS NOT NULL""",
    """UPDATE staged s SET bucket = 'quarantined'
       WHERE %(judged)s AND EXISTS (SELECT FROM finding f WHERE f.run = %(run)s AND f.key = s.key)""",
    """UPDATE staged s SET bucket = 'excluded' WHERE bucket = 'changed' AND (out_of_scope OR (gone AND NOT known
         AND NOT EXISTS (SELECT FROM link l WHERE l.stream = %(stream)s AND l.key = s.key AND l.dispatch IS NOT NULL)))""",
    """UPDATE staged SET bucket = 'parked' WHERE bucket = 'changed' AND unresolved IS NOT NULL""",
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
         AND (l.hash = s.hash OR ((s.version, s.read_at) <= (l.version, l.read_at)
              -- a version can go back (its newest part was taken away); a read begun well after it was visible is newer all the same
              AND NOT (s.read_at > l.read_at AND l.version < s.read_at - make_interval(secs => %(overlap)s))))
         AND (l.dispatch IS NULL OR (s.version, s.read_at) <= (l.p_version, l.p_read_at))""",
    # the target has refused just this content before: asking again changes nothing, unless a person asks for the record
    """UPDATE staged s SET bucket = 'rejected'
       FROM exception e
       WHERE e.object = %(object)s AND e.target = %(target)s AND e.key = s.key AND e.state <> 'closed' AND e.kind = 'rejected'
         AND e.hash = s.hash AND s.bucket = 'changed' AND NOT %(asked)s""",
)

DUPLICATES_WITHIN = """
SELECT DISTINCT ON (key) key, rule, first FROM (
  SELECT s.key, s.rule, min(s.key) OVER same AS first, row_number() OVER (same ORDER BY s.key) AS place
  FROM suspect s WHERE NOT EXISTS (SELECT FROM held h WHERE h.key = s.key)
  WINDOW same AS (PARTITION BY s.rule, s.value)) ranked
WHERE place > 1 ORDER BY key, rule
"""

# a parent is there when the target is its origin, or when a link has seen it applied
PARENTS = """
UPDATE staged s SET parent_native = p.native
FROM (SELECT c.key, CASE WHEN starts_with(c.parent, %(origin)s) THEN substr(c.parent, length(%(origin)s) + 1)
                         ELSE coalesce(l.native, substr(l.key, strpos(l.key, ':') + 1)) END AS native
      FROM staged c LEFT JOIN link l ON l.stream = %(parent_stream)s AND l.key = c.parent AND l.hash IS NOT NULL
      WHERE c.bucket = 'changed' AND c.parent IS NOT NULL
        AND (l.key IS NOT NULL OR starts_with(c.parent, %(origin)s))) p
WHERE s.key = p.key
"""

# a parent that does not belong into this target is left out of the record
LEAVE_OUT_PARENTS = """
UPDATE staged s SET parent_left_out = true
WHERE s.bucket = 'changed' AND s.parent IS NOT NULL AND s.parent_native IS NULL AND (
  EXISTS (SELECT FROM staged p WHERE p.key = s.parent AND p.bucket = 'excluded')
  OR (NOT EXISTS (SELECT FROM staged p WHERE p.key = s.parent)
      AND EXISTS (SELECT FROM link l WHERE l.stream = %(parent_stream)s AND l.key = s.parent AND l.hash IS NULL AND l.gone)))
"""

# what is sent then says nothing of a parent; once the parent is there, the content differs and goes again
HASH_ALONE = "UPDATE staged SET hash = hash_alone WHERE parent_left_out"

# children that come alone later must know that their parent is not to be waited for
REMEMBER_LEFT_OUT = """
INSERT INTO link (stream, key, gone)
SELECT DISTINCT %(parent_stream)s::smallint, parent, true FROM staged WHERE parent_left_out AND bucket = 'changed' ORDER BY parent
ON CONFLICT DO NOTHING
"""

HOLD_FOR_PARENT = """
UPDATE staged s SET bucket = 'parked', waits = true
WHERE s.bucket = 'changed' AND NOT s.gone AND s.parent IS NOT NULL AND s.parent_native IS NULL AND NOT s.parent_left_out
  AND NOT (%(same)s AND EXISTS (SELECT FROM staged p WHERE p.key = s.parent AND p.bucket = 'changed'))
"""

# the tree a changed record belongs to and how deep it stands in it; loops were quarantined by the gate
PLACE = """
WITH RECURSIVE placed AS (
  SELECT s.key, s.key AS tree, 0 AS depth FROM staged s
  WHERE s.bucket = 'changed' AND NOT EXISTS (SELECT FROM staged p WHERE p.key = s.parent AND p.bucket = 'changed' AND NOT s.gone)
  UNION ALL
  SELECT c.key, p.tree, p.depth + 1 FROM placed p JOIN staged c ON c.parent = p.key AND c.bucket = 'changed' AND NOT c.gone
  WHERE p.depth < 1000)
UPDATE staged s SET tree = p.tree, depth = p.depth FROM placed p WHERE p.key = s.key
"""

NUMBER = (
    "UPDATE staged SET tree = key WHERE tree IS NULL AND bucket = 'changed'",
    """WITH trees AS (SELECT tree, count(*) AS n, min(batch_chunk) AS batch_chunk FROM staged WHERE bucket = 'changed' GROUP BY tree),
       places AS (SELECT tree, sum(n) OVER (ORDER BY batch_chunk, tree) - n AS before FROM trees)
       UPDATE staged s SET number = (p.before / %(chunk_rows)s)::int FROM places p WHERE p.tree = s.tree AND s.bucket = 'changed'""",
)

CHANGED_OF_CHUNK = """
SELECT key, gone, deleted AS _deleted, hash, CASE WHEN known THEN native END AS native, parent_native, parent_left_out,
  depth, number,
  coalesce(currency, '') AS _currency, coalesce(amount, 0) AS _amount
FROM staged WHERE batch_chunk = %s AND bucket = 'changed' ORDER BY number, depth, key
"""

COUNTS = """
SELECT coalesce(jsonb_object_agg(bucket, n), '{}') AS counts,
  coalesce((SELECT jsonb_object_agg(bucket, sums) FROM (
    SELECT bucket, jsonb_object_agg(currency, amount) AS sums FROM (
      SELECT bucket, coalesce(currency, '') AS currency, sum(amount)::text AS amount FROM staged WHERE amount <> 0 GROUP BY 1, 2) a
    GROUP BY bucket) b), '{}') AS amounts
FROM (SELECT bucket, count(*) AS n FROM staged GROUP BY bucket) c
"""

# what is unchanged or out of scope has nothing left to complain about
CLOSE_EXCEPTIONS = """
UPDATE exception e SET state = 'closed', closed = now(), resolution = 'the record needs nothing any more'
FROM staged s
WHERE e.object = %(object)s AND e.target IN ('', %(target)s) AND e.key = s.key AND e.state <> 'closed'
  AND s.bucket IN ('unchanged', 'excluded') AND (e.version IS NULL OR e.version <= s.version)
  AND (e.target = %(target)s OR e.run IS DISTINCT FROM %(run)s)
"""

# a record that is gone before the target was told of it: an older run that still holds it must not create it
BURY = """
INSERT INTO link AS l (stream, key, version, read_at, gone)
SELECT %(stream)s, key, version, read_at, true FROM staged WHERE bucket = 'excluded' AND gone AND NOT known ORDER BY key
ON CONFLICT (stream, key) DO UPDATE SET version = excluded.version, read_at = excluded.read_at, gone = true
WHERE l.dispatch IS NULL AND l.hash IS NULL AND (l.version IS NULL OR excluded.version > l.version)
"""
