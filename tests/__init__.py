"""Tests, by layer: static, unit, contract, dags, integration, faults, outside, e2e (see tests/layers.py)."""
