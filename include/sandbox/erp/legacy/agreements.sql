-- What the legacy ERP bills again and again: agreements. A line is billed in advance, in whole cycles counted from its first day.

CREATE SEQUENCE IF NOT EXISTS erp.agreement_number START 300001;
CREATE TABLE IF NOT EXISTS erp.agreement (
    agreement_number text PRIMARY KEY DEFAULT 'AG-' || nextval('erp.agreement_number'),
    company text NOT NULL REFERENCES erp.company,
    external_ref text UNIQUE,
    external_version timestamptz,
    external_read_at timestamptz,
    customer_number text NOT NULL REFERENCES erp.customer,
    currency char(3) NOT NULL,
    description varchar(80),
    first_day date NOT NULL,
    last_day date NOT NULL,
    payment_terms text,
    cancelled boolean NOT NULL DEFAULT false,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (last_day > first_day)
);
CREATE INDEX IF NOT EXISTS agreement_changed ON erp.agreement (changed_at);

CREATE TABLE IF NOT EXISTS erp.agreement_line (
    agreement_number text NOT NULL REFERENCES erp.agreement,
    line_ref text NOT NULL,
    line_number int NOT NULL,
    product_number varchar(40) NOT NULL REFERENCES erp.product,
    quantity numeric(18, 4) NOT NULL CHECK (quantity > 0),
    rate numeric(18, 4) NOT NULL,              -- of one unit for one cycle
    cycle text NOT NULL CHECK (cycle IN ('Monthly', 'Quarterly', 'Yearly')),
    first_day date NOT NULL,
    last_day date NOT NULL,
    PRIMARY KEY (agreement_number, line_ref)
);

-- what is billed of a line: one row for each cycle, by its first day
CREATE TABLE IF NOT EXISTS erp.agreement_bill (
    agreement_number text NOT NULL,
    line_ref text NOT NULL,
    day date NOT NULL,
    amount numeric(18, 2) NOT NULL,
    document_number text NOT NULL REFERENCES erp.document,
    PRIMARY KEY (agreement_number, line_ref, day),
    FOREIGN KEY (agreement_number, line_ref) REFERENCES erp.agreement_line
);

CREATE OR REPLACE TRIGGER stamp BEFORE UPDATE ON erp.agreement FOR EACH ROW EXECUTE FUNCTION erp.stamp();

CREATE OR REPLACE FUNCTION erp.months(cycle text) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE cycle WHEN 'Monthly' THEN 1 WHEN 'Quarterly' THEN 3 WHEN 'Yearly' THEN 12 END
$$;

-- the first day of every cycle of every line, what it comes to, and the invoice it is on
CREATE OR REPLACE VIEW erp.agreement_cycle AS
SELECT l.agreement_number, l.line_ref, l.line_number, l.product_number, l.quantity, l.rate, d.day,
       coalesce(b.amount, round(l.quantity * l.rate, 2)) AS amount, b.document_number
FROM erp.agreement_line l
CROSS JOIN LATERAL (
    SELECT (l.first_day + make_interval(months => n * erp.months(l.cycle)))::date AS day FROM generate_series(0, 1200) n
) d
LEFT JOIN erp.agreement_bill b ON b.agreement_number = l.agreement_number AND b.line_ref = l.line_ref AND b.day = d.day
WHERE d.day <= l.last_day;

-- the last day of a line that is billed; null: nothing is
CREATE OR REPLACE FUNCTION erp.billed_until(p_agreement text, p_line text) RETURNS date LANGUAGE sql STABLE AS $$
    SELECT least(l.last_day, (max(b.day) + make_interval(months => erp.months(l.cycle)))::date - 1)
    FROM erp.agreement_bill b JOIN erp.agreement_line l USING (agreement_number, line_ref)
    WHERE b.agreement_number = p_agreement AND b.line_ref = p_line GROUP BY l.last_day, l.cycle
$$;

-- erp.bill(agreement, day): an invoice of what has come due until the day and is not billed yet; null when there is nothing
CREATE OR REPLACE FUNCTION erp.bill(p_agreement text, p_day date DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    until date := coalesce(p_day, (now() AT TIME ZONE 'UTC')::date);
    made text;
BEGIN
    PERFORM FROM erp.agreement WHERE agreement_number = p_agreement AND NOT cancelled FOR NO KEY UPDATE;
    IF NOT FOUND OR NOT EXISTS (SELECT FROM erp.agreement_cycle
                                WHERE agreement_number = p_agreement AND day <= until AND document_number IS NULL) THEN
        RETURN NULL;
    END IF;
    made := 'INV-' || nextval('erp.document_number');
    INSERT INTO erp.document (document_number, kind, company, customer_number, currency, document_date, booking_date, due_date, net, tax,
                              open_balance)
    SELECT made, 'invoice', g.company, g.customer_number, g.currency, until, until,
           until + coalesce(substring(coalesce(g.payment_terms, a.payment_terms) FROM 'NET *([0-9]+)')::int, 0), 0, 0, 0
    FROM erp.agreement g JOIN erp.account a USING (customer_number, company) WHERE g.agreement_number = p_agreement;
    INSERT INTO erp.document_line (document_number, line_number, line_ref, product_number, description, quantity, unit_price, net, tax, tax_code)
    SELECT made, row_number() OVER (ORDER BY c.day, c.line_number, c.line_ref), c.line_ref, c.product_number, i.name || ', from ' || c.day,
           c.quantity, c.rate, c.amount, round(c.quantity * c.rate * t.rate / 100, 2),
           CASE WHEN t.rate > 0 THEN 'TX-' || t.rate ELSE 'EXEMPT' END
    FROM erp.agreement_cycle c
    JOIN erp.agreement g USING (agreement_number)
    JOIN erp.account a USING (customer_number, company)
    JOIN erp.product i USING (product_number)
    CROSS JOIN LATERAL (SELECT erp.tax_rate(a.tax_class, i.tax_category) AS rate) t
    WHERE c.agreement_number = p_agreement AND c.day <= until AND c.document_number IS NULL;
    INSERT INTO erp.agreement_bill (agreement_number, line_ref, day, amount, document_number)
    SELECT agreement_number, line_ref, day, amount, made FROM erp.agreement_cycle
    WHERE agreement_number = p_agreement AND day <= until AND document_number IS NULL;
    UPDATE erp.document d SET net = s.net, tax = s.tax, open_balance = s.net + s.tax
    FROM (SELECT sum(net) AS net, sum(tax) AS tax FROM erp.document_line WHERE document_number = made) s WHERE d.document_number = made;
    INSERT INTO erp.ledger_item (customer_number, company, document, posted, due, amount, open_amount)
    SELECT customer_number, company, made, document_date, due_date, net + tax, net + tax FROM erp.document WHERE document_number = made;
    UPDATE erp.agreement SET changed_at = clock_timestamp() WHERE agreement_number = p_agreement;
    RETURN made;
END $$;
