"""The hub's first schema."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None

SCHEMA = """
CREATE TABLE stream (
  id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, target text NOT NULL, object text NOT NULL, UNIQUE (target, object));

CREATE TABLE flow (
  name text PRIMARY KEY, declaration jsonb NOT NULL,
  watermark timestamptz, moved_at timestamptz, moved_by bigint);

CREATE TABLE run (                                    -- the completeness proof is a row, not a log line
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, flow text NOT NULL REFERENCES flow, engine_run text NOT NULL,
  kind text NOT NULL, win_from timestamptz, win_to timestamptz, natives jsonb, released jsonb, dry boolean NOT NULL DEFAULT false,
  attempt int NOT NULL DEFAULT 0,                     -- rises with every comparison; only the last one's dispatches count
  extracted_manifest text, canonical_manifest text,
  counts jsonb NOT NULL DEFAULT '{}', amounts jsonb NOT NULL DEFAULT '{}',   -- what came in: {bucket: n}, {bucket: {currency: amount}}
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'succeeded', 'failed')), error text,
  started timestamptz NOT NULL DEFAULT now(), ended timestamptz, UNIQUE (flow, engine_run));
CREATE INDEX ON run (flow, id DESC);

CREATE TABLE comparison (                             -- what was decided without sending, per stream of a run
  run bigint NOT NULL REFERENCES run ON DELETE CASCADE, stream smallint NOT NULL REFERENCES stream, attempt int NOT NULL,
  counts jsonb NOT NULL, amounts jsonb NOT NULL, chunks jsonb NOT NULL, PRIMARY KEY (run, stream));

CREATE TABLE dispatch (                               -- one chunk for one target: the write-ahead record
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, run bigint NOT NULL REFERENCES run, attempt int NOT NULL,
  stream smallint NOT NULL REFERENCES stream, chunk int NOT NULL, part int NOT NULL,
  file jsonb NOT NULL,                                -- the exact changes, durable before this row
  remote text, send_before timestamptz NOT NULL, fence int NOT NULL DEFAULT 1,
  counts jsonb NOT NULL DEFAULT '{}', amounts jsonb NOT NULL DEFAULT '{}',
  opened timestamptz NOT NULL DEFAULT now(), closed timestamptz, UNIQUE (run, attempt, stream, chunk, part));
CREATE INDEX ON dispatch (stream, send_before) WHERE closed IS NULL;         -- open and stale = in doubt (derived)

CREATE TABLE link (                                   -- identity, last applied state and claim in one row
  stream smallint NOT NULL, key text NOT NULL, native text,
  version timestamptz, read_at timestamptz, hash bytea,                      -- what the source said when last applied
  dispatch bigint, p_version timestamptz, p_read_at timestamptz, p_hash bytea,   -- the claim; NULL = free
  merged_into text, gone boolean NOT NULL DEFAULT false,
  deleted boolean NOT NULL DEFAULT false,             -- gone in the source itself, not only from this target's scope
  left_out text,                                      -- the parent it was sent without, as that did not belong here
  PRIMARY KEY (stream, key)) PARTITION BY LIST (stream);
CREATE UNIQUE INDEX ON link (stream, native) WHERE native IS NOT NULL;
CREATE INDEX ON link (dispatch) WHERE dispatch IS NOT NULL;
CREATE INDEX ON link (stream, left_out) WHERE left_out IS NOT NULL;

CREATE TABLE delivery (                               -- history, append-only; months are dropped whole
  at timestamptz NOT NULL DEFAULT now(), dispatch bigint NOT NULL, stream smallint NOT NULL, key text NOT NULL,
  version timestamptz, hash bytea, outcome text NOT NULL) PARTITION BY RANGE (at);
CREATE INDEX ON delivery (key);
CREATE INDEX ON delivery (dispatch);
CREATE TABLE delivery_rest PARTITION OF delivery DEFAULT;

CREATE TABLE exception (                              -- everything that waits for a person, a parent or a system
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('quarantined', 'rejected', 'parked', 'duplicate', 'difference', 'approval')),
  flow text NOT NULL, object text NOT NULL, target text NOT NULL DEFAULT '', -- '' = every target of the flow
  key text NOT NULL, category text NOT NULL, queue text NOT NULL, severity smallint NOT NULL,
  rule text, message text NOT NULL, currency char(3), at_risk numeric(38, 6),
  awaits text, not_before timestamptz,                -- a parent (canonical id), a system's recovery
  version timestamptz, hash bytea, answer text, run bigint, dispatch bigint, correlation uuid,
  attempts int NOT NULL DEFAULT 1, assignee text,
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'replaying', 'closed')), resolution text,
  opened timestamptz NOT NULL DEFAULT now(), seen timestamptz NOT NULL DEFAULT now(), closed timestamptz);
CREATE UNIQUE INDEX exception_open ON exception (object, target, key, category) WHERE state <> 'closed';
CREATE INDEX ON exception (queue, severity DESC, id) WHERE state <> 'closed';
CREATE INDEX ON exception (flow) WHERE state = 'open' AND kind = 'parked';

CREATE TABLE gate_result (
  run bigint NOT NULL REFERENCES run ON DELETE CASCADE, gate text NOT NULL, rule text NOT NULL, title text NOT NULL,
  severity text NOT NULL, queue text NOT NULL, category text NOT NULL, consequence text NOT NULL,
  checked bigint NOT NULL, failed bigint NOT NULL, errored boolean NOT NULL, message text, PRIMARY KEY (run, gate, rule));
CREATE TABLE gate_verdict (
  run bigint NOT NULL REFERENCES run ON DELETE CASCADE, gate text NOT NULL, verdict text NOT NULL, quarantined bigint NOT NULL,
  report text, at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (run, gate));
CREATE TABLE finding (                                -- every failing record of a run, complete
  run bigint NOT NULL REFERENCES run ON DELETE CASCADE, gate text NOT NULL, key text NOT NULL, rule text NOT NULL,
  category text NOT NULL, PRIMARY KEY (run, gate, key, rule));

CREATE TABLE audit (at timestamptz NOT NULL DEFAULT now(), who text NOT NULL, what text NOT NULL, subject text, detail jsonb);
"""


def upgrade() -> None:
    """Create the tables."""
    op.execute(SCHEMA)


def downgrade() -> None:
    """Drop them."""
    op.execute(
        "DROP TABLE audit, finding, gate_verdict, gate_result, exception, delivery, link, dispatch, comparison, run, flow, stream"
    )
