"""SOQL: text to tokens to a tree to SQL to records."""
