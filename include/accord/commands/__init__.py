"""The commands of `accord`, a file per topic. Each says with `add` what it understands, and does it."""

from accord.commands import (
    approvals,
    exceptions,
    flows,
    housekeeping,
    migrate,
    outbox,
    processes,
    reconcile,
    setup,
    systems,
    trace,
    undo,
)

TOPICS = (
    flows, exceptions, processes, approvals, reconcile, trace, undo, systems, migrate, housekeeping, outbox, setup,
)  # fmt: skip
