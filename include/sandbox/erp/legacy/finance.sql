-- Finance staff's work on customers that came in from outside: terms, limits, holds and open items, the same for the same
-- customer wherever and whenever it is done (the choices come from a digest of its external reference). Only customers finance
-- has not looked at yet are touched, so a second run changes nothing.

WITH dice AS (
    SELECT a.customer_number, a.company,
           ('x' || substr(d.digest, 1, 4))::bit(16)::int AS terms,
           ('x' || substr(d.digest, 5, 4))::bit(16)::int AS limits,
           ('x' || substr(d.digest, 9, 4))::bit(16)::int AS holds,
           ('x' || substr(d.digest, 13, 4))::bit(16)::int AS items
    FROM erp.account a
    JOIN erp.customer c USING (customer_number)
    CROSS JOIN LATERAL (SELECT md5('finance ' || coalesce(c.external_ref, c.customer_number)) AS digest) d
    WHERE a.payment_terms IS NULL AND c.active
), terms AS (
    UPDATE erp.account a
    SET payment_terms = (ARRAY['NET30', 'NET30', 'NET45', 'NET14', 'DUE ON RECEIPT'])[1 + d.terms % 5],
        tax_class = (ARRAY['TAXABLE', 'TAXABLE', 'TAXABLE', 'EXEMPT-RESALE', 'EXPORT'])[1 + d.terms / 5 % 5],
        credit_limit = (ARRAY[10000, 25000, 50000, 100000, NULL])[1 + d.limits % 5]::numeric,
        on_hold = d.holds % 25 = 0
    FROM dice d
    WHERE a.customer_number = d.customer_number AND a.company = d.company
)
INSERT INTO erp.ledger_item (customer_number, company, document, posted, due, amount, open_amount)
SELECT d.customer_number, d.company, format('OB-%s-%s', d.customer_number, n),
       -- every third customer pays late: its first item is past due
       day.posted, day.posted + 30, money.amount, money.amount
FROM dice d
CROSS JOIN LATERAL generate_series(1, d.items % 4) AS n
CROSS JOIN LATERAL (
    SELECT (now() AT TIME ZONE 'UTC')::date - CASE WHEN d.items % 3 = 0 AND n = 1 THEN 45 + d.terms % 60 ELSE d.terms % 25 END AS posted
) day
CROSS JOIN LATERAL (SELECT (500 + (d.limits * 7919 + n * 104729) % 2000000 / 100.0)::numeric(18, 2) AS amount) money
ON CONFLICT DO NOTHING;
