"""What reconciliations found, and what became of it."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"

RECONCILIATION = """
CREATE TABLE reconciliation (                         -- one object, from one source, against one target
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, flow text NOT NULL, stream smallint NOT NULL REFERENCES stream,
  keys bigint,                                        -- how many records were asked for; NULL = all of them
  mode text NOT NULL, who text NOT NULL,
  counts jsonb NOT NULL DEFAULT '{}',                 -- {standing or class: n}; they add up to what was looked at
  amounts jsonb NOT NULL DEFAULT '{}',                -- {field: {currency: {source: amount, target: amount}}}
  started timestamptz NOT NULL DEFAULT now(), ended timestamptz);
CREATE INDEX ON reconciliation (stream, id DESC);

CREATE TABLE difference (                             -- names of fields, never values
  reconciliation bigint NOT NULL REFERENCES reconciliation ON DELETE CASCADE, key text NOT NULL,
  class text NOT NULL, category text NOT NULL, rule text NOT NULL, cause text NOT NULL,
  fields text[] NOT NULL, natives text[] NOT NULL, version timestamptz NOT NULL,
  currency char(3), at_risk numeric(38, 6), correction text NOT NULL, outcome text NOT NULL,
  PRIMARY KEY (reconciliation, key));
CREATE INDEX ON difference (key);
"""


def upgrade() -> None:
    """Create them."""
    op.execute(RECONCILIATION)


def downgrade() -> None:
    """Drop them."""
    op.execute("DROP TABLE difference, reconciliation")
