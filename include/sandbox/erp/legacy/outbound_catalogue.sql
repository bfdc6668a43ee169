-- What the legacy ERP offers to read of its catalogue: products and what is left of them, price lists, prices.
-- What depends on the day changes at midnight, UTC.

-- what can still be promised: on hand, less what is ordered and not yet sent
CREATE OR REPLACE VIEW outbound.product_availability AS
SELECT s.product_number::text AS product_number, s.warehouse, 'United States'::text AS region,
       greatest(s.on_hand - coalesce(o.waiting, 0), 0) AS available, greatest(s.changed_at, o.changed_at) AS changed_at
FROM erp.stock s
LEFT JOIN (
    SELECT l.product_number, h.company, sum(l.quantity - l.shipped_quantity) FILTER (WHERE NOT l.cancelled) AS waiting,
           max(h.changed_at) AS changed_at
    FROM erp.sales_order_line l JOIN erp.sales_order h USING (order_number) GROUP BY 1, 2
) o USING (product_number, company);

CREATE OR REPLACE VIEW outbound.product AS
SELECT p.product_number::text AS product_number, p.name::text AS name, p.description, p.family, p.unit, p.kind, p.tax_category,
       p.status, greatest(p.changed_at, s.changed_at) AS changed_at
FROM erp.product p
LEFT JOIN (SELECT product_number, max(changed_at) AS changed_at FROM outbound.product_availability GROUP BY 1) s
    ON s.product_number = p.product_number;

CREATE OR REPLACE VIEW outbound.product_component AS
SELECT product_number::text AS product_number, component_number::text AS component_number, quantity FROM erp.product_component;

CREATE OR REPLACE VIEW outbound.price_list AS
SELECT l.company, l.price_list, l.name, l.currency::text AS currency,
       l.active AND coalesce(l.valid_from <= t.day, true) AND coalesce(l.valid_until >= t.day, true) AS active,
       l.valid_from, l.valid_until,
       greatest(l.changed_at, CASE WHEN l.valid_from <= t.day THEN l.valid_from::timestamp AT TIME ZONE 'UTC' END,
                CASE WHEN l.valid_until < t.day THEN (l.valid_until + 1)::timestamp AT TIME ZONE 'UTC' END) AS changed_at
FROM erp.price_list l CROSS JOIN (SELECT (now() AT TIME ZONE 'UTC')::date AS day) t;

-- a price holds until its end, or until the next of the same quantity begins
CREATE OR REPLACE VIEW outbound.price_tier AS
SELECT p.company, p.price_list, p.product_number, trim_scale(p.from_quantity) || '/' || p.valid_from AS tier, p.from_quantity,
       p.unit_price, p.valid_from, p.ends AS valid_until, p.changed_at
FROM (
    SELECT l.company, p.price_list, p.product_number::text AS product_number, p.from_quantity, p.unit_price, p.valid_from, p.changed_at,
           least(p.valid_until, lead(p.valid_from) OVER (PARTITION BY p.price_list, p.product_number, p.from_quantity
                                                         ORDER BY p.valid_from) - 1) AS ends
    FROM erp.price p JOIN erp.price_list l USING (price_list)
) p
WHERE coalesce(p.ends >= (now() AT TIME ZONE 'UTC')::date, true);

CREATE OR REPLACE VIEW outbound.price AS
SELECT l.company, l.price_list, p.product_number, l.currency, p.unit_price, true AS active,
       p.unit_price IS NULL OR NOT l.active OR i.status <> 'Active' AS gone, greatest(p.changed_at, l.changed_at, i.changed_at) AS changed_at
FROM (
    SELECT price_list, product_number::text AS product_number,
           max(greatest(changed_at, CASE WHEN valid_from <= t.day THEN valid_from::timestamp AT TIME ZONE 'UTC' END,
                        CASE WHEN valid_until < t.day THEN (valid_until + 1)::timestamp AT TIME ZONE 'UTC' END)) AS changed_at,
           (array_agg(unit_price ORDER BY from_quantity DESC, valid_from DESC) FILTER (
               WHERE from_quantity <= 1 AND valid_from <= t.day AND coalesce(valid_until >= t.day, true)))[1] AS unit_price
    FROM erp.price CROSS JOIN (SELECT (now() AT TIME ZONE 'UTC')::date AS day) t GROUP BY 1, 2
) p
JOIN outbound.price_list l USING (price_list)
JOIN erp.product i ON i.product_number = p.product_number;
