-- What others ask of the legacy ERP. A sender copies one batch in, calls inbound.post_customers(batch), reads the answers
-- from the same rows, and removes them.

CREATE SCHEMA IF NOT EXISTS inbound;

CREATE TABLE IF NOT EXISTS inbound.customer (
    batch text NOT NULL,                 -- the sender's name for this load
    external_ref text NOT NULL,          -- the customer's id in the sender's world
    action text NOT NULL,                -- upsert or deactivate
    version timestamptz,                 -- what the sender says it is as of; an older one never replaces a newer one
    read_at timestamptz,
    customer_number text,                -- where the sender knows it
    companies text[],                    -- the companies that sell to it
    name text,
    legal_name text,                     -- taken when the customer is created, never after
    parent_ref text,
    parent_number text,                  -- where the sender knows it
    country text,
    currency text,
    tax_registration text,
    phone text,
    website text,
    status text NOT NULL DEFAULT 'new',  -- new, accepted, rejected
    code text,                           -- why it was rejected
    reason text,                         -- the same in words, without values
    answered_number text,                -- the customer's number
    posted_at timestamptz,
    PRIMARY KEY (batch, external_ref)    -- the request key: the same request twice is one
);

CREATE TABLE IF NOT EXISTS inbound.customer_address (
    batch text NOT NULL,
    external_ref text NOT NULL,
    role text NOT NULL,
    street text,
    city text,
    region text,
    postal_code text,
    country text,
    PRIMARY KEY (batch, external_ref, role)
);

CREATE TABLE IF NOT EXISTS inbound.customer_contact (
    batch text NOT NULL,
    external_ref text NOT NULL,
    contact_ref text NOT NULL,
    first_name text,
    last_name text,
    email text,
    phone text,
    title text,
    PRIMARY KEY (batch, external_ref, contact_ref)
);
