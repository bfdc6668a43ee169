"""Records an ERP finishes though their legal entity has moved to another one."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"

STAYING = """
CREATE TABLE staying (                                -- as the last comparison that read the record found it
  stream smallint NOT NULL REFERENCES stream, key text NOT NULL, legal_entity text NOT NULL,
  PRIMARY KEY (stream, key));
"""


def upgrade() -> None:
    """Create the table."""
    op.execute(STAYING)


def downgrade() -> None:
    """Drop it."""
    op.execute("DROP TABLE staying")
