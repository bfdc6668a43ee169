"""Orders of Salesforce as sales of Tryton."""
