"""The commands of `accord`, a file per topic. Each says with `add` what it understands, and does it."""
