"""What expectation reports tell beside counts, and what reviewers do about rules that fail."""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"

REVIEWS = """
ALTER TABLE gate_result
  ADD COLUMN part text NOT NULL DEFAULT 'records',
  ADD COLUMN fresh bigint NOT NULL DEFAULT 0,         -- records that fail it now and were not held for it before
  ADD COLUMN recurring bigint NOT NULL DEFAULT 0,     -- those that were
  ADD COLUMN fixed bigint NOT NULL DEFAULT 0,         -- records that were held for it and have gone through since the run before
  ADD COLUMN before bigint,                           -- rows that failed it in the run before; NULL: there was none
  ADD COLUMN at_risk jsonb NOT NULL DEFAULT '{}',     -- currency → amount of the records it holds
  ADD COLUMN samples jsonb NOT NULL DEFAULT '[]';     -- of failing records: key, correlation id, masked fields
ALTER TABLE gate_verdict
  ADD COLUMN records bigint NOT NULL DEFAULT 0, ADD COLUMN reasons jsonb NOT NULL DEFAULT '[]',
  ADD COLUMN at_risk jsonb NOT NULL DEFAULT '{}',     -- of the records held; of the whole batch where nothing goes on
  ADD COLUMN previous bigint;                         -- the run it is held against
ALTER TABLE finding ADD COLUMN currency char(3), ADD COLUMN at_risk numeric(38, 6), ADD COLUMN correlation uuid;
CREATE INDEX exception_held ON exception (flow, category) WHERE state <> 'closed' AND target = '';
CREATE INDEX exception_gone_through ON exception (flow, closed) WHERE state = 'closed';

CREATE TABLE review (                                 -- a rule that fails at a gate of a flow, until nothing fails it any more
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  flow text NOT NULL REFERENCES flow, gate text NOT NULL, rule text NOT NULL,
  run bigint NOT NULL REFERENCES run ON DELETE CASCADE,             -- the last one that failed it
  opened timestamptz NOT NULL DEFAULT now(), seen timestamptz NOT NULL DEFAULT now(), closed timestamptz,
  assignee text, acknowledged timestamptz, acknowledged_by text,
  accepted_until timestamptz, accepted_by text, accepted_why text, accepted_failed bigint);
CREATE UNIQUE INDEX review_open ON review (flow, gate, rule) WHERE closed IS NULL;
CREATE INDEX review_closed ON review (closed) WHERE closed IS NOT NULL;
CREATE INDEX ON review (run);

CREATE TABLE review_comment (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, review bigint NOT NULL REFERENCES review ON DELETE CASCADE,
  at timestamptz NOT NULL DEFAULT now(), who text NOT NULL, text text NOT NULL);
CREATE INDEX ON review_comment (review, id);

CREATE TABLE digest (                                 -- what was mailed: once per channel, owner and week
  channel text NOT NULL, owner text NOT NULL, week date NOT NULL, sent timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (channel, owner, week));
"""


def upgrade() -> None:
    """Add them."""
    op.execute(REVIEWS)


def downgrade() -> None:
    """Drop them."""
    op.execute(
        """DROP TABLE digest, review_comment, review; DROP INDEX exception_gone_through, exception_held;
           ALTER TABLE finding DROP COLUMN currency, DROP COLUMN at_risk, DROP COLUMN correlation;
           ALTER TABLE gate_verdict DROP COLUMN records, DROP COLUMN reasons, DROP COLUMN at_risk, DROP COLUMN previous;
           ALTER TABLE gate_result DROP COLUMN part, DROP COLUMN fresh, DROP COLUMN recurring, DROP COLUMN fixed, DROP COLUMN before,
             DROP COLUMN at_risk, DROP COLUMN samples"""
    )
