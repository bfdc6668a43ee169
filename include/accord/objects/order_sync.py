"""order_sync: what Accord tells sales about the state of an order's synchronization."""

from accord.objects.synchronization import synchronization_of

ORDER_SYNC = synchronization_of("order", name="order_sync")
