"""The DAGs of the checkout by name: one for each flow, and those beside them, written out by hand."""

from accord.flows import FLOWS
from accord.hub.processes import PROCESSES

BESIDE_THE_FLOWS = {
    *PROCESSES,
    "approvals",
    "approval",
    "housekeeping",
    "outbox",
    "quality_digest",
    "reconciliation",
    "replay",
    "service_levels",
}
ALL = {*FLOWS, *BESIDE_THE_FLOWS}
