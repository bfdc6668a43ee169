"""Hooks for Salesforce, the ERPs and the hub: for people's own tasks; Accord's operators use the same connections."""
