"""Everything a developer needs instead of the real systems: a local Salesforce org, a real ERP, a sample company."""
