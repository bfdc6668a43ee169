-- What the sample company sells in the United States, from the catalogue (a JSON text, first parameter). What is there stays.
WITH declared AS (
    SELECT r.* FROM jsonb_to_recordset((%(catalogue)s::jsonb) -> 'products') AS r (
        code text, name text, family text, unit text, kind text, tax text, prices jsonb, stock jsonb, lead_days int,
        components jsonb, discontinued boolean, blocked boolean)
    WHERE r.prices ? 'US01'
), product AS (
    INSERT INTO erp.product (product_number, name, family, unit, kind, tax_category, status, lead_days)
    SELECT code, name, family, unit, coalesce(kind, 'Goods'),
           coalesce(tax, CASE WHEN kind = 'Service' THEN 'Services' ELSE 'Goods' END),
           CASE WHEN blocked THEN 'Blocked' WHEN discontinued THEN 'Discontinued' ELSE 'Active' END, coalesce(lead_days, 0)
    FROM declared ON CONFLICT DO NOTHING
), component AS (
    INSERT INTO erp.product_component (product_number, component_number, quantity)
    SELECT d.code, c.key, c.value::text::numeric FROM declared d, jsonb_each(d.components) c ON CONFLICT DO NOTHING
), stock AS (
    INSERT INTO erp.stock (company, warehouse, product_number, on_hand)
    SELECT 'US01', 'Dallas', code, (stock ->> 'US01')::numeric FROM declared WHERE stock ? 'US01' ON CONFLICT DO NOTHING
), list AS (
    INSERT INTO erp.price_list (price_list, company, name, currency) VALUES
        ('US-STANDARD', 'US01', 'Standard USD', 'USD'), ('US-PARTNER', 'US01', 'Partner USD', 'USD') ON CONFLICT DO NOTHING
), closed AS (
    INSERT INTO erp.closed_period (company, first_day, last_day)
    SELECT 'US01', first, (first + interval '3 months - 1 day')::date
    FROM (SELECT (date_trunc('year', now() AT TIME ZONE 'UTC') - interval '1 year')::date AS first) f ON CONFLICT DO NOTHING
)
INSERT INTO erp.price (price_list, product_number, from_quantity, unit_price)
SELECT l.price_list, d.code, b.from_quantity, round((d.prices ->> 'US01')::numeric * l.share * b.share, 4)
FROM declared d
CROSS JOIN (VALUES ('US-STANDARD', 1.00), ('US-PARTNER', 0.85)) AS l (price_list, share)
CROSS JOIN (VALUES (1, 1.00), (10, 0.95), (50, 0.90)) AS b (from_quantity, share)
WHERE NOT coalesce(d.blocked, false) AND (b.from_quantity = 1 OR d.family = 'Consumables')
ON CONFLICT DO NOTHING;
