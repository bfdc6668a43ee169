-- Agreements that others begin and amend. A sender copies one batch in, calls inbound.post_agreements(batch), reads the answers from the
-- same rows, and removes them.

CREATE TABLE IF NOT EXISTS inbound.agreement (
    batch text NOT NULL,
    external_ref text NOT NULL,          -- the agreement's id in the sender's world
    action text NOT NULL,                -- begin (also an amendment) or cancel
    version timestamptz NOT NULL,        -- what it is as of: the same again is answered again, an older one refused
    read_at timestamptz,
    agreement_number text,               -- where the sender knows it
    company text,
    customer_number text,
    customer_ref text,                   -- the customer's id in the sender's world, where its number is not known
    currency text,
    description text,
    first_day date,
    last_day date,
    payment_terms text,
    status text NOT NULL DEFAULT 'new',  -- new, accepted, rejected
    code text,
    reason text,                         -- without values
    line_ref text,                       -- the first line it is about
    answered_number text,
    posted_at timestamptz,
    PRIMARY KEY (batch, external_ref)
);

CREATE TABLE IF NOT EXISTS inbound.agreement_line (
    batch text NOT NULL,
    external_ref text NOT NULL,
    line_ref text NOT NULL,              -- the line's id in the sender's world
    line_number int NOT NULL,
    product_number text,
    quantity numeric,
    rate numeric,                        -- of one unit for one cycle
    cycle text,                          -- Monthly, Quarterly, Yearly
    first_day date,
    last_day date,
    PRIMARY KEY (batch, external_ref, line_ref)
);
