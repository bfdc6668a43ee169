"""What people do about exceptions: replays, edits, decisions about pairs, and the audit of all of it."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"

EXCEPTIONS = """
ALTER TABLE exception
  ADD COLUMN said bytea,                              -- what the source said when it was raised
  ADD COLUMN other text,                              -- the record a suspected duplicate looks like
  ADD COLUMN behind timestamptz,                      -- a later version that waits for this matter to be settled
  ADD COLUMN replay bigint,                           -- the replay it is, or was last, part of
  ADD COLUMN discarded boolean NOT NULL DEFAULT false;    -- somebody decided against the version: holds until the source changes
CREATE INDEX exception_worked ON exception ((-severity), id) WHERE state <> 'closed';
CREATE INDEX exception_discarded ON exception (object, key) WHERE discarded;
CREATE INDEX exception_replaying ON exception (replay) WHERE state = 'replaying';
CREATE SEQUENCE replay_number;

CREATE TABLE edit (                                   -- holds values, personal ones too: kept no longer than it is in force
  object text NOT NULL, key text NOT NULL,
  said bytea NOT NULL, read_at timestamptz NOT NULL,  -- what the source said when it was edited, and when that was read
  fields jsonb NOT NULL,                              -- dotted path → value
  who text NOT NULL, why text NOT NULL, at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (object, key));

CREATE TABLE distinction (                            -- a decision about two records that look like one
  object text NOT NULL, target text NOT NULL, key text NOT NULL,
  other text NOT NULL,                                -- canonical id, or <target>:<native> where no link knows it
  same boolean NOT NULL, who text NOT NULL, why text NOT NULL, at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (object, target, key, other));

CREATE INDEX ON audit (subject, at);
"""


def upgrade() -> None:
    """Add them."""
    op.execute(EXCEPTIONS)


def downgrade() -> None:
    """Drop them."""
    op.execute(
        """DROP INDEX audit_subject_at_idx; DROP TABLE distinction, edit; DROP SEQUENCE replay_number;
           ALTER TABLE exception DROP COLUMN said, DROP COLUMN other, DROP COLUMN behind, DROP COLUMN replay, DROP COLUMN discarded"""
    )
