"""Orders in the interface tables."""
