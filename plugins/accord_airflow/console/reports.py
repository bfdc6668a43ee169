"""Gate reports: a list of them, and every file below the reports folder."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import FileResponse, HTMLResponse, Response

from accord_airflow.console.rendering import render
from accord_airflow.runtime import reports_folder

LISTED = 200
PAGES = "runs/*/*/*/index.html"  # as accord.quality.report writes them: flow, run, gate
DATA_DOCS = "data_docs/index.html"
# reports and Data Docs are read: they bring their style, run nothing, and talk to nobody
POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"

router = APIRouter()


@router.get("/", response_class=HTMLResponse)
def listing(request: Request) -> Response:
    """The newest reports, the newest first, and the way to Great Expectations' Data Docs."""
    folder = Path(reports_folder())
    newest = sorted(((page.stat().st_mtime, page) for page in folder.glob(PAGES)), reverse=True)[:LISTED]
    return render(
        request,
        "reports.html",
        title="Gate reports",
        reports=[_entry(written, page.relative_to(folder)) for written, page in newest],
        data_docs=DATA_DOCS if (folder / DATA_DOCS).exists() else "",
    )


def _entry(written: float, page: Path) -> dict[str, Any]:
    _, flow, run, gate, _ = page.parts
    at = datetime.fromtimestamp(written, UTC)
    return {"flow": flow, "run": run, "gate": gate, "at": at, "page": quote(page.as_posix())}


@router.get("/{path:path}", response_class=FileResponse)
def report(path: str) -> Response:
    """One file below the reports folder; 404 for anything else."""
    folder = Path(reports_folder()).resolve()
    file = (folder / path).resolve()
    if not file.is_relative_to(folder) or not file.is_file():
        raise HTTPException(HTTPStatus.NOT_FOUND, "There is no such report.")
    return FileResponse(file, headers={"Content-Security-Policy": POLICY})
