"""The commands of `accord`, a file per topic. Each says with `add` what it understands, and does it."""

from accord.commands import approvals, exceptions, flows, housekeeping, migrate, outbox, processes, setup, trace, undo

TOPICS = (flows, exceptions, processes, approvals, trace, undo, migrate, housekeeping, outbox, setup)
