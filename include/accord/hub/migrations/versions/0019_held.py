"""Indexes for pages about what gates hold: what became of all of a gate's records, and how many wait for each rule."""

from __future__ import annotations

from alembic import op

revision = "0019"
down_revision = "0018"

HELD = """
CREATE INDEX exception_matter ON exception (object, key, category, id DESC) INCLUDE (state, discarded, replay, opened) WHERE target = '';
DROP INDEX exception_held;
CREATE INDEX exception_held ON exception (flow, category, rule) INCLUDE (run, key, currency, at_risk)
  WHERE state <> 'closed' AND target = '';
"""


def upgrade() -> None:
    """Create them."""
    op.execute(HELD)


def downgrade() -> None:
    """Drop them."""
    op.execute(
        """DROP INDEX exception_matter, exception_held;
           CREATE INDEX exception_held ON exception (flow, category) WHERE state <> 'closed' AND target = ''"""
    )
