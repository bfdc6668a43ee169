"""Customers as Tryton's parties."""
