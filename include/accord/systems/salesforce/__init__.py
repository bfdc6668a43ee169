"""Salesforce as a source of customers and a target of what the ERPs and Accord say about them."""
