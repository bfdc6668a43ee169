"""Metrics: what is measured, the facts it is computed from, its values from day to day, and how they are told."""
