"""The canonical id of a record that others may carry on: whoever came first named it."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0003"

IDENTITY = """
CREATE TABLE identity (                               -- a source's record, or a part of one, and the id it goes by
  object text NOT NULL,                               -- order, or order.lines for its parts
  native text NOT NULL,                               -- canonical id the record would have by itself
  key text NOT NULL,                                  -- canonical id it goes by
  carries_on text,                                    -- the record it carries on, whoever named them
  at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (object, native), UNIQUE (object, key));
CREATE INDEX ON identity (object, carries_on) WHERE carries_on IS NOT NULL;
"""


def upgrade() -> None:
    """Create it."""
    op.execute(IDENTITY)


def downgrade() -> None:
    """Drop it."""
    op.execute("DROP TABLE identity")
