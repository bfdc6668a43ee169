"""Which run of the engine a run was opened in, where that is another's: a replay's, a reconciliation's, a process's."""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"

STARTED_IN = """
ALTER TABLE run ADD COLUMN started_in text;           -- <dag id>/<run id>; NULL: the engine_run is the engine's own, or there is none
CREATE INDEX run_started_in ON run (started_in) WHERE started_in IS NOT NULL;
CREATE INDEX audit_replayed ON audit ((detail ->> 'run')) WHERE what = 'exception replayed';
"""


def upgrade() -> None:
    """Add it."""
    op.execute(STARTED_IN)


def downgrade() -> None:
    """Drop it."""
    op.execute("DROP INDEX audit_replayed; ALTER TABLE run DROP COLUMN started_in")
