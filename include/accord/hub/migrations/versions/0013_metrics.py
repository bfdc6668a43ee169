"""Metrics: the few facts of every transaction they are computed from, their views, and their values from day to day."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"

# kept by accord.metrics.facts from the deliveries since it last looked: the images are too big to be read for every figure
TABLES = """
CREATE TABLE kpi_record (                             -- a transaction as a target was last told it
  stream smallint NOT NULL REFERENCES stream, key text NOT NULL, object text NOT NULL,
  legal_entity text, currency text, state text, day date, amount numeric, balance numeric,   -- accord.metrics.facts says which
  about text,                                         -- the record it is about: a document's order, a contract's renewal
  refs text[], gone boolean NOT NULL,
  first_at timestamptz NOT NULL, first_version timestamptz,    -- when it was first there, and what the source said then
  PRIMARY KEY (stream, key)) WITH (fillfactor = 80);
CREATE INDEX ON kpi_record (object, day);
CREATE INDEX ON kpi_record (object, first_at);
CREATE INDEX ON kpi_record (key, object);
CREATE INDEX ON kpi_record (about, object) WHERE about IS NOT NULL;
CREATE TABLE kpi_position (position bigint NOT NULL);  -- one row: how far the history was read
INSERT INTO kpi_position VALUES (0);

CREATE TABLE kpi_value (                              -- a day's last values stay: the trend
  day date NOT NULL, kpi text NOT NULL, labels jsonb NOT NULL, value numeric, sample bigint NOT NULL, at timestamptz NOT NULL,
  PRIMARY KEY (day, kpi, labels));
CREATE INDEX ON kpi_value (kpi, day);

CREATE INDEX ON process (name, opened);
CREATE INDEX ON exception (opened);
"""

# every kpi_… view of a figure has the columns labels, value, sample: how many records it was computed from
FUNCTIONS = """
CREATE FUNCTION business_days_before(at timestamptz, days int) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
  WITH begun AS (SELECT CASE WHEN days > 0 AND extract(isodow FROM at AT TIME ZONE 'UTC') > 5
      THEN (date_trunc('week', at AT TIME ZONE 'UTC') + interval '5 days') AT TIME ZONE 'UTC' ELSE at END AS at)
  SELECT CASE WHEN days = 0 THEN begun.at ELSE (
    SELECT c.at FROM (
      SELECT begun.at - n * interval '24 hours' AS at, row_number() OVER (ORDER BY n) AS nth
      FROM generate_series(1, days + 2 * (days / 5 + 1)) n
      WHERE extract(isodow FROM (begun.at - n * interval '24 hours') AT TIME ZONE 'UTC') < 6) c WHERE c.nth = days) END
  FROM begun $$;
"""

ORDERS = """
CREATE VIEW kpi_order AS                              -- when each was committed and accepted
SELECT p.key, p.status, p.step, p.opened, least(p.opened, k.first_version) AS committed, k.first_at AS accepted,
  coalesce(k.legal_entity, 'unknown') AS legal_entity
FROM process p LEFT JOIN LATERAL (
  SELECT first_version, first_at, legal_entity FROM kpi_record WHERE key = p.key AND object = 'order' ORDER BY first_at LIMIT 1) k ON true
WHERE p.name = 'quote_to_cash';

CREATE VIEW kpi_order_acceptance_seconds AS
SELECT jsonb_build_object('legal_entity', legal_entity, 'statistic', s.name) AS labels, s.value::numeric AS value, n AS sample
FROM (SELECT legal_entity, count(*) AS n,
        percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY extract(epoch FROM accepted - committed)::float8) AS p
      FROM kpi_order WHERE opened >= now() - interval '7 days' AND committed >= now() - interval '7 days' AND accepted IS NOT NULL
      GROUP BY legal_entity) o
CROSS JOIN LATERAL (VALUES ('median', p[1]), ('p95', p[2])) s (name, value);

CREATE VIEW kpi_orders_pending AS
SELECT jsonb_build_object('status', s.status) AS labels, count(p.key)::numeric AS value, count(p.key) AS sample
FROM (VALUES ('open'), ('held')) s (status)
LEFT JOIN process p ON p.name = 'quote_to_cash' AND p.status = s.status AND p.status IN ('open', 'held')
  AND p.step IN ('committed', 'customer ensured', 'validated')
GROUP BY s.status;

CREATE VIEW kpi_order_pending_age_seconds AS
SELECT jsonb_build_object('status', status, 'statistic', s.name) AS labels, s.value::numeric AS value, n AS sample
FROM (SELECT status, count(*) AS n, max(extract(epoch FROM now() - opened)::float8) AS longest,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM now() - opened)::float8) AS median
      FROM process WHERE name = 'quote_to_cash' AND status IN ('open', 'held') AND step IN ('committed', 'customer ensured', 'validated')
      GROUP BY status) o
CROSS JOIN LATERAL (VALUES ('median', median), ('max', longest)) s (name, value);

CREATE VIEW kpi_order_fallout_ratio AS
SELECT '{}'::jsonb AS labels, round(avg(fell::int), 6) AS value, count(*) AS sample
FROM (SELECT EXISTS (SELECT FROM exception e WHERE e.key = o.key AND e.object = 'order' AND e.kind <> 'difference') AS fell
      FROM kpi_order o WHERE opened >= now() - interval '7 days' AND committed >= now() - interval '7 days') x
HAVING count(*) > 0;

CREATE VIEW kpi_straight_through_ratio AS
SELECT jsonb_build_object('legal_entity', legal_entity) AS labels, round(avg((NOT touched)::int), 6) AS value, count(*) AS sample
FROM (SELECT legal_entity,
        EXISTS (SELECT FROM exception e WHERE e.key = o.key AND e.object = 'order' AND e.kind NOT IN ('parked', 'difference'))
        OR EXISTS (SELECT FROM approval a WHERE a.object = 'order' AND a.key = o.key)
        OR EXISTS (SELECT FROM audit a WHERE a.who <> 'accord' AND a.what <> 'values looked at' AND a.subject IN (
             SELECT o.key UNION ALL SELECT 'order ' || o.key
             UNION ALL SELECT 'exception:' || e.id FROM exception e WHERE e.key = o.key AND e.object = 'order')) AS touched
      FROM kpi_order o
      WHERE opened >= now() - interval '7 days' AND committed >= now() - interval '7 days' AND accepted IS NOT NULL) x
GROUP BY legal_entity;

CREATE VIEW kpi_order_cycle_days AS
WITH paid AS (
  SELECT i.about AS key, max(p.day) AS day
  FROM kpi_record p CROSS JOIN LATERAL unnest(p.refs) r (key) JOIN kpi_record i ON i.key = r.key AND i.object = 'invoice'
  WHERE p.object = 'payment' AND p.day >= current_date - 28 AND NOT p.gone AND p.state <> 'Reversed' AND i.about IS NOT NULL
  GROUP BY i.about),
took AS (
  SELECT DISTINCT ON (o.key) coalesce(o.legal_entity, 'unknown') AS legal_entity, paid.day - o.day AS days
  FROM paid JOIN process p ON p.name = 'quote_to_cash' AND p.key = paid.key AND p.status = 'done'
  JOIN kpi_record o ON o.key = paid.key AND o.object = 'order' AND o.day IS NOT NULL ORDER BY o.key, o.first_at)
SELECT jsonb_build_object('legal_entity', legal_entity, 'statistic', s.name) AS labels, s.value::numeric AS value, n AS sample
FROM (SELECT legal_entity, count(*) AS n, percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY days) AS p
      FROM took GROUP BY legal_entity) o
CROSS JOIN LATERAL (VALUES ('median', p[1]), ('p95', p[2])) s (name, value);
"""

DOCUMENTS = """
CREATE VIEW kpi_invoice_latency_days AS
SELECT jsonb_build_object('legal_entity', legal_entity, 'statistic', s.name) AS labels, s.value::numeric AS value, n AS sample
FROM (SELECT coalesce(i.legal_entity, 'unknown') AS legal_entity, count(*) AS n,
        percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY i.day - shipped.day) AS p
      FROM kpi_record i CROSS JOIN LATERAL (
        SELECT max(day) AS day FROM kpi_record s
        WHERE s.about = i.about AND s.object = 'shipment' AND s.day <= i.day AND s.state IN ('Shipped', 'Delivered') AND NOT s.gone) shipped
      WHERE i.object = 'invoice' AND i.day >= current_date - 28 AND NOT i.gone AND i.state <> 'Cancelled' AND i.about IS NOT NULL
        AND shipped.day IS NOT NULL
      GROUP BY 1) o
CROSS JOIN LATERAL (VALUES ('median', p[1]), ('p95', p[2])) s (name, value);

CREATE VIEW kpi_invoice_visibility_seconds AS
SELECT jsonb_build_object('legal_entity', legal_entity, 'statistic', s.name) AS labels, s.value::numeric AS value, n AS sample
FROM (SELECT coalesce(legal_entity, 'unknown') AS legal_entity, count(*) AS n,
        percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY extract(epoch FROM first_at - first_version)::float8) AS p
      FROM kpi_record WHERE object = 'invoice' AND first_at >= now() - interval '7 days' AND first_version >= now() - interval '7 days'
      GROUP BY 1) o
CROSS JOIN LATERAL (VALUES ('median', p[1]), ('p95', p[2])) s (name, value);

CREATE VIEW kpi_cash_visibility_ratio AS
SELECT jsonb_build_object('legal_entity', legal_entity) AS labels, round(avg(seen::int), 6) AS value, count(*) AS sample
FROM (SELECT coalesce(legal_entity, 'unknown') AS legal_entity, first_at - first_version <= interval '60 minutes' AS seen
      FROM kpi_record
      WHERE object = 'payment' AND first_at >= now() - interval '7 days' AND first_version >= now() - interval '7 days'
      UNION ALL
      SELECT DISTINCT ON (e.key) 'unknown', false FROM exception e
      WHERE e.object = 'payment' AND e.state <> 'closed' AND e.kind <> 'difference'
        AND e.opened BETWEEN now() - interval '7 days' AND now() - interval '60 minutes'
        AND NOT EXISTS (SELECT FROM kpi_record k WHERE k.key = e.key AND k.object = 'payment')) x
GROUP BY legal_entity;

CREATE VIEW kpi_credited_ratio AS
WITH credited AS (
  SELECT DISTINCT r.key FROM kpi_record c CROSS JOIN LATERAL unnest(c.refs) r (key)
  WHERE c.object = 'credit_memo' AND c.day >= current_date - 90 AND NOT c.gone AND c.state <> 'Cancelled')
SELECT jsonb_build_object('legal_entity', coalesce(i.legal_entity, 'unknown')) AS labels,
  round(count(c.key)::numeric / count(*), 6) AS value, count(*) AS sample
FROM kpi_record i LEFT JOIN credited c ON c.key = i.key
WHERE i.object = 'invoice' AND i.day >= current_date - 90 AND NOT i.gone GROUP BY i.legal_entity;

CREATE VIEW kpi_renewal_accuracy_ratio AS
SELECT jsonb_build_object('legal_entity', legal_entity) AS labels, round(avg(exact::int), 6) AS value, count(*) AS sample
FROM (SELECT DISTINCT ON (s.key) coalesce(c.legal_entity, r.legal_entity, 'unknown') AS legal_entity,
        coalesce(NOT r.gone AND r.amount = s.amount AND r.day = s.day - 1 AND r.currency = coalesce(c.currency, r.currency), false) AS exact
      FROM kpi_record s
      LEFT JOIN kpi_record c ON c.key = s.key AND c.object = 'contract'
      LEFT JOIN kpi_record l ON l.key = s.key AND l.object = 'contract_renewal' AND NOT l.gone
      LEFT JOIN kpi_record r ON r.key = l.about AND r.object = 'renewal'
      WHERE s.object = 'contract_status' AND s.state = 'Active' AND NOT s.gone AND s.amount > 0
        AND s.day > current_date AND s.day < current_date + 90      -- a renewal has its first day to be made in
      ORDER BY s.key, c.first_at) x
GROUP BY legal_entity;

CREATE VIEW kpi_pipeline_to_cash AS                   -- each stage summed for itself: there are few sums, and many rows
WITH staged AS (
  SELECT 'ordered' AS stage, legal_entity, currency, sum(amount) AS amount, count(*) AS n FROM kpi_record
    WHERE object = 'order' AND day >= current_date - 365 AND NOT gone GROUP BY legal_entity, currency
  UNION ALL
  SELECT 'booked', o.legal_entity, o.currency, sum(s.amount), count(*) FROM kpi_record s
    JOIN kpi_record o ON o.key = s.key AND o.object = 'order' AND o.day >= current_date - 365 AND NOT o.gone
    WHERE s.object = 'order_status' AND NOT s.gone AND s.state NOT IN ('Rejected', 'Cancelled') GROUP BY o.legal_entity, o.currency
  UNION ALL
  SELECT CASE object WHEN 'invoice' THEN 'invoiced' WHEN 'credit_memo' THEN 'credited' ELSE 'received' END, legal_entity, currency,
      sum(amount), count(*)
    FROM kpi_record WHERE object IN ('invoice', 'credit_memo', 'payment') AND day >= current_date - 365 AND NOT gone
      AND state NOT IN ('Cancelled', 'Reversed') GROUP BY object, legal_entity, currency
  UNION ALL
  SELECT 'outstanding', legal_entity, currency, sum(balance), count(*) FROM kpi_record
    WHERE object = 'invoice' AND balance <> 0 AND NOT gone AND state <> 'Cancelled' GROUP BY legal_entity, currency
  UNION ALL
  SELECT 'held', NULL, currency, sum(amount), count(*) FROM (
    SELECT currency, max(at_risk) AS amount FROM exception
    WHERE object = 'order' AND state <> 'closed' AND kind <> 'difference' AND at_risk > 0 GROUP BY key, currency) e GROUP BY currency)
SELECT jsonb_build_object('stage', stage, 'legal_entity', coalesce(legal_entity, 'unknown'), 'currency', coalesce(currency, 'unknown'))
    AS labels,
  amount AS value, n AS sample
FROM staged WHERE amount IS NOT NULL;
"""

EXCEPTIONS = """
CREATE VIEW kpi_exceptions_open AS
WITH since AS (
  SELECT business_days_before(now(), 1) AS one, business_days_before(now(), 3) AS three, business_days_before(now(), 5) AS five)
SELECT jsonb_build_object('queue', queue, 'age', age) AS labels, count(*)::numeric AS value, count(*) AS sample
FROM (SELECT queue, CASE WHEN opened >= one THEN '0-1' WHEN opened >= three THEN '1-3'
             WHEN opened >= five THEN '3-5' ELSE 'over 5' END AS age
      FROM exception, since WHERE state <> 'closed') e
GROUP BY queue, age;

CREATE VIEW kpi_exceptions_at_risk AS
SELECT jsonb_build_object('queue', queue, 'currency', currency) AS labels, sum(at_risk) AS value, count(*) AS sample
FROM exception WHERE state <> 'closed' AND at_risk > 0 AND currency IS NOT NULL GROUP BY queue, currency;

CREATE VIEW kpi_exception_ratio AS
WITH raised AS (
  SELECT object, count(*) AS n FROM exception WHERE opened >= now() - interval '7 days' AND kind <> 'difference' GROUP BY object),
applied AS (
  SELECT s.object, sum((d.counts ->> 'applied')::bigint)::bigint AS n FROM dispatch d JOIN stream s ON s.id = d.stream
  WHERE d.closed >= now() - interval '7 days' AND d.counts ? 'applied' GROUP BY s.object)
SELECT jsonb_build_object('object', object) AS labels,
  round(coalesce(r.n, 0)::numeric / (coalesce(r.n, 0) + coalesce(a.n, 0)), 6) AS value, coalesce(r.n, 0) + coalesce(a.n, 0) AS sample
FROM raised r FULL JOIN applied a USING (object);

CREATE VIEW kpi_retries AS
WITH failed AS (
  SELECT DISTINCT y.stream, y.key, y.version FROM delivery y
  WHERE y.at >= now() - interval '7 days' AND y.outcome IN ('parked', 'rejected')),
tried AS (
  SELECT f.stream, f.key, f.version, count(*) AS n FROM failed f
  JOIN delivery y ON y.key = f.key AND y.stream = f.stream AND y.version IS NOT DISTINCT FROM f.version
    AND y.at >= now() - interval '7 days' AND y.outcome IN ('parked', 'rejected', 'applied')
  JOIN dispatch d ON d.id = y.dispatch JOIN run r ON r.id = d.run AND r.kind NOT IN ('manual', 'replay', 'reconcile', 'undo')
  GROUP BY f.stream, f.key, f.version)
SELECT jsonb_build_object('object', s.object, 'target', s.target) AS labels, sum(t.n - 1) AS value, count(*) AS sample
FROM tried t JOIN stream s ON s.id = t.stream GROUP BY s.object, s.target;

CREATE VIEW kpi_duplicate_ratio AS
WITH RECURSIVE pair AS (
  SELECT DISTINCT e.key AS a, e.other AS b FROM exception e
  WHERE e.object = 'customer' AND e.kind = 'duplicate' AND e.state <> 'closed' AND e.other IS NOT NULL),
edge AS (SELECT a, b FROM pair UNION SELECT b, a FROM pair),
reached AS (SELECT a, b FROM edge UNION SELECT r.a, e.b FROM reached r JOIN edge e ON e.a = r.b),
cluster AS (SELECT a, min(b) AS name FROM reached GROUP BY a),        -- of a cluster everybody reaches everybody, itself too
spare AS (SELECT count(*) - count(DISTINCT name) AS n FROM cluster),
known AS (SELECT count(*) AS n FROM process WHERE name = 'lead_to_customer' AND status <> 'abandoned')
SELECT '{}'::jsonb AS labels, round(spare.n::numeric / known.n, 6) AS value, known.n AS sample FROM spare, known WHERE known.n > 0;

CREATE VIEW kpi_customer_master_accuracy_ratio AS
SELECT jsonb_build_object('flow', r.flow, 'target', s.target) AS labels, round(c.agreed / c.looked, 6) AS value, c.looked::bigint AS sample
FROM (SELECT DISTINCT ON (flow, stream) * FROM reconciliation WHERE keys IS NULL AND ended IS NOT NULL ORDER BY flow, stream, id DESC) r
JOIN stream s ON s.id = r.stream AND s.object IN ('customer', 'customer_account')
CROSS JOIN LATERAL (
  SELECT coalesce(sum(value::numeric) FILTER (WHERE key = 'agreed'), 0) AS agreed, sum(value::numeric) AS looked
  FROM jsonb_each_text(r.counts) WHERE key NOT IN ('excluded', 'in flight')) c
WHERE c.looked > 0;
"""

VIEWS = (
    "order_acceptance_seconds", "orders_pending", "order_pending_age_seconds", "order_fallout_ratio", "straight_through_ratio",
    "order_cycle_days", "invoice_latency_days", "invoice_visibility_seconds", "cash_visibility_ratio", "credited_ratio",
    "renewal_accuracy_ratio", "pipeline_to_cash", "exceptions_open", "exceptions_at_risk", "exception_ratio", "retries",
    "duplicate_ratio", "customer_master_accuracy_ratio", "order",
)  # fmt: skip


def upgrade() -> None:
    """Create them."""
    for part in (TABLES, FUNCTIONS, ORDERS, DOCUMENTS, EXCEPTIONS):
        op.execute(part)


def downgrade() -> None:
    """Drop them."""
    op.execute("DROP VIEW " + ", ".join(f"kpi_{name}" for name in VIEWS))
    op.execute(
        """DROP FUNCTION business_days_before; DROP TABLE kpi_value, kpi_position, kpi_record;
           DROP INDEX process_name_opened_idx, exception_opened_idx"""
    )
