"""Findings name the exception that holds their record, and say whether it failed anything else: what is held is counted by numbers."""

from __future__ import annotations

from alembic import op

revision = "0020"
down_revision = "0019"

MATTERS = """
ALTER TABLE finding
  ADD COLUMN exception bigint,                        -- what held the record then, or why nothing did: it was decided against before
  ADD COLUMN lone boolean NOT NULL DEFAULT true;      -- the record failed nothing else at this gate
UPDATE finding f SET exception = (
  SELECT e.id FROM exception e
  WHERE e.object = w.declaration ->> 'object' AND e.target = '' AND e.key = f.key AND e.category = f.category AND e.opened <= v.at
  ORDER BY e.id DESC LIMIT 1)
FROM gate_verdict v JOIN run r ON r.id = v.run JOIN flow w ON w.name = r.flow
WHERE v.run = f.run AND v.gate = f.gate AND v.verdict IN ('pass', 'pass with quarantine') AND NOT r.dry;
UPDATE finding f SET lone = false
FROM (SELECT run, gate, key FROM finding GROUP BY run, gate, key HAVING count(*) > 1) s
WHERE s.run = f.run AND s.gate = f.gate AND s.key = f.key;
CREATE INDEX finding_several ON finding (run, gate, key) WHERE NOT lone;
DROP INDEX exception_held;
CREATE INDEX exception_held ON exception (flow, category, rule, currency) INCLUDE (id, run, at_risk)
  WHERE state <> 'closed' AND target = '';
"""


def upgrade() -> None:
    """Add them, and fill them in for what was found before."""
    op.execute(MATTERS)


def downgrade() -> None:
    """Drop them."""
    op.execute(
        """DROP INDEX exception_held;
           CREATE INDEX exception_held ON exception (flow, category, rule) INCLUDE (run, key, currency, at_risk)
             WHERE state <> 'closed' AND target = '';
           ALTER TABLE finding DROP COLUMN exception, DROP COLUMN lone"""
    )
