"""Contracts of Salesforce as agreements in the interface tables."""
