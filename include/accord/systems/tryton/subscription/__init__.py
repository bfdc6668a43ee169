"""Contracts of Salesforce as subscriptions of Tryton."""
