"""The legacy ERP of the sandbox: a PostgreSQL database whose own tables are reached only through `inbound` (requests, and a
procedure that accepts or rejects them) and `outbound` (what it offers to read). `docs/interface-tables.md` is its contract."""
