"""Business rules by hand: one module per business object, named as the object, with SOURCE_RULES and CANONICAL_RULES."""
