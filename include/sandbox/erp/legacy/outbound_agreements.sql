-- What the legacy ERP offers to read of its agreements. What runs, and what it is worth, depends on the day, UTC: a line that begins
-- or has ended is a change at that midnight, and so is the day a renewal is due.

CREATE OR REPLACE VIEW outbound.agreement_line AS
SELECT g.company, l.agreement_number, g.external_ref, l.line_ref, l.line_number, l.product_number::text AS product_number, l.quantity,
       l.rate, l.cycle, l.first_day, l.last_day, g.cancelled
FROM erp.agreement_line l JOIN erp.agreement g USING (agreement_number);

CREATE OR REPLACE VIEW outbound.agreement_schedule AS
SELECT g.company, c.agreement_number, g.external_ref, c.day::text AS instalment, c.day, sum(c.amount) AS amount,
       bool_and(c.document_number IS NOT NULL) AS billed
FROM erp.agreement_cycle c JOIN erp.agreement g USING (agreement_number)
WHERE NOT g.cancelled
GROUP BY g.company, c.agreement_number, g.external_ref, c.day;

-- what is told of lines that run: none of a cancelled agreement's do
CREATE OR REPLACE VIEW outbound.agreement_running_line AS SELECT * FROM outbound.agreement_line WHERE NOT cancelled;

CREATE OR REPLACE VIEW outbound.agreement AS
SELECT g.company, g.agreement_number, g.external_ref, g.customer_number, c.external_ref AS customer_ref, g.currency::text AS currency,
       g.description::text AS description, g.first_day, g.last_day, g.payment_terms,
       CASE WHEN g.cancelled THEN 'Cancelled' WHEN t.day < g.first_day THEN 'Scheduled' WHEN t.day <= g.last_day THEN 'Active'
            ELSE 'Ended' END AS status,
       CASE WHEN NOT g.cancelled THEN s.next_day END AS next_bill_day, t.day AS as_of,
       CASE WHEN g.cancelled THEN 0 ELSE l.arr END AS arr,
       CASE WHEN NOT g.cancelled THEN g.last_day + 1 END AS renewal_day,
       CASE WHEN NOT g.cancelled THEN l.arr_at_end END AS renewal_value,
       g.external_version AS version, greatest(g.changed_at, l.came, d.came) AS changed_at
FROM erp.agreement g
JOIN erp.customer c USING (customer_number)
CROSS JOIN (SELECT (now() AT TIME ZONE 'UTC')::date AS day) t
CROSS JOIN LATERAL (
    SELECT coalesce(sum(round(quantity * rate, 2) * 12 / erp.months(cycle)) FILTER (WHERE t.day BETWEEN first_day AND last_day), 0) AS arr,
           coalesce(sum(round(quantity * rate, 2) * 12 / erp.months(cycle)) FILTER (WHERE g.last_day BETWEEN first_day AND last_day), 0)
               AS arr_at_end,
           greatest(max(first_day) FILTER (WHERE first_day <= t.day), max(last_day + 1) FILTER (WHERE last_day < t.day))::timestamp
               AT TIME ZONE 'UTC' AS came
    FROM erp.agreement_line WHERE agreement_number = g.agreement_number
) l
CROSS JOIN LATERAL (
    SELECT max(day)::timestamp AT TIME ZONE 'UTC' AS came
    FROM unnest(ARRAY[g.first_day, g.last_day + 1, g.last_day - 90]) AS day WHERE day <= t.day
) d
CROSS JOIN LATERAL (
    SELECT min(day) AS next_day FROM erp.agreement_cycle WHERE agreement_number = g.agreement_number AND document_number IS NULL
) s;

-- terms that end within 90 days
CREATE OR REPLACE VIEW outbound.agreement_renewal AS
SELECT company, agreement_number || '/' || last_day AS term, external_ref, customer_number, currency, last_day, renewal_value,
       company || '/' || agreement_number || '/' || last_day AS named, 'Renewal of contract ' || coalesce(description, agreement_number) AS name,
       'Qualification' AS stage, changed_at
FROM outbound.agreement
WHERE status IN ('Scheduled', 'Active') AND as_of BETWEEN last_day - 90 AND last_day AND external_ref IS NOT NULL;
