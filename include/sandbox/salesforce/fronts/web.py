# ruff: noqa: S608 - statements are made of names from the schema; values are always parameters
"""The one-page web view: objects, an object's latest records, recent calls."""

from html import escape

from sandbox.salesforce.fronts.messages import Answer, Call
from sandbox.salesforce.org import Org
from sandbox.salesforce.store import quoted

_STYLE = """
:root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif }
body { margin: 2rem auto; max-width: 70rem; padding: 0 1rem }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #8884; vertical-align: top }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums }
code { font-size: .9em } .bad { color: #c33; font-weight: 600 } .scroll { overflow-x: auto }
"""


_SHOWN = 50


def _records(org: Org, name: str) -> str:
    obj = org.schema.object(name)
    if obj is None:
        return ""
    latest = f'SELECT {quoted(obj.columns)} FROM "{obj.name}" ORDER BY SystemModstamp DESC, Id DESC LIMIT {_SHOWN}'
    rows = org.store.connection.execute(latest).fetchall()
    # Columns without a value in any of them would only be in the way.
    kept = [at for at in range(len(obj.columns)) if any(row[at] is not None for row in rows)]
    head = "".join(f"<th>{escape(obj.columns[at])}" for at in kept)
    body = "".join(
        "<tr>" + "".join(f"<td>{'' if row[at] is None else escape(str(row[at]))}" for at in kept) for row in rows
    )
    title = f"{escape(obj.label)}: the latest {len(rows)} records"
    return f"<h2 id=records>{title}</h2><div class=scroll><table><tr>{head}{body}</table></div>"


def page(org: Org, call: Call) -> Answer:
    """Answer ``GET /``; ``?object=Account`` shows its latest records too."""
    objects = []
    for obj in sorted(org.schema.objects.values(), key=lambda o: o.name):
        live, gone = org.store.connection.execute(
            f'SELECT count(*) FILTER (WHERE IsDeleted = 0), count(*) FILTER (WHERE IsDeleted = 1) FROM "{obj.name}"'
        ).fetchone()
        objects.append(
            f"<tr><td>{escape(obj.label)}<td><a href=/?object={obj.name}#records><code>{escape(obj.name)}</code></a>"
            f"<td><code>{obj.prefix}</code>"
            f"<td class=n>{len(obj.fields)}<td class=n>{live}<td class=n>{gone}"
        )
    rows = []
    for item in list(org.usage.calls)[-100:][::-1]:
        bad = " class=bad" if item["status"] >= 400 else ""
        rows.append(
            f"<tr><td>{item['at']}<td>{escape(item['client'])}<td>{escape(item['method'])}"
            f"<td><code>{escape(item['path'])}</code><td{bad}>{item['status']}<td class=n>{item['ms']:.1f}"
        )
    rules = "".join(
        f"<li><code>{escape(rule['kind'])}</code> on <code>{escape(rule['method'])} {escape(rule['path'])}</code>, "
        f"applied {rule['applied']} times"
        for rule in org.faults.list()
    )
    html = f"""<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content="width=device-width">
<title>Local Salesforce org</title><style>{_STYLE}</style>
<h1>Local Salesforce org</h1>
<p>API calls today: {org.usage.requests} of {org.settings.api_limit}. Org time: {org.clock.stamp()}.</p>
<h2>Objects</h2><div class=scroll><table><tr><th>Label<th>Name<th>Prefix<th class=n>Fields<th class=n>Records
<th class=n>In recycle bin{"".join(objects)}</table></div>
{_records(org, call.query.get("object", ""))}
<h2>Faults</h2><ul>{rules or "<li>none"}</ul>
<h2>Recent calls</h2><div class=scroll><table><tr><th>At<th>Client<th>Method<th>Path<th>Status<th class=n>ms
{"".join(rows) or "<tr><td colspan=6>none yet"}</table></div>"""
    return Answer(raw=html.encode(), type="text/html; charset=utf-8")
