-- inbound.post_customers(batch): accept or reject every new row of a batch, in whole sets. Posting a batch twice is harmless.

-- too_long(field, value, limit): what is wrong with a text, or null
CREATE OR REPLACE FUNCTION inbound.too_long(field text, value text, longest int) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN char_length(value) > longest THEN format('%s is longer than %s characters', field, longest) END
$$;

-- What is wrong with the rows themselves, whatever their parents. Fills code and reason of the temporary table posting.
CREATE OR REPLACE PROCEDURE inbound.check_rows(p_batch text) LANGUAGE plpgsql AS $$
BEGIN
    UPDATE posting SET code = 'CUSTOMER_UNKNOWN', reason = 'there is no customer of that number'
    WHERE asked_number IS NOT NULL AND number IS NULL;
    UPDATE posting SET code = 'REFERENCE_TAKEN', reason = 'number and external reference belong to different customers'
    WHERE code IS NULL AND number IS NOT NULL
      AND (held_ref <> external_ref OR (number_of_ref IS NOT NULL AND number_of_ref <> number));
    UPDATE posting SET code = 'CUSTOMER_CLOSED', reason = 'finance has closed the customer'
    WHERE code IS NULL AND closed;

    UPDATE posting p SET code = 'FIELD_MISSING',
        reason = CASE WHEN name IS NULL THEN 'name' WHEN country IS NULL THEN 'country' ELSE 'currency' END || ' is missing'
    WHERE code IS NULL AND action = 'upsert' AND (name IS NULL OR country IS NULL OR currency IS NULL);
    UPDATE posting p SET code = 'FIELD_TOO_LONG', reason = w.reason
    FROM posting q
    CROSS JOIN LATERAL (SELECT coalesce(
        inbound.too_long('name', q.name, 120), CASE WHEN q.number IS NULL THEN inbound.too_long('legal_name', q.legal_name, 120) END,
        inbound.too_long('tax_registration', q.tax_registration, 30), inbound.too_long('phone', q.phone, 40),
        inbound.too_long('website', q.website, 255)) AS reason) w
    WHERE p.external_ref = q.external_ref AND p.code IS NULL AND p.action = 'upsert' AND w.reason IS NOT NULL;
    UPDATE posting p SET code = 'COUNTRY_UNKNOWN', reason = 'country is not in the table of countries'
    WHERE code IS NULL AND action = 'upsert' AND NOT EXISTS (SELECT FROM erp.country c WHERE c.code = p.country);
    UPDATE posting p SET code = 'CURRENCY_UNKNOWN', reason = 'currency is not a code of three letters'
    WHERE code IS NULL AND action = 'upsert' AND currency !~ '^[A-Z]{3}$';
    UPDATE posting p SET code = 'COMPANY_UNKNOWN', reason = 'a company is not in the table of companies'
    WHERE code IS NULL AND action = 'upsert'
      AND EXISTS (SELECT FROM unnest(p.companies) AS asked (code) WHERE NOT EXISTS (SELECT FROM erp.company c WHERE c.code = asked.code));

    UPDATE posting p SET code = w.code, reason = w.reason
    FROM (
        SELECT DISTINCT ON (a.external_ref) a.external_ref,
            CASE WHEN c.code IS NULL AND a.country IS NOT NULL THEN 'COUNTRY_UNKNOWN'
                 WHEN l.reason IS NULL THEN 'ROLE_UNKNOWN' ELSE 'FIELD_TOO_LONG' END AS code,
            CASE WHEN c.code IS NULL AND a.country IS NOT NULL THEN 'country of an address is not in the table of countries'
                 ELSE coalesce(l.reason, 'role of an address is not known') END AS reason
        FROM inbound.customer_address a
        LEFT JOIN erp.country c ON c.code = a.country
        CROSS JOIN LATERAL (SELECT coalesce(
            inbound.too_long('street', a.street, 255), inbound.too_long('city', a.city, 40),
            inbound.too_long('region', a.region, 80), inbound.too_long('postal_code', a.postal_code, 20)) AS reason) l
        WHERE a.batch = p_batch
          AND ((c.code IS NULL AND a.country IS NOT NULL) OR l.reason IS NOT NULL OR a.role NOT IN ('bill_to', 'ship_to'))
    ) w
    WHERE p.external_ref = w.external_ref AND p.code IS NULL AND p.action = 'upsert';

    UPDATE posting p SET code = w.code, reason = w.reason
    FROM (
        SELECT DISTINCT ON (k.external_ref) k.external_ref,
            CASE WHEN k.last_name IS NULL THEN 'FIELD_MISSING' ELSE 'FIELD_TOO_LONG' END AS code,
            coalesce(CASE WHEN k.last_name IS NULL THEN 'last_name of a contact is missing' END, l.reason) AS reason
        FROM inbound.customer_contact k
        CROSS JOIN LATERAL (SELECT coalesce(
            inbound.too_long('first_name', k.first_name, 40), inbound.too_long('last_name', k.last_name, 80),
            inbound.too_long('email', k.email, 80), inbound.too_long('phone of a contact', k.phone, 40),
            inbound.too_long('title', k.title, 128)) AS reason) l
        WHERE k.batch = p_batch AND (k.last_name IS NULL OR l.reason IS NOT NULL)
    ) w
    WHERE p.external_ref = w.external_ref AND p.code IS NULL AND p.action = 'upsert';
END $$;

-- Rows whose parent is neither here nor coming with this batch, level by level; then rows that would be above themselves.
CREATE OR REPLACE PROCEDURE inbound.check_hierarchy() LANGUAGE plpgsql AS $$
BEGIN
    UPDATE posting p SET above = c.customer_number
    FROM erp.customer c
    WHERE p.parent_number IS NOT NULL AND c.customer_number = p.parent_number;
    UPDATE posting p SET above = c.customer_number
    FROM erp.customer c
    WHERE p.above IS NULL AND p.parent_number IS NULL AND p.parent_ref IS NOT NULL AND c.external_ref = p.parent_ref;
    LOOP
        UPDATE posting p SET code = 'PARENT_UNKNOWN', reason = 'the parent is not a customer yet'
        WHERE p.code IS NULL AND p.action = 'upsert' AND p.above IS NULL AND (p.parent_ref IS NOT NULL OR p.parent_number IS NOT NULL)
          AND NOT EXISTS (SELECT FROM posting q WHERE q.external_ref = p.parent_ref AND q.code IS NULL AND q.action = 'upsert');
        EXIT WHEN NOT FOUND;
    END LOOP;

    WITH RECURSIVE tree (ref, above_ref) AS (      -- who will be above whom, for what is here and what is coming
        SELECT p.external_ref, p.parent_ref FROM posting p WHERE p.code IS NULL AND p.action = 'upsert' AND p.parent_ref IS NOT NULL
    ), climb (start, at, steps) AS (
        SELECT ref, above_ref, 1 FROM tree
        UNION ALL
        SELECT k.start,
               CASE WHEN p.external_ref IS NOT NULL THEN p.parent_ref ELSE up.external_ref END,
               k.steps + 1
        FROM climb k
        LEFT JOIN posting p ON p.external_ref = k.at AND p.code IS NULL AND p.action = 'upsert'
        LEFT JOIN erp.customer c ON p.external_ref IS NULL AND c.external_ref = k.at
        LEFT JOIN erp.customer up ON up.customer_number = c.parent_number
        WHERE k.at IS NOT NULL AND k.at <> k.start AND k.steps < 100
    )
    UPDATE posting p SET code = 'HIERARCHY_LOOP', reason = 'the customer would be above itself'
    FROM (SELECT DISTINCT start FROM climb WHERE at = start) loops
    WHERE p.external_ref = loops.start;
END $$;

-- Addresses and contacts of the accepted rows become exactly the sets that were sent.
CREATE OR REPLACE PROCEDURE inbound.post_parts(p_batch text) LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM erp.customer_address h USING posting p
    WHERE p.code IS NULL AND p.action = 'upsert' AND NOT p.created AND h.customer_number = p.number
      AND NOT EXISTS (SELECT FROM inbound.customer_address a
                      WHERE a.batch = p_batch AND a.external_ref = p.external_ref AND a.role = h.role);
    INSERT INTO erp.customer_address AS h (customer_number, role, street, city, region, postal_code, country)
    SELECT p.number, a.role, a.street, a.city, a.region, a.postal_code, a.country
    FROM inbound.customer_address a JOIN posting p USING (external_ref)
    WHERE a.batch = p_batch AND p.code IS NULL AND p.action = 'upsert'
    ORDER BY p.number, a.role
    ON CONFLICT (customer_number, role) DO UPDATE
    SET (street, city, region, postal_code, country)
        = (excluded.street, excluded.city, excluded.region, excluded.postal_code, excluded.country)
    WHERE (h.street, h.city, h.region, h.postal_code, h.country)
        IS DISTINCT FROM (excluded.street, excluded.city, excluded.region, excluded.postal_code, excluded.country);

    DELETE FROM erp.customer_contact h USING posting p
    WHERE p.code IS NULL AND p.action = 'upsert' AND NOT p.created AND h.customer_number = p.number
      AND NOT EXISTS (SELECT FROM inbound.customer_contact k
                      WHERE k.batch = p_batch AND k.external_ref = p.external_ref AND k.contact_ref = h.external_ref);
    INSERT INTO erp.customer_contact AS h (customer_number, external_ref, first_name, last_name, email, phone, title)
    SELECT p.number, k.contact_ref, k.first_name, k.last_name, k.email, k.phone, k.title
    FROM inbound.customer_contact k JOIN posting p USING (external_ref)
    WHERE k.batch = p_batch AND p.code IS NULL AND p.action = 'upsert'
    ORDER BY p.number, k.contact_ref
    ON CONFLICT (customer_number, external_ref) DO UPDATE
    SET (first_name, last_name, email, phone, title)
        = (excluded.first_name, excluded.last_name, excluded.email, excluded.phone, excluded.title)
    WHERE (h.first_name, h.last_name, h.email, h.phone, h.title)
        IS DISTINCT FROM (excluded.first_name, excluded.last_name, excluded.email, excluded.phone, excluded.title);
END $$;

CREATE OR REPLACE PROCEDURE inbound.post_customers(p_batch text) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('post_customers ' || p_batch, 0));  -- one poster per batch
    DROP TABLE IF EXISTS pg_temp.posting;
    CREATE TEMP TABLE posting ON COMMIT DROP AS
    SELECT r.external_ref, r.action, r.version, r.read_at, r.companies, r.name, r.legal_name, r.parent_ref, r.parent_number,
           r.country, r.currency, r.tax_registration, r.phone, r.website, r.customer_number AS asked_number,
           c.customer_number AS number, c.external_ref AS held_ref, e.customer_number AS number_of_ref,
           c.closed,
           NULL::text AS above, NULL::text AS code, NULL::text AS reason, false AS created
    FROM inbound.customer r
    LEFT JOIN erp.customer e ON e.external_ref = r.external_ref
    LEFT JOIN erp.customer c ON c.customer_number = coalesce(r.customer_number, e.customer_number)
    WHERE r.batch = p_batch AND r.status = 'new'
    ORDER BY r.external_ref;
    CREATE UNIQUE INDEX ON posting (external_ref);
    ANALYZE posting;

    CALL inbound.check_rows(p_batch);
    CALL inbound.check_hierarchy();

    WITH made AS (
        INSERT INTO erp.customer (external_ref, external_version, external_read_at, name, legal_name, country, currency,
                                  tax_registration, phone, website)
        SELECT external_ref, version, read_at, name, legal_name, country, currency, tax_registration, phone, website
        FROM posting WHERE code IS NULL AND action = 'upsert' AND number IS NULL
        ORDER BY external_ref
        ON CONFLICT (external_ref) DO NOTHING
        RETURNING customer_number, external_ref
    )
    UPDATE posting p SET number = made.customer_number, created = true FROM made WHERE made.external_ref = p.external_ref;

    -- somebody else was first with the same reference: an update after all
    UPDATE posting p SET number = c.customer_number
    FROM erp.customer c WHERE p.code IS NULL AND p.number IS NULL AND c.external_ref = p.external_ref;

    PERFORM FROM erp.customer c JOIN posting p ON p.number = c.customer_number
    WHERE p.code IS NULL AND NOT p.created ORDER BY c.customer_number FOR NO KEY UPDATE OF c;
    UPDATE posting p SET code = 'STALE', reason = 'a newer version is already there'
    FROM erp.customer c
    WHERE c.customer_number = p.number AND p.code IS NULL AND NOT p.created
      AND (c.external_version, c.external_read_at) > (p.version, p.read_at);

    UPDATE erp.customer c
    SET external_ref = p.external_ref, external_version = p.version, external_read_at = p.read_at, name = p.name,
        country = p.country, currency = p.currency, tax_registration = p.tax_registration, phone = p.phone,
        website = p.website, active = true
    FROM posting p
    WHERE c.customer_number = p.number AND p.code IS NULL AND p.action = 'upsert' AND NOT p.created
      AND (c.external_ref, c.external_version, c.external_read_at, c.name, c.country, c.currency, c.tax_registration, c.phone,
           c.website, c.active)
          IS DISTINCT FROM
          (p.external_ref, p.version, p.read_at, p.name, p.country, p.currency, p.tax_registration, p.phone,
           p.website, true);
    UPDATE erp.customer c SET active = false, external_version = p.version, external_read_at = p.read_at
    FROM posting p
    WHERE c.customer_number = p.number AND p.code IS NULL AND p.action = 'deactivate' AND c.active;

    UPDATE posting p SET above = q.number FROM posting q
    WHERE p.above IS NULL AND p.code IS NULL AND p.action = 'upsert' AND q.external_ref = p.parent_ref;
    UPDATE erp.customer c SET parent_number = p.above FROM posting p
    WHERE c.customer_number = p.number AND p.code IS NULL AND p.action = 'upsert' AND c.parent_number IS DISTINCT FROM p.above;

    CALL inbound.post_parts(p_batch);
    INSERT INTO erp.account (customer_number, company)
    SELECT p.number, asked.company FROM posting p, unnest(p.companies) AS asked (company)
    WHERE p.code IS NULL AND p.action = 'upsert'
    ORDER BY 1, 2
    ON CONFLICT DO NOTHING;

    UPDATE inbound.customer r
    SET status = CASE WHEN p.code IS NULL THEN 'accepted' ELSE 'rejected' END,
        code = p.code, reason = p.reason, answered_number = p.number, posted_at = clock_timestamp()
    FROM posting p
    WHERE r.batch = p_batch AND r.external_ref = p.external_ref AND r.status = 'new';
    DROP TABLE posting;
END $$;
