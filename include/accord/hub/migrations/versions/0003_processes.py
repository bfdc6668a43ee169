"""The state a record was last told to have, and the processes that are made of such states."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

PROCESSES = """
ALTER TABLE link ADD COLUMN state text;               -- of the record as last applied, where its definition names one

CREATE TABLE process (                                -- one committed order on its way to cash
  name text NOT NULL, key text NOT NULL,              -- key: canonical id of the record it is about
  step text NOT NULL,                                 -- the last one that is done
  status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'held', 'done', 'abandoning', 'abandoned')),
  given_up text,                                      -- why somebody gave it up
  opened timestamptz NOT NULL DEFAULT now(), since timestamptz NOT NULL DEFAULT now(), closed timestamptz,
  PRIMARY KEY (name, key));
CREATE INDEX ON process (name, step) WHERE status IN ('open', 'held');

CREATE TABLE process_event (                          -- history, append-only
  at timestamptz NOT NULL DEFAULT now(), name text NOT NULL, key text NOT NULL, step text NOT NULL, status text NOT NULL,
  who text NOT NULL, why text);
CREATE INDEX ON process_event (name, key, at);

-- whether a reading is newer than what was applied. A version can go back (its newest part was taken away): a read begun well
-- after the applied version was visible is newer all the same
CREATE FUNCTION newer(
  version timestamptz, read_at timestamptz, than_version timestamptz, than_read_at timestamptz, overlap double precision)
RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT than_version IS NULL OR (version, read_at) > (than_version, than_read_at)
    OR (read_at > than_read_at AND than_version < read_at - make_interval(secs => overlap)) $$;

CREATE TABLE approval (                               -- a decision about one version of one record
  object text NOT NULL, key text NOT NULL, rule text NOT NULL, version timestamptz NOT NULL,
  approved boolean NOT NULL, who text NOT NULL, why text NOT NULL DEFAULT '', at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (object, key, rule, version));
"""


def upgrade() -> None:
    """Create them."""
    op.execute(PROCESSES)


def downgrade() -> None:
    """Drop them."""
    op.execute("DROP FUNCTION newer; DROP TABLE approval, process_event, process; ALTER TABLE link DROP COLUMN state")
