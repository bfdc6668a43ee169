"""Whether a system takes calls, for all workers to see: its breaker, who is in while it recovers, its requests of the day."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"

SYSTEMS = """
CREATE TABLE system (
  name text PRIMARY KEY,
  state text NOT NULL DEFAULT 'closed' CHECK (state IN ('closed', 'open', 'half-open')),
  until timestamptz,                                  -- open: end of the pause; half-open: of the probe's time
  probe text, failure text, failures int NOT NULL DEFAULT 0, failed_at timestamptz, trips int NOT NULL DEFAULT 0,
  allowance int,                                      -- how many may be in at once; NULL = all
  changed timestamptz NOT NULL DEFAULT now(),         -- when its state last did
  held_until timestamptz, held_why text, held_by text,     -- somebody keeps calls away
  used bigint, allowed bigint, told timestamptz);     -- requests of the day, as the system told

CREATE TABLE admission (                              -- who is in, while a system lets in a few at a time
  system text NOT NULL REFERENCES system, who text NOT NULL, until timestamptz NOT NULL, PRIMARY KEY (system, who));

ALTER TABLE run ADD COLUMN left_out jsonb;            -- fields and constituents the source did not show
"""


def upgrade() -> None:
    """Create them."""
    op.execute(SYSTEMS)


def downgrade() -> None:
    """Drop them."""
    op.execute("DROP TABLE admission, system; ALTER TABLE run DROP COLUMN left_out")
