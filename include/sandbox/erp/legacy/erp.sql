-- The legacy ERP's own tables. Nobody outside it reads or writes them: the world speaks to inbound and outbound.

CREATE SCHEMA IF NOT EXISTS erp;

CREATE TABLE IF NOT EXISTS erp.company (
    code text PRIMARY KEY,
    name text NOT NULL,
    currency char(3) NOT NULL
);
INSERT INTO erp.company (code, name, currency) VALUES ('US01', 'Meridian Instruments Inc.', 'USD') ON CONFLICT DO NOTHING;

-- ISO 3166-1 alpha-2 as of 2009: nobody has maintained the table since, so BQ, CW, SS and SX (2010 and 2011) are unknown
CREATE TABLE IF NOT EXISTS erp.country (code char(2) PRIMARY KEY);
INSERT INTO erp.country (code)
SELECT unnest(string_to_array(
    'AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BR BS BT BV BW BY BZ CA CC CD CF CG '
    'CH CI CK CL CM CN CO CR CU CV CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL '
    'GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ '
    'LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL '
    'NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR '
    'ST SV SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW',
    ' '))
ON CONFLICT DO NOTHING;

-- Letters and digits in lower case without accents, legal forms dropped: what two spellings of one company have in common.
CREATE OR REPLACE FUNCTION erp.search_name(name text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    WITH plain AS (
        SELECT regexp_replace(
            regexp_replace(normalize(replace(replace(lower(name), 'ß', 'ss'), 'ς', 'σ'), NFKD),
                           '[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]', '', 'g'),
            '(\w)\.(?=\w)', '\1', 'g') AS text
    ), word AS (
        SELECT w.word, w.place,
               w.word = ANY (string_to_array(
                   'ab ag as asa bv bvba co company corp corporation gmbh inc incorporated kg kk limited llc llp ltd nv oy oyj plc '
                   'pte pty sa sarl sas sl spa sro srl', ' ')) AS form
        FROM plain, regexp_split_to_table(plain.text, '\W+') WITH ORDINALITY AS w (word, place)
        WHERE w.word <> ''
    )
    SELECT coalesce(string_agg(word, ' ' ORDER BY place) FILTER (WHERE NOT form), string_agg(word, ' ' ORDER BY place), '')
    FROM word
$$;

CREATE OR REPLACE FUNCTION erp.search_code(code text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT nullif(upper(regexp_replace(replace(code, 'ß', 'ss'), '\W', '', 'g')), '')
$$;

CREATE SEQUENCE IF NOT EXISTS erp.customer_number START 100001;

CREATE TABLE IF NOT EXISTS erp.customer (
    customer_number text PRIMARY KEY DEFAULT 'L-' || nextval('erp.customer_number'),
    external_ref text UNIQUE,          -- whose customer it is elsewhere; null: only ours
    external_version timestamptz,      -- what the sender said it was as of
    external_read_at timestamptz,
    name varchar(120) NOT NULL,
    legal_name varchar(120),
    parent_number text REFERENCES erp.customer,
    country char(2) NOT NULL REFERENCES erp.country,
    currency char(3) NOT NULL,
    tax_registration varchar(30),
    phone varchar(40),
    website varchar(255),
    active boolean NOT NULL DEFAULT true,
    search_name text GENERATED ALWAYS AS (erp.search_name(name)) STORED,
    search_code text GENERATED ALWAYS AS (erp.search_code(tax_registration)) STORED,
    closed boolean NOT NULL DEFAULT false,   -- finance has ended the business: nobody outside may change it
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX IF NOT EXISTS customer_changed ON erp.customer (changed_at);
CREATE INDEX IF NOT EXISTS customer_parent ON erp.customer (parent_number) WHERE parent_number IS NOT NULL;
CREATE INDEX IF NOT EXISTS customer_search_name ON erp.customer (search_name);
CREATE INDEX IF NOT EXISTS customer_search_code ON erp.customer (search_code) WHERE search_code IS NOT NULL;

CREATE TABLE IF NOT EXISTS erp.customer_address (
    customer_number text NOT NULL REFERENCES erp.customer,
    role text NOT NULL CHECK (role IN ('bill_to', 'ship_to')),
    street varchar(255),
    city varchar(40),
    region varchar(80),
    postal_code varchar(20),
    country char(2) REFERENCES erp.country,
    PRIMARY KEY (customer_number, role)
);

CREATE TABLE IF NOT EXISTS erp.customer_contact (
    customer_number text NOT NULL REFERENCES erp.customer,
    external_ref text NOT NULL,
    first_name varchar(40),
    last_name varchar(80) NOT NULL,
    email varchar(80),
    phone varchar(40),
    title varchar(128),
    PRIMARY KEY (customer_number, external_ref)
);

-- one company's terms for one customer: finance's
CREATE TABLE IF NOT EXISTS erp.account (
    customer_number text NOT NULL REFERENCES erp.customer,
    company text NOT NULL REFERENCES erp.company,
    tax_class text,
    payment_terms text,
    credit_limit numeric(18, 2),
    on_hold boolean NOT NULL DEFAULT false,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (customer_number, company)
);
CREATE INDEX IF NOT EXISTS account_changed ON erp.account (changed_at);

CREATE TABLE IF NOT EXISTS erp.ledger_item (
    customer_number text NOT NULL,
    company text NOT NULL,
    document text NOT NULL,
    posted date NOT NULL,
    due date NOT NULL,
    amount numeric(18, 2) NOT NULL,
    open_amount numeric(18, 2) NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (customer_number, company, document),
    FOREIGN KEY (customer_number, company) REFERENCES erp.account
);
CREATE INDEX IF NOT EXISTS ledger_item_changed ON erp.ledger_item (changed_at);
CREATE INDEX IF NOT EXISTS ledger_item_due ON erp.ledger_item (due) WHERE open_amount <> 0;

-- whoever changes a row, its instant follows
CREATE OR REPLACE FUNCTION erp.stamp() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW IS DISTINCT FROM OLD THEN
        NEW.changed_at := clock_timestamp();
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER stamp BEFORE UPDATE ON erp.customer FOR EACH ROW EXECUTE FUNCTION erp.stamp();
CREATE OR REPLACE TRIGGER stamp BEFORE UPDATE ON erp.account FOR EACH ROW EXECUTE FUNCTION erp.stamp();
CREATE OR REPLACE TRIGGER stamp BEFORE UPDATE ON erp.ledger_item FOR EACH ROW EXECUTE FUNCTION erp.stamp();
