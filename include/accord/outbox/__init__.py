"""The outbox: what happened in a target or on an order's way goes out as events, in order, at least once, and again on demand."""
