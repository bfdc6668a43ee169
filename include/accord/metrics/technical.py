"""Technical figures: cheap enough to be computed whenever somebody looks. Each query gives labels, value and sample, as a view does."""

from __future__ import annotations

QUERIES: dict[str, str] = {
    "flow_watermark_age_seconds": """
        SELECT jsonb_build_object('flow', name) AS labels, round(extract(epoch FROM now() - watermark), 3) AS value, 1 AS sample
        FROM flow WHERE watermark IS NOT NULL""",
    "flow_last_run_failed": """
        SELECT jsonb_build_object('flow', f.name) AS labels, (r.state = 'failed')::int::numeric AS value, 1 AS sample
        FROM flow f CROSS JOIN LATERAL (
          SELECT state FROM run WHERE flow = f.name AND ended IS NOT NULL AND kind <> 'reconcile' ORDER BY id DESC LIMIT 1) r""",
    "flow_last_run_seconds": """
        SELECT jsonb_build_object('flow', f.name) AS labels, round(extract(epoch FROM r.ended - r.started), 3) AS value, 1 AS sample
        FROM flow f CROSS JOIN LATERAL (
          SELECT started, ended FROM run WHERE flow = f.name AND ended IS NOT NULL AND kind <> 'reconcile' ORDER BY id DESC LIMIT 1) r""",
    "dispatches_in_doubt": """
        SELECT jsonb_build_object('target', t.target) AS labels, count(d.id)::numeric AS value, count(d.id) AS sample
        FROM (SELECT DISTINCT target FROM stream) t JOIN stream s ON s.target = t.target
        LEFT JOIN dispatch d ON d.stream = s.id AND d.closed IS NULL AND d.send_before < now() GROUP BY t.target""",
    "system_available": """
        SELECT jsonb_build_object('system', name) AS labels,
          (state = 'closed' AND coalesce(held_until < now(), true))::int::numeric AS value, 1 AS sample FROM system""",
    "system_requests_used_ratio": """
        SELECT jsonb_build_object('system', name) AS labels, round(used::numeric / allowed, 6) AS value, 1 AS sample
        FROM system WHERE allowed > 0 AND used IS NOT NULL""",
    "subscriber_behind": """
        SELECT jsonb_build_object('subscriber', name) AS labels,
          greatest(0, (SELECT last_value FROM event_position) - position)::numeric AS value, 1 AS sample FROM subscription""",
    "alerts_open": """
        SELECT jsonb_build_object('severity', s.severity) AS labels, count(a.id)::numeric AS value, count(a.id) AS sample
        FROM unnest(ARRAY['critical', 'error', 'warning']) s (severity)
        LEFT JOIN alert a ON a.severity = s.severity AND a.state <> 'recovered' GROUP BY s.severity""",
    "notices_waiting": """
        SELECT '{}'::jsonb AS labels, count(*)::numeric AS value, count(*) AS sample
        FROM notice WHERE delivered IS NULL AND dropped IS NULL AND NOT quiet""",
}
