"""Customers in the interface tables."""
