-- inbound.post_agreements(batch): accept or reject every new agreement of a batch, in whole sets. Posting a batch twice is harmless.

-- What is wrong with the agreements themselves. Fills code and reason of the temporary table arriving.
CREATE OR REPLACE PROCEDURE inbound.check_agreements() LANGUAGE plpgsql AS $$
BEGIN
    UPDATE arriving SET code = 'ACTION_UNKNOWN', reason = 'action is neither begin nor cancel' WHERE action NOT IN ('begin', 'cancel');
    UPDATE arriving SET code = 'AGREEMENT_UNKNOWN', reason = 'there is no agreement of that number and reference'
    WHERE code IS NULL AND number IS NULL AND (asked_number IS NOT NULL OR action = 'cancel');
    UPDATE arriving SET code = 'REFERENCE_TAKEN', reason = 'number and external reference belong to different agreements'
    WHERE code IS NULL AND number <> asked_number;
    UPDATE arriving SET code = 'STALE', reason = 'a newer version is already there' WHERE code IS NULL AND held_version > version;
    UPDATE arriving SET known = true                        -- asked before: answered again, and nothing else
    WHERE code IS NULL AND (held_version = version OR (action = 'cancel' AND held_cancelled));
    UPDATE arriving p SET code = 'AGREEMENT_BILLED', reason = 'some of the agreement is billed already'
    WHERE code IS NULL AND NOT known AND action = 'cancel'
      AND EXISTS (SELECT FROM erp.agreement_bill b WHERE b.agreement_number = p.number);

    UPDATE arriving SET code = 'FIELD_MISSING', reason = 'company, currency, first_day or last_day is missing'
    WHERE code IS NULL AND NOT known AND action = 'begin' AND num_nulls(company, currency, first_day, last_day) > 0;
    UPDATE arriving p SET code = 'COMPANY_UNKNOWN', reason = 'company is not in the table of companies'
    WHERE code IS NULL AND NOT known AND action = 'begin' AND NOT EXISTS (SELECT FROM erp.company c WHERE c.code = p.company);
    UPDATE arriving p SET code = 'CUSTOMER_UNKNOWN', reason = 'the company has no such customer'
    WHERE code IS NULL AND NOT known AND action = 'begin'
      AND NOT EXISTS (SELECT FROM erp.account a WHERE a.customer_number = p.customer AND a.company = p.company);
    UPDATE arriving p SET code = 'CUSTOMER_CLOSED', reason = 'the customer is closed or inactive'
    FROM erp.customer c
    WHERE p.code IS NULL AND NOT known AND action = 'begin' AND c.customer_number = p.customer AND (c.closed OR NOT c.active);
    UPDATE arriving p SET code = 'AGREEMENT_FIXED', reason = 'an agreement does not change its company, customer, currency or first day'
    FROM erp.agreement g
    WHERE p.code IS NULL AND NOT known AND action = 'begin' AND g.agreement_number = p.number
      AND (g.company, g.customer_number, g.currency::text, g.first_day) IS DISTINCT FROM (p.company, p.customer, p.currency, p.first_day);
    UPDATE arriving SET code = 'DATES_INVALID', reason = 'last_day is not after first_day'
    WHERE code IS NULL AND NOT known AND action = 'begin' AND last_day <= first_day;
    UPDATE arriving SET code = 'FIELD_TOO_LONG', reason = inbound.too_long('description', description, 80)
    WHERE code IS NULL AND NOT known AND action = 'begin' AND char_length(description) > 80;
    UPDATE arriving p SET code = 'CREDIT_HOLD', reason = 'the customer is on credit hold'
    FROM erp.account a
    WHERE p.code IS NULL AND NOT known AND action = 'begin' AND number IS NULL AND a.customer_number = p.customer AND a.company = p.company
      AND a.on_hold;
END $$;

-- What is wrong with their lines: the first line with a fault names the agreement's. What is billed of a line stays as it is.
CREATE OR REPLACE PROCEDURE inbound.check_agreement_lines(p_batch text) LANGUAGE plpgsql AS $$
BEGIN
    UPDATE arriving p SET code = 'LINES_MISSING', reason = 'the agreement has no line'
    WHERE code IS NULL AND NOT known AND action = 'begin'
      AND NOT EXISTS (SELECT FROM inbound.agreement_line l WHERE l.batch = p_batch AND l.external_ref = p.external_ref);
    UPDATE arriving p SET code = w.code, reason = w.reason, line_ref = w.line_ref
    FROM (
        SELECT DISTINCT ON (q.external_ref) q.external_ref, l.line_ref, c.fault[1] AS code, c.fault[2] AS reason
        FROM arriving q
        JOIN inbound.agreement_line l ON l.batch = p_batch AND l.external_ref = q.external_ref
        LEFT JOIN erp.product i ON i.product_number = l.product_number
        LEFT JOIN erp.agreement_line h ON h.agreement_number = q.number AND h.line_ref = l.line_ref
        CROSS JOIN LATERAL (SELECT erp.billed_until(h.agreement_number, h.line_ref) AS billed) b
        CROSS JOIN LATERAL (
            SELECT CASE
                WHEN num_nulls(l.quantity, l.rate, l.cycle, l.first_day, l.last_day) > 0
                    THEN ARRAY['FIELD_MISSING', 'quantity, rate, cycle, first_day or last_day of a line is missing']
                WHEN i.product_number IS NULL THEN ARRAY['PRODUCT_UNKNOWN', 'there is no such product']
                WHEN i.family <> 'Subscriptions' THEN ARRAY['PRODUCT_NOT_PERIODIC', 'the product is not billed in cycles']
                WHEN i.status <> 'Active' AND h.line_ref IS NULL THEN ARRAY['PRODUCT_NOT_SOLD', 'the product is discontinued or blocked']
                WHEN l.quantity <= 0 OR l.quantity <> round(l.quantity, 4)
                    THEN ARRAY['QUANTITY_INVALID', 'quantity is not above zero, or has more than 4 decimals']
                WHEN erp.months(l.cycle) IS NULL THEN ARRAY['CYCLE_UNKNOWN', 'cycle is not one the ERP bills in']
                WHEN l.last_day < l.first_day OR l.first_day < q.first_day OR l.last_day > q.last_day
                    THEN ARRAY['DATES_INVALID', 'a line ends before it begins, or lies outside its agreement']
                WHEN b.billed IS NOT NULL AND ((h.product_number::text, h.quantity, h.rate, h.cycle, h.first_day)
                         IS DISTINCT FROM (l.product_number, l.quantity, l.rate, l.cycle, l.first_day) OR l.last_day < b.billed)
                    THEN ARRAY['LINE_BILLED', 'of a line that is billed only the last day can change, to none before what is billed']
            END AS fault
        ) c
        WHERE q.code IS NULL AND NOT q.known AND q.action = 'begin' AND c.fault IS NOT NULL
        ORDER BY q.external_ref, l.line_number, l.line_ref
    ) w
    WHERE p.external_ref = w.external_ref;
    UPDATE arriving p SET code = 'LINE_BILLED', reason = 'a line that is left out is billed already', line_ref = h.line_ref
    FROM erp.agreement_line h
    WHERE p.code IS NULL AND NOT known AND p.action = 'begin' AND h.agreement_number = p.number
      AND erp.billed_until(h.agreement_number, h.line_ref) IS NOT NULL
      AND NOT EXISTS (SELECT FROM inbound.agreement_line l
                      WHERE l.batch = p_batch AND l.external_ref = p.external_ref AND l.line_ref = h.line_ref);
END $$;

CREATE OR REPLACE PROCEDURE inbound.post_agreements(p_batch text) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('post_agreements ' || p_batch, 0));  -- one poster per batch
    DROP TABLE IF EXISTS pg_temp.arriving;
    CREATE TEMP TABLE arriving ON COMMIT DROP AS
    SELECT r.external_ref, r.action, r.version, r.read_at, r.agreement_number AS asked_number, r.company, r.currency, r.description,
           r.first_day, r.last_day, r.payment_terms, c.customer_number AS customer, g.agreement_number AS number,
           g.external_version AS held_version, coalesce(g.cancelled, false) AS held_cancelled, false AS known, false AS created,
           NULL::text AS code, NULL::text AS reason, NULL::text AS line_ref
    FROM inbound.agreement r
    LEFT JOIN erp.agreement g ON g.external_ref = r.external_ref
    LEFT JOIN erp.customer c ON CASE WHEN r.customer_number IS NOT NULL THEN c.customer_number = r.customer_number
                                     ELSE c.external_ref = r.customer_ref END
    WHERE r.batch = p_batch AND r.status = 'new'
    ORDER BY r.external_ref;
    CREATE UNIQUE INDEX ON arriving (external_ref);
    ANALYZE arriving;
    -- whoever else posts the same agreement waits, and so do the billers
    PERFORM FROM erp.agreement g JOIN arriving p ON p.number = g.agreement_number ORDER BY g.agreement_number FOR NO KEY UPDATE OF g;
    UPDATE arriving p SET held_version = g.external_version, held_cancelled = g.cancelled
    FROM erp.agreement g WHERE g.agreement_number = p.number;

    CALL inbound.check_agreements();
    CALL inbound.check_agreement_lines(p_batch);

    WITH made AS (
        INSERT INTO erp.agreement (company, external_ref, external_version, external_read_at, customer_number, currency, description,
                                   first_day, last_day, payment_terms)
        SELECT company, external_ref, version, read_at, customer, currency, description, first_day, last_day, payment_terms
        FROM arriving WHERE code IS NULL AND NOT known AND number IS NULL
        ORDER BY external_ref
        ON CONFLICT (external_ref) DO NOTHING
        RETURNING agreement_number, external_ref
    )
    UPDATE arriving p SET number = made.agreement_number, created = true FROM made WHERE made.external_ref = p.external_ref;
    -- somebody else was first with the same reference: the same version is answered, another one is read again
    UPDATE arriving p SET number = g.agreement_number, known = g.external_version = p.version,
        code = CASE WHEN g.external_version <> p.version THEN 'STALE' END,
        reason = CASE WHEN g.external_version <> p.version THEN 'another version arrived at the same time' END
    FROM erp.agreement g
    WHERE p.code IS NULL AND NOT p.known AND p.number IS NULL AND g.external_ref = p.external_ref;

    UPDATE erp.agreement g
    SET external_version = p.version, external_read_at = p.read_at, description = p.description, last_day = p.last_day,
        payment_terms = p.payment_terms, cancelled = false, changed_at = clock_timestamp()
    FROM arriving p
    WHERE g.agreement_number = p.number AND p.code IS NULL AND NOT p.known AND NOT p.created AND p.action = 'begin';
    UPDATE erp.agreement g SET cancelled = true, external_version = p.version, external_read_at = p.read_at
    FROM arriving p WHERE g.agreement_number = p.number AND p.code IS NULL AND NOT p.known AND p.action = 'cancel';

    -- lines of the accepted agreements become the set that was sent
    DELETE FROM erp.agreement_line h USING arriving p
    WHERE h.agreement_number = p.number AND p.code IS NULL AND NOT p.known AND p.action = 'begin'
      AND NOT EXISTS (SELECT FROM inbound.agreement_line l
                      WHERE l.batch = p_batch AND l.external_ref = p.external_ref AND l.line_ref = h.line_ref);
    INSERT INTO erp.agreement_line (agreement_number, line_ref, line_number, product_number, quantity, rate, cycle, first_day, last_day)
    SELECT p.number, l.line_ref, l.line_number, l.product_number, l.quantity, l.rate, l.cycle, l.first_day, l.last_day
    FROM arriving p JOIN inbound.agreement_line l ON l.batch = p_batch AND l.external_ref = p.external_ref
    WHERE p.code IS NULL AND NOT p.known AND p.action = 'begin'
    ORDER BY p.number, l.line_ref
    ON CONFLICT (agreement_number, line_ref) DO UPDATE
    SET (line_number, product_number, quantity, rate, cycle, first_day, last_day)
        = (excluded.line_number, excluded.product_number, excluded.quantity, excluded.rate, excluded.cycle, excluded.first_day,
           excluded.last_day);

    UPDATE inbound.agreement r
    SET status = CASE WHEN p.code IS NULL THEN 'accepted' ELSE 'rejected' END,
        code = p.code, reason = p.reason, line_ref = p.line_ref, answered_number = p.number, posted_at = clock_timestamp()
    FROM arriving p
    WHERE r.batch = p_batch AND r.external_ref = p.external_ref AND r.status = 'new';
    DROP TABLE arriving;
END $$;
