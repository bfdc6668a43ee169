"""The commands of `accord`, a file per topic. Each says with `add` what it understands, and does it."""

from accord.commands import (
    alerts,
    approvals,
    exceptions,
    flows,
    housekeeping,
    metrics,
    migrate,
    outbox,
    processes,
    reconcile,
    reviews,
    setup,
    systems,
    trace,
    undo,
)

TOPICS = (
    flows, exceptions, processes, approvals, alerts, reviews, reconcile, trace, undo, metrics, systems, migrate, housekeeping, outbox,
    setup,
)  # fmt: skip
