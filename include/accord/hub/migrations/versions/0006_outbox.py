"""The outbox: what happened has a place in one order, and each subscriber a cursor into it."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"

# Positions are given when a row is written, rows become visible when their transaction commits: a later commit can have an
# earlier position. Whoever writes holds the lock shared until its end; whoever takes it alone knows that every position given
# so far is visible or void. Not by transaction number: those of a hub that was restored elsewhere begin again.
OUTBOX = """
CREATE SEQUENCE event_position;
CREATE FUNCTION take_event_lock() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN PERFORM pg_advisory_xact_lock_shared(308161); RETURN NULL; END $$;

ALTER TABLE delivery ADD COLUMN position bigint NOT NULL DEFAULT nextval('event_position'),
  ADD COLUMN native text, ADD COLUMN gone boolean, ADD COLUMN merged_into text;   -- as they were then; of what was applied
CREATE INDEX ON delivery (position);
CREATE TRIGGER event_lock BEFORE INSERT ON delivery FOR EACH STATEMENT EXECUTE FUNCTION take_event_lock();

ALTER TABLE process_event ADD COLUMN position bigint NOT NULL DEFAULT nextval('event_position');
CREATE INDEX ON process_event (position);
CREATE TRIGGER event_lock BEFORE INSERT ON process_event FOR EACH STATEMENT EXECUTE FUNCTION take_event_lock();

CREATE TABLE subscription (                           -- how far a subscriber has come
  name text PRIMARY KEY, position bigint NOT NULL,    -- of the last event it need not be sent any more
  sequence bigint NOT NULL DEFAULT 0,                 -- of the last event it confirmed: 1, 2, 3 … without a gap
  confirmed timestamptz, failures int NOT NULL DEFAULT 0, failing_since timestamptz, problem text, not_before timestamptz,
  gone timestamptz,                                   -- it answered 410: nothing is sent until somebody resumes it
  leased timestamptz, fence int NOT NULL DEFAULT 0);  -- who publishes to it, and until when it may stay silent
"""


def upgrade() -> None:
    """Create it."""
    op.execute(OUTBOX)


def downgrade() -> None:
    """Drop it."""
    op.execute(
        """DROP TABLE subscription;
           DROP TRIGGER event_lock ON process_event; ALTER TABLE process_event DROP COLUMN position;
           DROP TRIGGER event_lock ON delivery;
           ALTER TABLE delivery DROP COLUMN position, DROP COLUMN native, DROP COLUMN gone, DROP COLUMN merged_into;
           DROP FUNCTION take_event_lock; DROP SEQUENCE event_position"""
    )
