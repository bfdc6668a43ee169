"""contract_sync: what Accord tells sales about the state of a contract's synchronization."""

from accord.objects.synchronization import synchronization_of

CONTRACT_SYNC = synchronization_of("contract", name="contract_sync")
