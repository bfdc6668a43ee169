"""customer_status: what Accord tells sales about the state of a customer's synchronization."""

from accord.objects.synchronization import synchronization_of

CUSTOMER_STATUS = synchronization_of("customer", name="customer_status")
