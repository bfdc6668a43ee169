"""Gate reports in Airflow, behind its login: a list of them, and every file below the reports folder.

Files are served by a route, not by a static mount: a mount would bypass the login that the application asks for.
"""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from pathlib import Path
from urllib.parse import quote

from airflow.api_fastapi.auth.managers.models.resource_details import AccessView
from airflow.api_fastapi.core_api.security import requires_access_view
from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import FileResponse, HTMLResponse, Response

from accord_airflow.runtime import reports_folder

LISTED = 200
PAGES = "runs/*/*/*/index.html"  # as accord.quality.report writes them: flow, run, gate
DATA_DOCS = "data_docs/index.html"
# reports are read, never let to talk to anybody: only what lies beside them
POLICY = "default-src 'self' 'unsafe-inline' data:; connect-src 'none'; form-action 'none'; base-uri 'none'"

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Gate reports</title><style>
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem; color: #1a1a1a; background: #fff }}
table {{ border-collapse: collapse }} td, th {{ text-align: left; padding: .3rem 1.5rem .3rem 0 }}
tr + tr {{ border-top: 1px solid #ddd }} a {{ color: #0b57d0 }}
@media (prefers-color-scheme: dark) {{ body {{ color: #eee; background: #161616 }} a {{ color: #8ab4f8 }} }}
</style></head><body><h1>Gate reports</h1>{body}</body></html>"""


def app() -> FastAPI:
    """The application the plugin mounts below /accord. Every route asks for a login that may see the website."""
    served = FastAPI(
        dependencies=[Depends(requires_access_view(AccessView.WEBSITE))],
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    served.add_api_route("/reports/", listing, response_class=HTMLResponse)
    served.add_api_route("/reports/{path:path}", report, response_class=FileResponse)
    return served


def listing() -> HTMLResponse:
    """The newest reports, the newest first, and the way to Great Expectations' Data Docs."""
    root = Path(reports_folder())
    pages = sorted(((page.stat().st_mtime, page) for page in root.glob(PAGES)), reverse=True)[:LISTED]
    body = "".join(_row(at, page.relative_to(root)) for at, page in pages)
    head = "<tr><th>Flow</th><th>Run</th><th>Gate</th><th>Written</th></tr>"
    table = f"<table>{head}{body}</table>" if pages else "<p>None yet.</p>"
    docs = f'<p><a href="{DATA_DOCS}">Great Expectations Data Docs</a></p>' if (root / DATA_DOCS).exists() else ""
    return HTMLResponse(PAGE.format(body=docs + table), headers={"Content-Security-Policy": POLICY})


def _row(written: float, page: Path) -> str:
    _, flow, run, gate, _ = page.parts
    at = datetime.fromtimestamp(written, UTC)
    link = f'<a href="{quote(page.as_posix())}">{escape(gate)}</a>'
    return f"<tr><td>{escape(flow)}</td><td>{escape(run)}</td><td>{link}</td><td>{at:%Y-%m-%d %H:%M:%S} UTC</td></tr>"


def report(path: str) -> Response:
    """One file below the reports folder; 404 for anything else."""
    root = Path(reports_folder()).resolve()
    file = (root / path).resolve()
    if not file.is_relative_to(root) or not file.is_file():
        raise HTTPException(status_code=404, detail="There is no such report.")
    return FileResponse(file, headers={"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff"})
