"""Accord keeps Salesforce and the ERPs in agreement across quote-to-cash. This package is the domain; it never imports airflow."""
