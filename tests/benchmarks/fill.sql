-- A hub after a year: records with links, images, identities, deliveries and changes; open exceptions by the ten thousand.
-- Literal names of streams, flows and categories are what the tests of the console ask for.
INSERT INTO flow (name, declaration, watermark)
SELECT name, '{}'::jsonb, now() - interval '5 minutes' FROM unnest(%(flows)s::text[]) name ON CONFLICT DO NOTHING;

INSERT INTO run (flow, engine_run, kind, state, counts, win_from, win_to, started, ended)
SELECT f.name, f.name || '/scheduled__' || n, 'scheduled', 'succeeded', '{"extracted": 500}', now() - n * interval '5 minutes',
  now() - (n - 1) * interval '5 minutes', now() - n * interval '5 minutes', now() - n * interval '5 minutes' + interval '20 seconds'
FROM generate_series(%(runs)s, 1, -1) n CROSS JOIN flow f ORDER BY f.name, n DESC;

INSERT INTO dispatch (run, attempt, stream, chunk, part, file, send_before, opened, closed)
SELECT r.id, 1, %(stream)s, 0, 0, '{"path": "gone.parquet", "rows": 1, "checksum": ""}', r.ended, r.started, r.ended
FROM run r WHERE r.flow = %(flow)s;

INSERT INTO link (stream, key, native, version, read_at, hash)
SELECT %(stream)s, 'salesforce:' || n, n::text, now(), now(), decode(md5(n::text), 'hex') FROM generate_series(1, %(records)s) n;

INSERT INTO identity (object, native, key)
SELECT 'order', 'salesforce:opp' || n, 'salesforce:o' || n FROM generate_series(1, %(records)s) n;

INSERT INTO image (stream, key, dispatch, number, refs, plain, personal)
SELECT %(stream)s, 'salesforce:' || n, d.first + n %% d.many, 'SO-' || n, ARRAY['salesforce:' || (n / 20 * 20)], '{"currency": "EUR"}', '{}'
FROM generate_series(1, %(records)s) n, (SELECT min(id) AS first, count(*) AS many FROM dispatch) d;

INSERT INTO delivery (at, dispatch, stream, key, version, hash, outcome, native)
SELECT now() - (n %% 300) * interval '1 day', d.first + n %% d.many, %(stream)s, 'salesforce:' || n, now(), decode(md5(n::text), 'hex'),
  'applied', n::text
FROM generate_series(1, %(records)s) n, (SELECT min(id) AS first, count(*) AS many FROM dispatch) d;

INSERT INTO change (at, dispatch, stream, key, personal, basis, before, after)
SELECT now() - (n %% 300) * interval '1 day', d.first + n %% d.many, %(stream)s, 'salesforce:' || n, false, 'created', '{}',
  '{"currency": "EUR", "country": "NL"}'
FROM generate_series(1, %(records)s) n, (SELECT min(id) AS first, count(*) AS many FROM dispatch) d;

-- open ones spread over flows, queues and categories, and ten settled for each open one
INSERT INTO exception (kind, flow, object, target, key, category, queue, severity, message, currency, at_risk, version, run, dispatch,
  correlation, state, closed, resolution, opened)
SELECT k.kind, %(flow)s, 'order', 'tryton', 'salesforce:' || n, k.category, k.queue, k.severity, 'It was refused.',
  (ARRAY['EUR', 'USD'])[1 + n %% 2], n %% 90000, now(), r.first + n %% r.many, NULL, gen_random_uuid(),
  CASE WHEN n <= %(open)s THEN 'open' ELSE 'closed' END, CASE WHEN n > %(open)s THEN now() - (n %% 300) * interval '1 day' END,
  CASE WHEN n > %(open)s THEN 'a later delivery succeeded' END, now() - (n %% 400) * interval '1 hour'
FROM generate_series(1, 11 * %(open)s) n
JOIN jsonb_to_recordset(%(kinds)s) k (place int, kind text, category text, queue text, severity smallint) ON k.place = n %% %(many)s,
  (SELECT min(id) AS first, count(*) AS many FROM run WHERE flow = %(flow)s) r;

INSERT INTO audit (at, who, what, subject, detail)
SELECT now(), 'ann', 'exception assigned', 'exception:' || n, '{}' FROM generate_series(1, %(open)s * 4) n;

INSERT INTO reconciliation (flow, stream, mode, who, counts, amounts, started, ended)
SELECT %(flow)s, %(stream)s, 'auto', 'accord', '{"agreed": 950000, "field differs": 50000}',
  '{"total": {"EUR": {"source": "10.00", "target": "11.00"}}}', now() - n * interval '1 day', now() - n * interval '1 day'
FROM generate_series(60, 1, -1) n;

INSERT INTO difference (reconciliation, key, class, category, rule, cause, fields, natives, version, currency, at_risk, correction, outcome)
SELECT r.id, 'salesforce:' || n, 'field differs', 'fields differ between the systems', 'fields', 'edited by hand', '{currency}', '{}',
  now(), 'EUR', n %% 5000, 'send again', CASE n %% 3 WHEN 0 THEN 'proposed' ELSE 'corrected' END
FROM reconciliation r CROSS JOIN generate_series(1, CASE WHEN r.id > 58 THEN %(open)s ELSE %(open)s / 100 END) n;

INSERT INTO alert (key, body, severity, owner, escalate_at, state, recovered)
SELECT 'local:' || n, jsonb_build_object('key', 'local:' || n, 'subject', %(flow)s::text, 'measure', 'data freshness', 'summary', 'late', 'object', 'order',
    'tier', 'critical', 'severity', 'critical', 'owner', 'integration', 'consequence', 'Orders wait.', 'actions', '["Look"]'::jsonb,
    'next', 'Nothing.', 'runbook', 'data-freshness', 'allowed', '15 min', 'actual', '2 h', 'late_s', 6300, 'escalate_s', 900),
  'critical', 'integration', now(), CASE WHEN n <= 20 THEN 'open' ELSE 'recovered' END, CASE WHEN n > 20 THEN now() END
FROM generate_series(1, 5000) n;

-- gates of the last 30 runs of every flow; of one flow's last run a gate that holds as many records as are open, each for one of forty rules
INSERT INTO gate_verdict (run, gate, verdict, records, quarantined, previous)
SELECT id, g, 'pass with quarantine', 1000000, CASE WHEN flow = %(flow)s AND place = 1 THEN %(open)s ELSE 40 END, before
FROM (SELECT id, flow, row_number() OVER w AS place, lead(id) OVER w AS before FROM run WINDOW w AS (PARTITION BY flow ORDER BY id DESC)) r
CROSS JOIN unnest(ARRAY['source', 'canonical']) g WHERE place <= 30;

INSERT INTO gate_result (run, gate, rule, title, severity, queue, category, consequence, checked, failed, errored, message, recurring)
SELECT v.run, v.gate, 'rule.' || n, 'rule ' || n || ' holds', CASE WHEN n %% 4 = 0 THEN 'warning' ELSE 'critical' END, 'finance',
  'missing value', 'It is late.', 1000000, CASE WHEN n <= 20 THEN v.quarantined / 40 ELSE 0 END, false, 'm', v.quarantined / 40
FROM gate_verdict v CROSS JOIN generate_series(1, 40) n;

-- every twentieth record fails a second one
INSERT INTO finding (run, gate, key, rule, category, lone)
SELECT v.run, v.gate, 'salesforce:held' || n, 'rule.' || 1 + (n + more) %% 40, 'missing value', n %% 20 > 0
FROM gate_verdict v JOIN run r ON r.id = v.run AND r.flow = %(flow)s CROSS JOIN generate_series(1, %(open)s) n
CROSS JOIN generate_series(0, CASE WHEN n %% 20 = 0 THEN 1 ELSE 0 END) more
WHERE v.gate = 'canonical' AND v.quarantined = %(open)s;

INSERT INTO exception (kind, flow, object, target, key, category, queue, severity, rule, message, currency, at_risk, run, correlation, opened)
SELECT DISTINCT ON (f.key) 'quarantined', %(flow)s, 'order', '', f.key, f.category, 'finance', 2, f.rule, 'It is missing.', 'EUR', 10, f.run,
  gen_random_uuid(), now() - interval '1 hour'
FROM finding f WHERE f.key LIKE 'salesforce:held%%' ORDER BY f.key, f.rule;

UPDATE finding f SET exception = e.id FROM exception e WHERE e.run = f.run AND e.key = f.key;

INSERT INTO review (flow, gate, rule, run)
SELECT r.flow, g.gate, g.rule, max(g.run) FROM gate_result g JOIN run r ON r.id = g.run WHERE g.failed > 0 AND g.gate = 'canonical'
GROUP BY r.flow, g.gate, g.rule;
