"""The rule engine: what may be stored, and what follows from storing it."""
