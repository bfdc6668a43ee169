"""The commands of `accord`, one file per topic."""
