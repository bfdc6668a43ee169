"""What every record was last told to be, and every change of it, field by field; undoing a run; partitions by month."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"

CHANGES = """
CREATE TABLE image (                                  -- what a target was last told of a record: canonical field → value
  stream smallint NOT NULL, key text NOT NULL, dispatch bigint NOT NULL, at timestamptz NOT NULL DEFAULT now(),
  number text,                                        -- what people call the record by
  refs text[],                                        -- canonical ids it refers to, of transactions and accounts
  plain jsonb NOT NULL, personal jsonb NOT NULL,      -- personal values apart: to be granted, and forgotten, apart
  PRIMARY KEY (stream, key)) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX ON image (number) WHERE number IS NOT NULL;
CREATE INDEX ON image USING gin (refs) WHERE refs IS NOT NULL;

CREATE TABLE change (                                 -- of a delivery that was applied; months are dropped whole, personal ones sooner
  at timestamptz NOT NULL DEFAULT now(), dispatch bigint NOT NULL, stream smallint NOT NULL, key text NOT NULL,
  personal boolean NOT NULL,
  basis text NOT NULL CHECK (basis IN ('created', 'applied', 'read', 'unknown')),   -- where `before` is known from
  before jsonb NOT NULL, after jsonb NOT NULL) PARTITION BY LIST (personal);
CREATE INDEX ON change (key);
CREATE TABLE change_plain PARTITION OF change FOR VALUES IN (false) PARTITION BY RANGE (at);
CREATE TABLE change_plain_rest PARTITION OF change_plain DEFAULT;
CREATE TABLE change_personal PARTITION OF change FOR VALUES IN (true) PARTITION BY RANGE (at);
CREATE TABLE change_personal_rest PARTITION OF change_personal DEFAULT;

CREATE FUNCTION without_part(image jsonb, part text) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(jsonb_object_agg(key, CASE WHEN jsonb_typeof(value) = 'object' THEN value - part ELSE value END), '{}')
  FROM jsonb_each(image) $$;

ALTER TABLE run ADD COLUMN undoes bigint REFERENCES run;
CREATE INDEX ON finding (key);
CREATE INDEX ON exception (key);
"""


def upgrade() -> None:
    """Create them."""
    op.execute(CHANGES)


def downgrade() -> None:
    """Drop them."""
    op.execute(
        """DROP INDEX exception_key_idx, finding_key_idx;
           ALTER TABLE run DROP COLUMN undoes; DROP FUNCTION without_part; DROP TABLE change, image"""
    )
