-- What the legacy ERP sells and what became of it: items, stock, prices, orders, shipments, invoices, credit memos, payments.

CREATE TABLE IF NOT EXISTS erp.product (
    product_number varchar(40) PRIMARY KEY,
    name varchar(120) NOT NULL,
    description text,
    family text NOT NULL,
    unit text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('Goods', 'Service', 'Bundle')),
    tax_category text NOT NULL,
    status text NOT NULL DEFAULT 'Active' CHECK (status IN ('Active', 'Discontinued', 'Blocked')),
    lead_days int NOT NULL DEFAULT 0,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX IF NOT EXISTS product_changed ON erp.product (changed_at);

CREATE TABLE IF NOT EXISTS erp.product_component (
    product_number varchar(40) NOT NULL REFERENCES erp.product,
    component_number varchar(40) NOT NULL REFERENCES erp.product,
    quantity numeric(18, 4) NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (product_number, component_number)
);

CREATE TABLE IF NOT EXISTS erp.stock (
    company text NOT NULL REFERENCES erp.company,
    warehouse text NOT NULL,
    product_number varchar(40) NOT NULL REFERENCES erp.product,
    on_hand numeric(18, 4) NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (company, warehouse, product_number)
);
CREATE INDEX IF NOT EXISTS stock_changed ON erp.stock (changed_at);

CREATE TABLE IF NOT EXISTS erp.price_list (
    price_list text PRIMARY KEY,
    company text NOT NULL REFERENCES erp.company,
    name text NOT NULL,
    currency char(3) NOT NULL,
    active boolean NOT NULL DEFAULT true,
    valid_from date,
    valid_until date,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX IF NOT EXISTS price_list_changed ON erp.price_list (changed_at);

CREATE TABLE IF NOT EXISTS erp.price (
    price_list text NOT NULL REFERENCES erp.price_list,
    product_number varchar(40) NOT NULL REFERENCES erp.product,
    from_quantity numeric(18, 4) NOT NULL DEFAULT 1,
    valid_from date NOT NULL DEFAULT '2020-01-01',
    valid_until date,
    unit_price numeric(18, 4) NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (price_list, product_number, from_quantity, valid_from)
);
CREATE INDEX IF NOT EXISTS price_changed ON erp.price (changed_at);

-- months the books are closed for
CREATE TABLE IF NOT EXISTS erp.closed_period (
    company text NOT NULL REFERENCES erp.company,
    first_day date NOT NULL,
    last_day date NOT NULL,
    PRIMARY KEY (company, first_day)
);

CREATE SEQUENCE IF NOT EXISTS erp.order_number START 500001;
CREATE TABLE IF NOT EXISTS erp.sales_order (
    order_number text PRIMARY KEY DEFAULT 'SO-' || nextval('erp.order_number'),
    company text NOT NULL REFERENCES erp.company,
    external_ref text UNIQUE,
    external_version timestamptz,
    external_read_at timestamptz,
    customer_number text NOT NULL REFERENCES erp.customer,
    currency char(3) NOT NULL,
    price_list text REFERENCES erp.price_list,
    order_date date NOT NULL,
    requested_date date,
    po_number varchar(80),
    payment_terms text,
    amendment int NOT NULL DEFAULT 0,
    cancelled boolean NOT NULL DEFAULT false,
    net numeric(18, 2) NOT NULL DEFAULT 0,
    tax numeric(18, 2) NOT NULL DEFAULT 0,
    booked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX IF NOT EXISTS sales_order_changed ON erp.sales_order (changed_at);
CREATE INDEX IF NOT EXISTS sales_order_customer ON erp.sales_order (customer_number, company);

CREATE TABLE IF NOT EXISTS erp.sales_order_line (
    order_number text NOT NULL REFERENCES erp.sales_order,
    line_ref text NOT NULL,
    line_number int NOT NULL,
    product_number varchar(40) NOT NULL REFERENCES erp.product,
    description text,
    quantity numeric(18, 4) NOT NULL,
    unit_price numeric(18, 4) NOT NULL,
    service_date date,
    promised_date date,
    shipped_quantity numeric(18, 4) NOT NULL DEFAULT 0,
    invoiced_quantity numeric(18, 4) NOT NULL DEFAULT 0,
    cancelled boolean NOT NULL DEFAULT false,
    PRIMARY KEY (order_number, line_ref)
);

CREATE SEQUENCE IF NOT EXISTS erp.shipment_number START 700001;
CREATE TABLE IF NOT EXISTS erp.shipment (
    shipment_number text PRIMARY KEY DEFAULT 'SH-' || nextval('erp.shipment_number'),
    company text NOT NULL REFERENCES erp.company,
    order_number text NOT NULL REFERENCES erp.sales_order,
    kind text NOT NULL DEFAULT 'Shipment' CHECK (kind IN ('Shipment', 'Return')),
    status text NOT NULL DEFAULT 'Shipped' CHECK (status IN ('Shipped', 'Delivered')),
    planned_date date,
    shipped_date date,
    carrier text,
    tracking_number text,
    warehouse text,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX IF NOT EXISTS shipment_changed ON erp.shipment (changed_at);
CREATE INDEX IF NOT EXISTS shipment_order ON erp.shipment (order_number);

CREATE TABLE IF NOT EXISTS erp.shipment_line (
    shipment_number text NOT NULL REFERENCES erp.shipment,
    order_number text NOT NULL,
    line_ref text NOT NULL,
    quantity numeric(18, 4) NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (shipment_number, line_ref),
    FOREIGN KEY (order_number, line_ref) REFERENCES erp.sales_order_line
);

-- invoices and credit memos; a credit memo's amounts are positive and reduce what the customer owes
CREATE SEQUENCE IF NOT EXISTS erp.document_number START 900001;
CREATE TABLE IF NOT EXISTS erp.document (
    document_number text PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('invoice', 'credit_memo')),
    company text NOT NULL REFERENCES erp.company,
    customer_number text NOT NULL,
    order_number text REFERENCES erp.sales_order,
    corrects text REFERENCES erp.document,
    reason text,
    currency char(3) NOT NULL,
    document_date date NOT NULL,
    booking_date date NOT NULL,
    due_date date NOT NULL,
    net numeric(18, 2) NOT NULL,
    tax numeric(18, 2) NOT NULL,
    open_balance numeric(18, 2) NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX IF NOT EXISTS document_changed ON erp.document (changed_at);
CREATE INDEX IF NOT EXISTS document_order ON erp.document (order_number);
CREATE INDEX IF NOT EXISTS document_due ON erp.document (due_date) WHERE open_balance <> 0;

CREATE TABLE IF NOT EXISTS erp.document_line (
    document_number text NOT NULL REFERENCES erp.document,
    line_number int NOT NULL,
    line_ref text,
    product_number varchar(40) NOT NULL REFERENCES erp.product,
    description text,
    quantity numeric(18, 4) NOT NULL,
    unit_price numeric(18, 4) NOT NULL,
    net numeric(18, 2) NOT NULL,
    tax numeric(18, 2) NOT NULL,
    tax_code text NOT NULL,
    PRIMARY KEY (document_number, line_number)
);

CREATE TABLE IF NOT EXISTS erp.payment (
    payment_number text PRIMARY KEY,           -- the bank's: the same payment twice is one
    company text NOT NULL REFERENCES erp.company,
    customer_number text NOT NULL REFERENCES erp.customer,
    received date NOT NULL,
    currency char(3) NOT NULL,
    amount numeric(18, 2) NOT NULL CHECK (amount > 0),
    method text NOT NULL,
    reversed boolean NOT NULL DEFAULT false,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX IF NOT EXISTS payment_changed ON erp.payment (changed_at);

CREATE TABLE IF NOT EXISTS erp.payment_application (
    payment_number text NOT NULL REFERENCES erp.payment,
    document_number text NOT NULL REFERENCES erp.document,
    amount numeric(18, 2) NOT NULL CHECK (amount > 0),
    applied date NOT NULL,
    PRIMARY KEY (payment_number, document_number)
);

CREATE OR REPLACE TRIGGER stamp BEFORE UPDATE ON erp.product FOR EACH ROW EXECUTE FUNCTION erp.stamp();
CREATE OR REPLACE TRIGGER stamp BEFORE UPDATE ON erp.stock FOR EACH ROW EXECUTE FUNCTION erp.stamp();
CREATE OR REPLACE TRIGGER stamp BEFORE UPDATE ON erp.price_list FOR EACH ROW EXECUTE FUNCTION erp.stamp();
CREATE OR REPLACE TRIGGER stamp BEFORE UPDATE ON erp.price FOR EACH ROW EXECUTE FUNCTION erp.stamp();
CREATE OR REPLACE TRIGGER stamp BEFORE UPDATE ON erp.sales_order FOR EACH ROW EXECUTE FUNCTION erp.stamp();
CREATE OR REPLACE TRIGGER stamp BEFORE UPDATE ON erp.shipment FOR EACH ROW EXECUTE FUNCTION erp.stamp();
CREATE OR REPLACE TRIGGER stamp BEFORE UPDATE ON erp.document FOR EACH ROW EXECUTE FUNCTION erp.stamp();
CREATE OR REPLACE TRIGGER stamp BEFORE UPDATE ON erp.payment FOR EACH ROW EXECUTE FUNCTION erp.stamp();

-- sales tax in percent: of what is taxable, for whom it is
CREATE OR REPLACE FUNCTION erp.tax_rate(tax_class text, tax_category text) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN coalesce(tax_class, 'TAXABLE') = 'TAXABLE' AND tax_category <> 'Services' THEN 8.25 ELSE 0 END
$$;

-- the price of one unit, or null when the list has none
CREATE OR REPLACE FUNCTION erp.list_price(p_list text, p_product text, p_quantity numeric, p_day date) RETURNS numeric
LANGUAGE sql STABLE AS $$
    SELECT p.unit_price FROM erp.price p JOIN erp.price_list l USING (price_list)
    WHERE p.price_list = p_list AND p.product_number = p_product AND p.from_quantity <= p_quantity AND l.active
      AND p_day BETWEEN p.valid_from AND coalesce(p.valid_until, 'infinity')
      AND p_day BETWEEN coalesce(l.valid_from, '-infinity') AND coalesce(l.valid_until, 'infinity')
    ORDER BY p.from_quantity DESC, p.valid_from DESC LIMIT 1
$$;
