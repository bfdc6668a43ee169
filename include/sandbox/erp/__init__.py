"""The sandbox ERP: Tryton, installed, set up and started as a server of its own.

This package talks to it over JSON-RPC only. What runs in Tryton's own environment (``inside/``) is started as a program
of its own.
"""
