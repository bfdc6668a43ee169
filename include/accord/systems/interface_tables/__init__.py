"""An ERP reached through PostgreSQL tables: requests are copied in, a procedure of the ERP accepts or rejects them, and the ERP
offers views to read. `docs/interface-tables.md` is the contract with the ERP's owners."""
