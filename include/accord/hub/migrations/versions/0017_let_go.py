"""A record a system let go because it belonged elsewhere is told from one that was taken back, whatever became of it there."""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0015"

LET_GO = """
ALTER TABLE link ADD COLUMN let_go boolean NOT NULL DEFAULT false;   -- gone from this target as it belonged elsewhere
UPDATE link SET let_go = true WHERE gone AND NOT deleted AND hash IS NOT NULL;
"""


def upgrade() -> None:
    """Add it."""
    op.execute(LET_GO)


def downgrade() -> None:
    """Drop it."""
    op.execute("ALTER TABLE link DROP COLUMN let_go")
