"""What the console shows of a refusal, and indexes for what it reads of a hub of a million records (tests/benchmarks/console.py)."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"

CONSOLE = """
ALTER TABLE exception ADD COLUMN request jsonb;       -- what was sent, masked: path → value

-- sums of what waits, without touching the rows
CREATE INDEX exception_waiting ON exception (flow, kind, category, queue, severity) INCLUDE (opened, currency, at_risk)
  WHERE state <> 'closed';
CREATE INDEX exception_settled ON exception ((-severity), id) WHERE state = 'closed';
CREATE INDEX exception_assigned ON exception ((coalesce(assignee, '')), (-severity), id) WHERE state <> 'closed';
CREATE INDEX exception_run ON exception (run);
CREATE INDEX identity_native ON identity (native);
CREATE INDEX difference_outcome ON difference (reconciliation, outcome, currency) INCLUDE (at_risk);
CREATE INDEX difference_worst ON difference (reconciliation, (-coalesce(at_risk, -1)), key);
"""


def upgrade() -> None:
    """Create them."""
    op.execute(CONSOLE)


def downgrade() -> None:
    """Drop them."""
    op.execute(
        """DROP INDEX difference_worst, difference_outcome, identity_native, exception_run, exception_assigned, exception_settled,
             exception_waiting;
           ALTER TABLE exception DROP COLUMN request"""
    )
