"""The commands of `accord`, a file per topic. Each says with `add` what it understands, and does it."""

from accord.commands import approvals, exceptions, flows, migrate, outbox, processes, reconcile, setup, systems

TOPICS = (flows, exceptions, processes, approvals, reconcile, systems, migrate, outbox, setup)
