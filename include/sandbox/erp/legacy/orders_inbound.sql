-- Orders that others place. A sender copies one batch in, calls inbound.post_orders(batch), reads the answers from the same
-- rows, and removes them.

CREATE TABLE IF NOT EXISTS inbound.sales_order (
    batch text NOT NULL,
    external_ref text NOT NULL,          -- the order's id in the sender's world
    action text NOT NULL,                -- place (also an amendment) or cancel
    version timestamptz NOT NULL,        -- what it is as of: the same again is answered again, an older one refused
    read_at timestamptz,
    order_number text,                   -- where the sender knows it
    company text,
    customer_number text,
    customer_ref text,                   -- the customer's id in the sender's world, where its number is not known
    currency text,
    price_list text,
    order_date date,
    requested_date date,
    po_number text,
    payment_terms text,
    status text NOT NULL DEFAULT 'new',  -- new, accepted, rejected
    code text,
    reason text,                         -- without values
    line_ref text,                       -- the first line it is about
    answered_number text,
    posted_at timestamptz,
    PRIMARY KEY (batch, external_ref)
);

CREATE TABLE IF NOT EXISTS inbound.sales_order_line (
    batch text NOT NULL,
    external_ref text NOT NULL,
    line_ref text NOT NULL,              -- the line's id in the sender's world
    line_number int NOT NULL,
    product_number text NOT NULL,
    quantity numeric NOT NULL,
    unit_price numeric NOT NULL,         -- what the customer pays for one
    discount_percent numeric,            -- how far that is below the list
    description text,
    service_date date,
    cancelled boolean NOT NULL DEFAULT false,
    PRIMARY KEY (batch, external_ref, line_ref)
);
