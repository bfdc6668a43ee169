"""The application that the plugin mounts below /accord: every page behind one door, every answer with the same headers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from importlib import import_module
from pathlib import Path

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, Response
from starlette.exceptions import HTTPException as Refused

from accord.errors import AccordError, BadCredentials, Unavailable
from accord_airflow.console.navigation import PAGES
from accord_airflow.console.rendering import render
from accord_airflow.console.security import login, own_origin

STATIC = Path(__file__).with_name("static")
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'self'; "
    "frame-ancestors 'self'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def app() -> FastAPI:
    """The console. Every route asks for a login that may see the website, everything that changes something for an own page."""
    served = FastAPI(
        dependencies=[Depends(login), Depends(own_origin)], docs_url=None, redoc_url=None, openapi_url=None
    )
    for page in PAGES:
        module = import_module(f"accord_airflow.console.{page.module}")
        served.include_router(module.router, prefix=f"/{page.path}" if page.path else "")
    # by a route, not by a static mount: a mount would bypass the login
    served.add_api_route("/static/{name}", static, response_class=FileResponse)
    served.middleware("http")(_with_headers)
    served.add_exception_handler(Refused, _refused)
    served.add_exception_handler(RequestValidationError, _refused)
    served.add_exception_handler(AccordError, _failed)
    return served


def static(name: str) -> Response:
    """The stylesheet, or the few lines of script; 404 for anything else."""
    file = STATIC / name
    if file.parent != STATIC or not file.is_file():
        raise HTTPException(HTTPStatus.NOT_FOUND, "There is no such file.")
    return FileResponse(file, headers={"Cache-Control": "private, max-age=300"})


async def _with_headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    answer = await call_next(request)
    for name, value in HEADERS.items():
        answer.headers.setdefault(name, value)
    return answer


def _refused(request: Request, error: Exception) -> Response:
    if not isinstance(error, Refused):
        return _problem(request, HTTPStatus.UNPROCESSABLE_ENTITY, "The address or the form is not as it should be.")
    return _problem(request, HTTPStatus(error.status_code), str(error.detail))


def _failed(request: Request, error: Exception) -> Response:
    away = isinstance(error, Unavailable | BadCredentials)
    status = HTTPStatus.SERVICE_UNAVAILABLE if away else HTTPStatus.CONFLICT
    return _problem(request, status, str(error))


def _problem(request: Request, status: HTTPStatus, detail: str) -> Response:
    return render(request, "problem.html", title=status.phrase, status=status, detail=detail)
