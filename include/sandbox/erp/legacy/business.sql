-- What the legacy ERP's own people do in a day: send, invoice, receive money, credit. Each says the number of what it made.

-- an order's rows changed: so did the order
CREATE OR REPLACE FUNCTION erp.touch(p_order text) RETURNS void LANGUAGE sql AS $$
    UPDATE erp.sales_order SET changed_at = clock_timestamp() WHERE order_number = p_order
$$;

-- erp.ship(order, quantities by line_ref; null: everything that waits): the shipment's number
CREATE OR REPLACE FUNCTION erp.ship(p_order text, p_quantities jsonb DEFAULT NULL, p_tracking text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    made text;
BEGIN
    PERFORM FROM erp.sales_order WHERE order_number = p_order AND NOT cancelled FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no order %, or it is cancelled', p_order;
    END IF;
    INSERT INTO erp.shipment (company, order_number, planned_date, shipped_date, carrier, tracking_number, warehouse)
    SELECT company, order_number, requested_date, (now() AT TIME ZONE 'UTC')::date, 'Lone Star Freight', p_tracking, 'Dallas'
    FROM erp.sales_order WHERE order_number = p_order
    RETURNING shipment_number INTO made;
    INSERT INTO erp.shipment_line (shipment_number, order_number, line_ref, quantity)
    SELECT made, l.order_number, l.line_ref, least(l.quantity - l.shipped_quantity, coalesce((p_quantities ->> l.line_ref)::numeric, 'infinity'))
    FROM erp.sales_order_line l JOIN erp.product i USING (product_number)
    WHERE l.order_number = p_order AND NOT l.cancelled AND i.kind <> 'Service' AND l.quantity > l.shipped_quantity
      AND (p_quantities IS NULL OR (p_quantities ->> l.line_ref)::numeric > 0);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'nothing of order % waits to be sent', p_order;
    END IF;
    UPDATE erp.sales_order_line l SET shipped_quantity = l.shipped_quantity + s.quantity
    FROM erp.shipment_line s WHERE s.shipment_number = made AND l.order_number = s.order_number AND l.line_ref = s.line_ref;
    UPDATE erp.stock k SET on_hand = k.on_hand - t.quantity
    FROM (
        SELECT coalesce(c.component_number, l.product_number) AS product_number, sum(s.quantity * coalesce(c.quantity, 1)) AS quantity
        FROM erp.shipment_line s
        JOIN erp.sales_order_line l USING (order_number, line_ref)
        LEFT JOIN erp.product_component c USING (product_number)
        WHERE s.shipment_number = made GROUP BY 1
    ) t, erp.sales_order o
    WHERE o.order_number = p_order AND k.company = o.company AND k.product_number = t.product_number;
    PERFORM erp.touch(p_order);
    RETURN made;
END $$;

CREATE OR REPLACE FUNCTION erp.deliver(p_shipment text) RETURNS void LANGUAGE sql AS $$
    UPDATE erp.shipment SET status = 'Delivered' WHERE shipment_number = p_shipment
$$;

-- erp.make_document(…): an invoice or credit memo of these quantities of an order's lines, and the customer's ledger with it
CREATE OR REPLACE FUNCTION erp.make_document(p_kind text, p_order text, p_quantities jsonb, p_day date, p_corrects text, p_reason text)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    made text := CASE p_kind WHEN 'invoice' THEN 'INV-' ELSE 'CM-' END || nextval('erp.document_number');
BEGIN
    IF EXISTS (SELECT FROM erp.closed_period c JOIN erp.sales_order o USING (company)
               WHERE o.order_number = p_order AND p_day BETWEEN c.first_day AND c.last_day) THEN
        RAISE EXCEPTION 'the books are closed for %', p_day;
    END IF;
    INSERT INTO erp.document (document_number, kind, company, customer_number, order_number, corrects, reason, currency, document_date,
                              booking_date, due_date, net, tax, open_balance)
    SELECT made, p_kind, o.company, o.customer_number, o.order_number, p_corrects, p_reason, o.currency, p_day, p_day,
           p_day + coalesce(substring(coalesce(o.payment_terms, a.payment_terms) FROM 'NET *([0-9]+)')::int, 0), 0, 0, 0
    FROM erp.sales_order o JOIN erp.account a USING (customer_number, company) WHERE o.order_number = p_order;
    INSERT INTO erp.document_line (document_number, line_number, line_ref, product_number, description, quantity, unit_price, net, tax, tax_code)
    SELECT made, row_number() OVER (ORDER BY l.line_number, l.line_ref), l.line_ref, l.product_number, coalesce(l.description, i.name), q.quantity,
           l.unit_price, round(q.quantity * l.unit_price, 2), round(q.quantity * l.unit_price * t.rate / 100, 2),
           CASE WHEN t.rate > 0 THEN 'TX-' || t.rate ELSE 'EXEMPT' END
    FROM erp.sales_order o
    JOIN erp.account a USING (customer_number, company)
    JOIN erp.sales_order_line l USING (order_number)
    JOIN erp.product i USING (product_number)
    CROSS JOIN LATERAL (SELECT (p_quantities ->> l.line_ref)::numeric AS quantity) q
    CROSS JOIN LATERAL (SELECT erp.tax_rate(a.tax_class, i.tax_category) AS rate) t
    WHERE o.order_number = p_order AND q.quantity > 0;
    UPDATE erp.document d SET net = s.net, tax = s.tax, open_balance = s.net + s.tax
    FROM (SELECT sum(net) AS net, sum(tax) AS tax FROM erp.document_line WHERE document_number = made) s WHERE d.document_number = made;
    INSERT INTO erp.ledger_item (customer_number, company, document, posted, due, amount, open_amount)
    SELECT customer_number, company, made, document_date, due_date, sign * (net + tax), sign * (net + tax)
    FROM erp.document, (SELECT CASE p_kind WHEN 'invoice' THEN 1 ELSE -1 END AS sign) s WHERE document_number = made;
    RETURN made;
END $$;

-- erp.invoice(order): what is sent, and services, that is not invoiced yet; null when there is nothing
CREATE OR REPLACE FUNCTION erp.invoice(p_order text, p_day date DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    quantities jsonb;
    made text;
BEGIN
    PERFORM FROM erp.sales_order WHERE order_number = p_order FOR NO KEY UPDATE;
    SELECT jsonb_object_agg(line_ref, due) INTO quantities
    FROM (SELECT l.line_ref, CASE i.kind WHEN 'Service' THEN l.quantity ELSE l.shipped_quantity END - l.invoiced_quantity AS due
          FROM erp.sales_order_line l JOIN erp.product i USING (product_number)
          WHERE l.order_number = p_order AND NOT l.cancelled) q
    WHERE due > 0;
    IF quantities IS NULL THEN
        RETURN NULL;
    END IF;
    made := erp.make_document('invoice', p_order, quantities, coalesce(p_day, (now() AT TIME ZONE 'UTC')::date), NULL, NULL);
    UPDATE erp.sales_order_line l SET invoiced_quantity = l.invoiced_quantity + (quantities ->> l.line_ref)::numeric
    WHERE l.order_number = p_order AND quantities ? l.line_ref;
    PERFORM erp.touch(p_order);
    RETURN made;
END $$;

-- erp.credit(invoice, quantities by line_ref, reason): the goods come back, the customer is credited; the credit memo's number
CREATE OR REPLACE FUNCTION erp.credit(p_invoice text, p_quantities jsonb, p_reason text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    invoice erp.document;
    made text;
    back text;
    part numeric;
BEGIN
    SELECT * INTO invoice FROM erp.document WHERE document_number = p_invoice AND kind = 'invoice' FOR NO KEY UPDATE;
    IF NOT FOUND OR EXISTS (
        SELECT FROM jsonb_each_text(p_quantities) q
        LEFT JOIN erp.document_line l ON l.document_number = p_invoice AND l.line_ref = q.key
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(c.quantity), 0) AS quantity FROM erp.document_line c JOIN erp.document d USING (document_number)
            WHERE d.corrects = p_invoice AND c.line_ref = q.key
        ) credited
        WHERE coalesce(l.quantity, 0) < q.value::numeric + credited.quantity) THEN
        RAISE EXCEPTION 'invoice % has not that much to credit', p_invoice;
    END IF;
    made := erp.make_document('credit_memo', invoice.order_number, p_quantities, (now() AT TIME ZONE 'UTC')::date, p_invoice, p_reason);
    INSERT INTO erp.shipment (company, order_number, kind, status, shipped_date, warehouse)
    VALUES (invoice.company, invoice.order_number, 'Return', 'Delivered', (now() AT TIME ZONE 'UTC')::date, 'Dallas')
    RETURNING shipment_number INTO back;
    INSERT INTO erp.shipment_line (shipment_number, order_number, line_ref, quantity)
    SELECT back, invoice.order_number, q.key, q.value::numeric FROM jsonb_each_text(p_quantities) q WHERE q.value::numeric > 0;
    -- what the invoice still asks for is settled with it; the rest of the credit stays open
    SELECT least(invoice.open_balance, d.open_balance) INTO part FROM erp.document d WHERE d.document_number = made;
    UPDATE erp.document SET open_balance = open_balance - part WHERE document_number IN (made, p_invoice);
    UPDATE erp.ledger_item SET open_amount = open_amount - CASE document WHEN made THEN -part ELSE part END
    WHERE customer_number = invoice.customer_number AND company = invoice.company AND document IN (made, p_invoice);
    PERFORM erp.touch(invoice.order_number);
    RETURN made;
END $$;

-- erp.receive(number, company, customer, amount, amounts by invoice): what stays unapplied; twice the same number is one payment
CREATE OR REPLACE FUNCTION erp.receive(p_number text, p_company text, p_customer text, p_amount numeric, p_invoices jsonb DEFAULT '{}',
                                       p_method text DEFAULT 'Wire') RETURNS numeric LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO erp.payment (payment_number, company, customer_number, received, currency, amount, method)
    SELECT p_number, code, p_customer, (now() AT TIME ZONE 'UTC')::date, currency, p_amount, p_method FROM erp.company WHERE code = p_company
    ON CONFLICT DO NOTHING;
    IF FOUND THEN
        INSERT INTO erp.ledger_item (customer_number, company, document, posted, due, amount, open_amount)
        VALUES (p_customer, p_company, p_number, (now() AT TIME ZONE 'UTC')::date, (now() AT TIME ZONE 'UTC')::date, -p_amount, -p_amount);
        PERFORM erp.apply(p_number, p_invoices);
    END IF;
    RETURN (SELECT unapplied FROM outbound.payment WHERE payment_number = p_number);
END $$;

-- erp.apply(payment, amounts by invoice): a payment, or a part of it, settles invoices
CREATE OR REPLACE FUNCTION erp.apply(p_number text, p_invoices jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM erp.payment WHERE payment_number = p_number FOR NO KEY UPDATE;
    IF EXISTS (
        SELECT FROM jsonb_each_text(p_invoices) q
        LEFT JOIN erp.document d ON d.document_number = q.key AND d.kind = 'invoice'
            AND (d.company, d.customer_number) = (SELECT company, customer_number FROM erp.payment WHERE payment_number = p_number)
        WHERE coalesce(d.open_balance, 0) < q.value::numeric
    ) OR (SELECT coalesce(sum(value::numeric), 0) FROM jsonb_each_text(p_invoices))
         > (SELECT unapplied FROM outbound.payment WHERE payment_number = p_number) THEN
        RAISE EXCEPTION 'payment % can not be applied like that', p_number;
    END IF;
    INSERT INTO erp.payment_application AS a (payment_number, document_number, amount, applied)
    SELECT p_number, q.key, q.value::numeric, (now() AT TIME ZONE 'UTC')::date FROM jsonb_each_text(p_invoices) q
    ON CONFLICT (payment_number, document_number) DO UPDATE SET amount = a.amount + excluded.amount;
    UPDATE erp.document d SET open_balance = d.open_balance - q.value::numeric
    FROM jsonb_each_text(p_invoices) q WHERE d.document_number = q.key;
    UPDATE erp.ledger_item i SET open_amount = i.open_amount - q.value::numeric
    FROM jsonb_each_text(p_invoices) q, erp.payment p
    WHERE p.payment_number = p_number AND i.customer_number = p.customer_number AND i.company = p.company AND i.document = q.key;
    UPDATE erp.ledger_item i SET open_amount = i.open_amount + t.total
    FROM (SELECT coalesce(sum(value::numeric), 0) AS total FROM jsonb_each_text(p_invoices)) t, erp.payment p
    WHERE p.payment_number = p_number AND i.customer_number = p.customer_number AND i.company = p.company AND i.document = p_number;
    UPDATE erp.payment SET changed_at = clock_timestamp() WHERE payment_number = p_number;
    PERFORM erp.touch(d.order_number) FROM erp.document d, jsonb_each_text(p_invoices) q WHERE d.document_number = q.key;
END $$;

CREATE OR REPLACE FUNCTION erp.hold(p_customer text, p_company text, p_on boolean DEFAULT true) RETURNS void LANGUAGE sql AS $$
    UPDATE erp.account SET on_hold = p_on WHERE customer_number = p_customer AND company = p_company
$$;
