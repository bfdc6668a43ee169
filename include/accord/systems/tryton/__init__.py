"""Tryton over JSON-RPC: a target of customers (parties), a source of customer accounts (a party in a company's books)."""
