"""What a record waits for has an object; what is left out quietly until it is known is remembered."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"

UNLINKED = """
CREATE TABLE unlinked (                               -- left out, or sent without a reference, until a link knows what it names
  flow text NOT NULL REFERENCES flow, key text NOT NULL, object text NOT NULL, awaits text NOT NULL,  -- <system>:<native>
  PRIMARY KEY (flow, key, object, awaits));
ALTER TABLE exception ADD COLUMN awaits_object text;
"""


def upgrade() -> None:
    """Add them."""
    op.execute(UNLINKED)


def downgrade() -> None:
    """Drop them."""
    op.execute("ALTER TABLE exception DROP COLUMN awaits_object; DROP TABLE unlinked")
