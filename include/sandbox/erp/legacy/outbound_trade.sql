-- What the legacy ERP offers to read of its trade. A document's rows say when the document last changed, whichever of them did.

CREATE OR REPLACE VIEW outbound.sales_order AS
SELECT o.company, o.order_number, o.external_ref, o.customer_number, c.external_ref AS customer_ref, o.currency::text AS currency,
       o.price_list, o.order_date, o.requested_date, o.po_number::text AS po_number, o.payment_terms, o.amendment,
       CASE WHEN o.cancelled THEN 'Cancelled'
            WHEN a.on_hold AND l.left_to_ship THEN 'On Hold'
            WHEN l.left_to_ship AND l.any_shipped THEN 'In Fulfilment'
            WHEN l.left_to_ship THEN 'Accepted'
            WHEN l.left_to_invoice THEN 'Shipped'
            WHEN d.open THEN 'Invoiced' ELSE 'Paid' END AS status,
       l.promised_date, (o.booked_at AT TIME ZONE 'UTC')::date AS booked_date, o.net, o.tax, o.net + o.tax AS total,
       o.external_version AS version, greatest(o.changed_at, CASE WHEN l.left_to_ship THEN a.changed_at END) AS changed_at,
       CASE WHEN NOT o.cancelled AND a.on_hold AND l.left_to_ship THEN 'Finance has the customer on credit hold.' END AS reason
FROM erp.sales_order o
JOIN erp.customer c USING (customer_number)
LEFT JOIN erp.account a ON a.customer_number = o.customer_number AND a.company = o.company
CROSS JOIN LATERAL (
    SELECT max(promised_date) AS promised_date, coalesce(bool_or(shipped_quantity > 0), false) AS any_shipped,
           coalesce(bool_or(shipped_quantity < quantity AND i.kind <> 'Service'), false) AS left_to_ship,
           coalesce(bool_or(invoiced_quantity < quantity), false) AS left_to_invoice
    FROM erp.sales_order_line sl JOIN erp.product i USING (product_number)
    WHERE sl.order_number = o.order_number AND NOT sl.cancelled
) l
CROSS JOIN LATERAL (
    SELECT coalesce(bool_or(open_balance > 0), false) AS open FROM erp.document WHERE order_number = o.order_number AND kind = 'invoice'
) d;

CREATE OR REPLACE VIEW outbound.sales_order_line AS
SELECT o.company, l.order_number, o.external_ref, l.line_ref, l.line_number, l.product_number::text AS product_number, l.description,
       l.quantity, l.unit_price, l.service_date, l.promised_date, l.shipped_quantity,
       CASE WHEN l.cancelled OR l.shipped_quantity = 0 THEN 0 ELSE l.quantity - l.shipped_quantity END AS back_ordered_quantity,
       l.invoiced_quantity, l.cancelled, o.changed_at,
       CASE WHEN l.cancelled OR o.cancelled THEN 'Cancelled' WHEN l.invoiced_quantity >= l.quantity THEN 'Invoiced'
            WHEN l.shipped_quantity >= l.quantity THEN 'Shipped' WHEN l.shipped_quantity > 0 THEN 'In Fulfilment'
            ELSE 'Accepted' END AS status
FROM erp.sales_order_line l JOIN erp.sales_order o USING (order_number);

CREATE OR REPLACE VIEW outbound.shipment AS
SELECT s.company, s.shipment_number, s.order_number, o.external_ref AS order_ref, o.customer_number, s.kind, s.status, s.planned_date,
       s.shipped_date, s.carrier, s.tracking_number, s.warehouse, s.changed_at
FROM erp.shipment s JOIN erp.sales_order o USING (order_number);

CREATE OR REPLACE VIEW outbound.shipment_line AS
SELECT s.company, l.shipment_number, l.line_ref, o.product_number::text AS product_number, l.quantity, s.changed_at
FROM erp.shipment_line l JOIN erp.shipment s USING (shipment_number)
JOIN erp.sales_order_line o ON o.order_number = l.order_number AND o.line_ref = l.line_ref;

CREATE OR REPLACE VIEW outbound.invoice AS
SELECT d.company, d.document_number AS invoice_number, d.customer_number, d.order_number, o.external_ref AS order_ref,
       CASE WHEN d.open_balance = d.net + d.tax THEN 'Posted' WHEN d.open_balance > 0 THEN 'Partly Paid' ELSE 'Paid' END AS status,
       d.document_date AS invoice_date, d.booking_date, d.due_date, d.currency::text AS currency, d.net, d.tax, d.net + d.tax AS total,
       d.open_balance, d.open_balance > 0 AND d.due_date < (now() AT TIME ZONE 'UTC')::date AS overdue,
       CASE WHEN d.open_balance > 0 AND d.due_date < (now() AT TIME ZONE 'UTC')::date
            THEN greatest(d.changed_at, (d.due_date + 1)::timestamp AT TIME ZONE 'UTC') ELSE d.changed_at END AS changed_at
FROM erp.document d LEFT JOIN erp.sales_order o USING (order_number)
WHERE d.kind = 'invoice';

CREATE OR REPLACE VIEW outbound.invoice_line AS
SELECT d.company, l.document_number AS invoice_number, l.line_number, l.line_ref, l.product_number::text AS product_number, l.description,
       l.quantity, l.unit_price, l.net, l.tax, l.tax_code, d.changed_at
FROM erp.document_line l JOIN erp.document d USING (document_number)
WHERE d.kind = 'invoice';

CREATE OR REPLACE VIEW outbound.credit_memo AS
SELECT d.company, d.document_number AS credit_memo_number, d.corrects AS invoice_number, d.customer_number, d.order_number,
       o.external_ref AS order_ref, d.reason,
       CASE WHEN d.open_balance = d.net + d.tax THEN 'Posted' WHEN d.open_balance > 0 THEN 'Partly Paid' ELSE 'Paid' END AS status,
       d.document_date AS credit_memo_date, d.booking_date, d.due_date, d.currency::text AS currency, d.net, d.tax, d.net + d.tax AS total,
       d.open_balance, d.changed_at
FROM erp.document d LEFT JOIN erp.sales_order o USING (order_number)
WHERE d.kind = 'credit_memo';

CREATE OR REPLACE VIEW outbound.credit_memo_line AS
SELECT d.company, l.document_number AS credit_memo_number, l.line_number, l.line_ref, l.product_number::text AS product_number,
       l.description, l.quantity, l.unit_price, l.net, l.tax, l.tax_code, d.changed_at
FROM erp.document_line l JOIN erp.document d USING (document_number)
WHERE d.kind = 'credit_memo';

CREATE OR REPLACE VIEW outbound.payment AS
SELECT p.company, p.payment_number, p.customer_number, p.received AS payment_date, p.currency::text AS currency, p.amount,
       CASE WHEN p.reversed THEN 0 ELSE p.amount - a.applied END AS unapplied, p.method,
       CASE WHEN p.reversed THEN 'Reversed' WHEN a.applied = 0 THEN 'Received' WHEN a.applied < p.amount THEN 'Partly Applied'
            ELSE 'Applied' END AS status, p.changed_at
FROM erp.payment p
CROSS JOIN LATERAL (
    SELECT coalesce(sum(amount), 0) AS applied FROM erp.payment_application WHERE payment_number = p.payment_number
) a;

CREATE OR REPLACE VIEW outbound.payment_application AS
SELECT p.company, a.payment_number, CASE WHEN d.kind = 'invoice' THEN d.document_number END AS invoice_number,
       CASE WHEN d.kind = 'credit_memo' THEN d.document_number END AS credit_memo_number, a.amount, a.applied AS applied_date, p.changed_at
FROM erp.payment_application a JOIN erp.payment p USING (payment_number) JOIN erp.document d USING (document_number);
