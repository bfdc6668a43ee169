"""The alert ledger: one alert per promise that is not kept, and a notice for whoever is told of each change."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"

ALERTS = """
CREATE TABLE alert (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  key text NOT NULL CHECK (length(key) <= 255),       -- environment:subject:measure:object:limit
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'acknowledged', 'recovered')),
  body jsonb NOT NULL,                                -- as it was last seen: names, figures, instants; nothing personal
  severity text NOT NULL, owner text NOT NULL,
  step int NOT NULL DEFAULT 0,                        -- how often it was escalated
  escalate_at timestamptz NOT NULL,                   -- unless somebody acknowledges it
  opened timestamptz NOT NULL DEFAULT now(), seen timestamptz NOT NULL DEFAULT now(), recovered timestamptz,
  acknowledged timestamptz, who text, why text);
CREATE UNIQUE INDEX alert_open ON alert (key) WHERE state <> 'recovered';

CREATE TABLE notice (                                 -- written with the change it tells of, delivered afterwards
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, alert bigint NOT NULL REFERENCES alert ON DELETE CASCADE,
  event text NOT NULL CHECK (event IN ('opened', 'escalated', 'acknowledged', 'recovered')),
  channel text NOT NULL, body jsonb NOT NULL, at timestamptz NOT NULL DEFAULT now(),
  not_before timestamptz, quiet boolean NOT NULL DEFAULT false,     -- it waits for the end of the quiet hours
  tries int NOT NULL DEFAULT 0, problem text, delivered timestamptz,
  dropped timestamptz);                               -- nobody needs it any more: problem says why
CREATE INDEX notice_due ON notice (alert, channel, id) WHERE delivered IS NULL AND dropped IS NULL;
CREATE INDEX ON notice (alert);
"""


def upgrade() -> None:
    """Create them."""
    op.execute(ALERTS)


def downgrade() -> None:
    """Drop them."""
    op.execute("DROP TABLE notice, alert")
