-- inbound.post_orders(batch): accept or reject every new order of a batch, in whole sets. Posting a batch twice is harmless.

-- What is wrong with the orders themselves. Fills code and reason of the temporary table arriving.
CREATE OR REPLACE PROCEDURE inbound.check_orders() LANGUAGE plpgsql AS $$
BEGIN
    UPDATE arriving SET code = 'ACTION_UNKNOWN', reason = 'action is neither place nor cancel' WHERE action NOT IN ('place', 'cancel');
    UPDATE arriving SET code = 'ORDER_UNKNOWN', reason = 'there is no order of that number and reference'
    WHERE code IS NULL AND number IS NULL AND (asked_number IS NOT NULL OR action = 'cancel');
    UPDATE arriving SET code = 'REFERENCE_TAKEN', reason = 'number and external reference belong to different orders'
    WHERE code IS NULL AND number <> asked_number;
    UPDATE arriving SET code = 'STALE', reason = 'a newer version is already there' WHERE code IS NULL AND held_version > version;
    UPDATE arriving SET known = true                        -- asked before: answered again, and nothing else
    WHERE code IS NULL AND (held_version = version OR (action = 'cancel' AND held_cancelled));
    UPDATE arriving SET code = 'ORDER_CANCELLED', reason = 'the order is cancelled' WHERE code IS NULL AND NOT known AND held_cancelled;
    UPDATE arriving p SET code = 'ORDER_SHIPPED', reason = 'some of the order is shipped or invoiced already'
    WHERE code IS NULL AND NOT known AND action = 'cancel'
      AND EXISTS (SELECT FROM erp.sales_order_line l
                  WHERE l.order_number = p.number AND (l.shipped_quantity > 0 OR l.invoiced_quantity > 0));

    UPDATE arriving SET code = 'FIELD_MISSING', reason = 'company, currency, price_list or order_date is missing'
    WHERE code IS NULL AND NOT known AND action = 'place'
      AND (company IS NULL OR currency IS NULL OR price_list IS NULL OR order_date IS NULL);
    UPDATE arriving p SET code = 'COMPANY_UNKNOWN', reason = 'company is not in the table of companies'
    WHERE code IS NULL AND NOT known AND action = 'place' AND NOT EXISTS (SELECT FROM erp.company c WHERE c.code = p.company);
    UPDATE arriving p SET code = 'CUSTOMER_UNKNOWN', reason = 'the company has no such customer'
    WHERE code IS NULL AND NOT known AND action = 'place'
      AND NOT EXISTS (SELECT FROM erp.account a WHERE a.customer_number = p.customer AND a.company = p.company);
    UPDATE arriving p SET code = 'CUSTOMER_CLOSED', reason = 'the customer is closed or inactive'
    FROM erp.customer c
    WHERE p.code IS NULL AND NOT known AND action = 'place' AND c.customer_number = p.customer AND (c.closed OR NOT c.active);
    UPDATE arriving p SET code = 'REFERENCE_TAKEN', reason = 'an order does not change its company or customer'
    FROM erp.sales_order o
    WHERE p.code IS NULL AND NOT known AND action = 'place' AND o.order_number = p.number
      AND (o.company, o.customer_number) <> (p.company, p.customer);
    UPDATE arriving p SET code = 'PRICE_LIST_UNKNOWN', reason = 'the company has no such price list'
    WHERE code IS NULL AND NOT known AND action = 'place'
      AND NOT EXISTS (SELECT FROM erp.price_list l WHERE l.price_list = p.price_list AND l.company = p.company AND l.active);
    UPDATE arriving p SET code = 'CURRENCY_MISMATCH', reason = 'currency is not the price list''s'
    FROM erp.price_list l
    WHERE p.code IS NULL AND NOT known AND action = 'place' AND l.price_list = p.price_list AND l.currency <> p.currency;
    UPDATE arriving p SET code = 'PERIOD_CLOSED', reason = 'the books are closed for the order''s date'
    FROM erp.closed_period c
    WHERE p.code IS NULL AND NOT known AND action = 'place' AND c.company = p.company
      AND p.order_date BETWEEN c.first_day AND c.last_day;
    UPDATE arriving p SET code = 'FIELD_TOO_LONG', reason = inbound.too_long('po_number', po_number, 80)
    WHERE code IS NULL AND NOT known AND action = 'place' AND char_length(po_number) > 80;
END $$;

-- What is wrong with their lines: the first line with a fault names the order's.
CREATE OR REPLACE PROCEDURE inbound.check_lines(p_batch text) LANGUAGE plpgsql AS $$
BEGIN
    UPDATE arriving p SET code = 'LINES_MISSING', reason = 'the order has no line'
    WHERE code IS NULL AND NOT known AND action = 'place'
      AND NOT EXISTS (SELECT FROM inbound.sales_order_line l
                      WHERE l.batch = p_batch AND l.external_ref = p.external_ref AND NOT l.cancelled);
    UPDATE arriving p SET code = w.code, reason = w.reason, line_ref = w.line_ref
    FROM (
        SELECT DISTINCT ON (q.external_ref) q.external_ref, l.line_ref, c.fault[1] AS code, c.fault[2] AS reason
        FROM arriving q
        JOIN inbound.sales_order_line l ON l.batch = p_batch AND l.external_ref = q.external_ref
        LEFT JOIN erp.product i ON i.product_number = l.product_number
        LEFT JOIN erp.sales_order_line h ON h.order_number = q.number AND h.line_ref = l.line_ref
        CROSS JOIN LATERAL (SELECT erp.list_price(q.price_list, l.product_number, l.quantity, q.order_date) AS price) t
        CROSS JOIN LATERAL (
            SELECT CASE
                WHEN greatest(h.shipped_quantity, h.invoiced_quantity) > CASE WHEN l.cancelled THEN 0 ELSE l.quantity END
                    THEN ARRAY['QUANTITY_SHIPPED', 'more than that is shipped or invoiced already']
                WHEN greatest(h.shipped_quantity, h.invoiced_quantity) > 0 AND h.product_number <> l.product_number
                    THEN ARRAY['QUANTITY_SHIPPED', 'the line''s product is shipped or invoiced already']
                WHEN l.cancelled THEN NULL
                WHEN i.product_number IS NULL THEN ARRAY['PRODUCT_UNKNOWN', 'there is no such product']
                WHEN i.status <> 'Active' AND (h.line_ref IS NULL OR h.quantity < l.quantity)
                    THEN ARRAY['PRODUCT_NOT_SOLD', 'the product is discontinued or blocked']
                WHEN l.quantity <= 0 OR l.quantity <> round(l.quantity, 4)
                    THEN ARRAY['QUANTITY_INVALID', 'quantity is not above zero, or has more than 4 decimals']
                WHEN t.price IS NULL THEN ARRAY['PRICE_NOT_ON_LIST', 'the price list has no price for the product, quantity and date']
                WHEN abs(l.unit_price - t.price * (1 - coalesce(l.discount_percent, 0) / 100)) > 0.005
                    THEN ARRAY['PRICE_NOT_ON_LIST', 'unit price is not the list''s less the discount']
            END AS fault
        ) c
        WHERE q.code IS NULL AND NOT q.known AND q.action = 'place' AND c.fault IS NOT NULL
        ORDER BY q.external_ref, l.line_number, l.line_ref
    ) w
    WHERE p.external_ref = w.external_ref;
    UPDATE arriving p SET code = 'QUANTITY_SHIPPED', reason = 'a line that is left out is shipped or invoiced already', line_ref = h.line_ref
    FROM erp.sales_order_line h
    WHERE p.code IS NULL AND NOT known AND p.action = 'place' AND h.order_number = p.number
      AND greatest(h.shipped_quantity, h.invoiced_quantity) > 0
      AND NOT EXISTS (SELECT FROM inbound.sales_order_line l
                      WHERE l.batch = p_batch AND l.external_ref = p.external_ref AND l.line_ref = h.line_ref);
END $$;

-- Finance's word: holds and limits. What one batch brings counts together, in the order of the references.
CREATE OR REPLACE PROCEDURE inbound.check_credit(p_batch text) LANGUAGE plpgsql AS $$
BEGIN
    UPDATE arriving p SET code = 'CREDIT_HOLD', reason = 'the customer is on credit hold'
    FROM erp.account a
    WHERE p.code IS NULL AND NOT known AND action = 'place' AND a.customer_number = p.customer AND a.company = p.company AND a.on_hold;
    UPDATE arriving p SET code = 'CREDIT_LIMIT', reason = 'the order exceeds what is left of the credit limit'
    FROM (
        SELECT q.external_ref, a.credit_limit, owed.amount + coalesce(sum(o.net) OVER running, 0) AS exposure
        FROM arriving q
        JOIN erp.account a ON a.customer_number = q.customer AND a.company = q.company
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(i.open_amount), 0) AS amount FROM erp.ledger_item i
            WHERE i.customer_number = a.customer_number AND i.company = a.company
        ) owed
        CROSS JOIN LATERAL (
            SELECT sum(l.quantity * l.unit_price) AS net FROM inbound.sales_order_line l
            WHERE l.batch = p_batch AND l.external_ref = q.external_ref AND NOT l.cancelled
        ) o
        WHERE q.code IS NULL AND NOT q.known AND q.action = 'place'
        WINDOW running AS (PARTITION BY q.customer, q.company ORDER BY q.external_ref)
    ) w
    WHERE p.external_ref = w.external_ref AND w.exposure > w.credit_limit;
END $$;

CREATE OR REPLACE PROCEDURE inbound.post_orders(p_batch text) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('post_orders ' || p_batch, 0));  -- one poster per batch
    DROP TABLE IF EXISTS pg_temp.arriving;
    CREATE TEMP TABLE arriving ON COMMIT DROP AS
    SELECT r.external_ref, r.action, r.version, r.read_at, r.order_number AS asked_number, r.company, r.currency, r.price_list,
           r.order_date, r.requested_date, r.po_number, r.payment_terms, c.customer_number AS customer,
           o.order_number AS number, o.external_version AS held_version, coalesce(o.cancelled, false) AS held_cancelled,
           false AS known, false AS created, NULL::text AS code, NULL::text AS reason, NULL::text AS line_ref
    FROM inbound.sales_order r
    LEFT JOIN erp.sales_order o ON o.external_ref = r.external_ref
    LEFT JOIN erp.customer c ON CASE WHEN r.customer_number IS NOT NULL THEN c.customer_number = r.customer_number
                                     ELSE c.external_ref = r.customer_ref END
    WHERE r.batch = p_batch AND r.status = 'new'
    ORDER BY r.external_ref;
    CREATE UNIQUE INDEX ON arriving (external_ref);
    ANALYZE arriving;
    -- whoever else posts the same order waits, and so do the shippers
    PERFORM FROM erp.sales_order o JOIN arriving p ON p.number = o.order_number ORDER BY o.order_number FOR NO KEY UPDATE OF o;
    UPDATE arriving p SET held_version = o.external_version, held_cancelled = o.cancelled
    FROM erp.sales_order o WHERE o.order_number = p.number;

    CALL inbound.check_orders();
    CALL inbound.check_lines(p_batch);
    CALL inbound.check_credit(p_batch);

    WITH made AS (
        INSERT INTO erp.sales_order (company, external_ref, external_version, external_read_at, customer_number, currency, price_list,
                                     order_date, requested_date, po_number, payment_terms)
        SELECT company, external_ref, version, read_at, customer, currency, price_list, order_date, requested_date, po_number, payment_terms
        FROM arriving WHERE code IS NULL AND NOT known AND number IS NULL
        ORDER BY external_ref
        ON CONFLICT (external_ref) DO NOTHING
        RETURNING order_number, external_ref
    )
    UPDATE arriving p SET number = made.order_number, created = true FROM made WHERE made.external_ref = p.external_ref;
    -- somebody else was first with the same reference: the same version is answered, another one is read again
    UPDATE arriving p SET number = o.order_number, known = o.external_version = p.version,
        code = CASE WHEN o.external_version <> p.version THEN 'STALE' END,
        reason = CASE WHEN o.external_version <> p.version THEN 'another version arrived at the same time' END
    FROM erp.sales_order o
    WHERE p.code IS NULL AND NOT p.known AND p.number IS NULL AND o.external_ref = p.external_ref;

    UPDATE erp.sales_order o
    SET external_version = p.version, external_read_at = p.read_at, currency = p.currency, price_list = p.price_list,
        order_date = p.order_date, requested_date = p.requested_date, po_number = p.po_number, payment_terms = p.payment_terms,
        amendment = o.amendment + 1
    FROM arriving p
    WHERE o.order_number = p.number AND p.code IS NULL AND NOT p.known AND NOT p.created AND p.action = 'place';
    UPDATE erp.sales_order o SET cancelled = true, external_version = p.version, external_read_at = p.read_at
    FROM arriving p WHERE o.order_number = p.number AND p.code IS NULL AND NOT p.known AND p.action = 'cancel';

    CALL inbound.post_lines(p_batch);

    UPDATE inbound.sales_order r
    SET status = CASE WHEN p.code IS NULL THEN 'accepted' ELSE 'rejected' END,
        code = p.code, reason = p.reason, line_ref = p.line_ref, answered_number = p.number, posted_at = clock_timestamp()
    FROM arriving p
    WHERE r.batch = p_batch AND r.external_ref = p.external_ref AND r.status = 'new';
    DROP TABLE arriving;
END $$;

-- Lines of the accepted orders become the set that was sent; what is left out is cancelled. Then the order's amounts follow.
CREATE OR REPLACE PROCEDURE inbound.post_lines(p_batch text) LANGUAGE plpgsql AS $$
BEGIN
    UPDATE erp.sales_order_line h SET cancelled = true
    FROM arriving p
    WHERE h.order_number = p.number AND p.code IS NULL AND NOT p.known AND NOT h.cancelled
      AND (p.action = 'cancel' OR NOT EXISTS (SELECT FROM inbound.sales_order_line l
           WHERE l.batch = p_batch AND l.external_ref = p.external_ref AND l.line_ref = h.line_ref));
    INSERT INTO erp.sales_order_line AS h (order_number, line_ref, line_number, product_number, description, quantity, unit_price,
                                           service_date, promised_date, cancelled)
    SELECT p.number, l.line_ref, l.line_number, l.product_number, l.description, l.quantity, l.unit_price, l.service_date,
           CASE WHEN i.kind <> 'Service'   -- out of stock: two weeks later
                THEN greatest(p.requested_date, p.order_date + i.lead_days + CASE WHEN s.on_hand >= l.quantity THEN 0 ELSE 14 END) END,
           l.cancelled
    FROM arriving p
    JOIN inbound.sales_order_line l ON l.batch = p_batch AND l.external_ref = p.external_ref
    JOIN erp.product i ON i.product_number = l.product_number
    LEFT JOIN LATERAL (SELECT sum(on_hand) AS on_hand FROM erp.stock
                       WHERE stock.product_number = l.product_number AND stock.company = p.company) s ON true
    WHERE p.code IS NULL AND NOT p.known AND p.action = 'place'
    ORDER BY p.number, l.line_ref
    ON CONFLICT (order_number, line_ref) DO UPDATE
    SET (line_number, product_number, description, quantity, unit_price, service_date, promised_date, cancelled)
        = (excluded.line_number, excluded.product_number, excluded.description, excluded.quantity, excluded.unit_price,
           excluded.service_date, excluded.promised_date, excluded.cancelled);
    UPDATE erp.sales_order o SET net = t.net, tax = t.tax
    FROM arriving p
    JOIN LATERAL (
        SELECT coalesce(sum(round(l.quantity * l.unit_price, 2)), 0) AS net,
               coalesce(sum(round(l.quantity * l.unit_price * erp.tax_rate(a.tax_class, i.tax_category) / 100, 2)), 0) AS tax
        FROM erp.sales_order s
        JOIN erp.account a USING (customer_number, company)
        JOIN erp.sales_order_line l ON l.order_number = s.order_number AND NOT l.cancelled
        JOIN erp.product i USING (product_number)
        WHERE s.order_number = p.number
    ) t ON true
    WHERE o.order_number = p.number AND p.code IS NULL AND NOT p.known;
END $$;
