"""The commands of `accord`, a file per topic. Each says with `add` what it understands, and does it."""

from accord.commands import approvals, flows, housekeeping, outbox, processes, setup, trace, undo

TOPICS = (flows, processes, approvals, trace, undo, housekeeping, outbox, setup)
