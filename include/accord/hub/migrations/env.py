"""Alembic's environment: the connection string comes from the hub, never from a file."""

from __future__ import annotations

import psycopg
from alembic import context
from sqlalchemy import create_engine, pool

engine = create_engine(
    "postgresql+psycopg://", creator=lambda: psycopg.connect(context.config.attributes["dsn"]), poolclass=pool.NullPool
)
with engine.connect() as connection:
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        connection.exec_driver_sql(
            "SELECT pg_advisory_xact_lock(308160)"
        )  # two upgrades at once: the second finds nothing to do
        context.run_migrations()
