"""The commands of `accord`, a file per topic. Each says with `add` what it understands, and does it."""

from accord.commands import alerts, approvals, exceptions, flows, migrate, outbox, processes, setup, systems

TOPICS = (flows, exceptions, processes, approvals, alerts, systems, migrate, outbox, setup)
