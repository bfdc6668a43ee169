-- What the legacy ERP offers to read. Every row says when it last changed.

CREATE SCHEMA IF NOT EXISTS outbound;

CREATE OR REPLACE VIEW outbound.customer AS
SELECT c.customer_number, c.external_ref, c.name::text AS name, c.legal_name::text AS legal_name,
       p.external_ref AS parent_ref, c.parent_number, c.country::text AS country, c.currency::text AS currency,
       c.tax_registration::text AS tax_registration, c.phone::text AS phone, c.website::text AS website, c.active, c.changed_at
FROM erp.customer c
LEFT JOIN erp.customer p ON p.customer_number = c.parent_number;

CREATE OR REPLACE VIEW outbound.customer_address AS
SELECT customer_number, role, street::text AS street, city::text AS city, region::text AS region,
       postal_code::text AS postal_code, country::text AS country
FROM erp.customer_address;

CREATE OR REPLACE VIEW outbound.customer_contact AS
SELECT customer_number, external_ref AS contact_ref, first_name::text AS first_name, last_name::text AS last_name,
       email::text AS email, phone::text AS phone, title::text AS title
FROM erp.customer_contact;

-- to look for a company under another spelling; indexed
CREATE OR REPLACE VIEW outbound.customer_search AS
SELECT customer_number, external_ref, name::text AS name, country::text AS country,
       tax_registration::text AS tax_registration, search_name, search_code
FROM erp.customer
WHERE active;

-- which accounts changed when; an open item that falls due is a change at the midnight (UTC) after its due day
CREATE OR REPLACE VIEW outbound.customer_account_change AS
SELECT a.customer_number, a.company, c.changed_at FROM erp.customer c JOIN erp.account a USING (customer_number)
UNION ALL
SELECT customer_number, company, changed_at FROM erp.account
UNION ALL
SELECT customer_number, company, changed_at FROM erp.ledger_item
UNION ALL
SELECT customer_number, company, (due + 1)::timestamp AT TIME ZONE 'UTC'
FROM erp.ledger_item WHERE open_amount <> 0 AND due < (now() AT TIME ZONE 'UTC')::date;

CREATE OR REPLACE VIEW outbound.customer_account AS
SELECT a.customer_number, a.company, c.external_ref, c.legal_name::text AS legal_name, a.tax_class, a.payment_terms,
       o.currency::text AS currency, a.credit_limit, a.on_hold, l.balance, l.overdue, c.active AND NOT c.closed AS active,
       greatest(c.changed_at, a.changed_at, l.changed_at, l.fell_due) AS changed_at
FROM erp.account a
JOIN erp.customer c USING (customer_number)
JOIN erp.company o ON o.code = a.company
CROSS JOIN LATERAL (
    SELECT coalesce(sum(i.open_amount), 0) AS balance,
           coalesce(sum(i.open_amount) FILTER (WHERE i.due < (now() AT TIME ZONE 'UTC')::date), 0) AS overdue,
           max(i.changed_at) AS changed_at,
           max((i.due + 1)::timestamp AT TIME ZONE 'UTC')
               FILTER (WHERE i.open_amount <> 0 AND i.due < (now() AT TIME ZONE 'UTC')::date) AS fell_due
    FROM erp.ledger_item i
    WHERE i.customer_number = a.customer_number AND i.company = a.company
) l;

CREATE OR REPLACE VIEW outbound.company AS SELECT code, name, currency::text AS currency FROM erp.company;
