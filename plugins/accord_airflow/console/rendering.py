"""Drawing pages: templates, escaped by themselves, and how instants, ages and amounts look."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from accord.service_levels.breach import span
from accord.service_levels.settings import CONSOLE
from accord_airflow.console.navigation import PAGES

TEMPLATES = Path(__file__).with_name("templates")


def render(
    request: Request, template: str, *, title: str, status: HTTPStatus = HTTPStatus.OK, **shown: Any
) -> HTMLResponse:
    """The page `template` (a file of templates/) with what is `shown` on it."""
    place = request.url.path.removeprefix(root(request))
    shown |= {"title": title, "status": status, "root": root(request), "place": place, "pages": PAGES}
    body = _environment().get_template(template).render(shown)
    return HTMLResponse(body, status_code=status)


def back(request: Request, place: str, **told: Any) -> RedirectResponse:
    """The answer to a form: go and look at `place` below the console, which is `told` what was done by its query."""
    return RedirectResponse(address(root(request), place, **told), HTTPStatus.SEE_OTHER)


def root(request: Request) -> str:
    """Where the console is mounted, as links need it: /accord, below whatever path Airflow has."""
    return str(request.scope.get("root_path", ""))


@cache
def _environment() -> Environment:
    found = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {"instant": instant, "age": age, "money": money, "count": count, "words": words}
    found.globals |= {"address": address, "flow_run_address": flow_run_address, "run_address": run_address}
    return found


def instant(at: datetime | None) -> Markup:
    """An instant, in UTC to the second, with what machines read; nothing for none."""
    if at is None:
        return Markup("")
    utc = at.astimezone(UTC)
    return Markup('<time datetime="{}">{}</time>').format(utc.isoformat(), f"{utc:%Y-%m-%d %H:%M:%S} UTC")


def age(since: datetime | None, until: datetime | None = None) -> str:
    """How long ago, or how long until."""
    return span((until or datetime.now(UTC)) - since) if since else ""


def money(amount: Decimal | str | None, currency: str | None) -> str:
    """An amount with its currency; nothing where there is none."""
    return f"{Decimal(amount):,.2f} {currency}" if amount is not None and currency else ""


def count(number: int | None) -> str:
    """A number with separators."""
    return "" if number is None else f"{number:,}"


def words(name: str) -> str:
    """A name of the code as people write it."""
    return name.replace("_", " ")


def address(root: str, place: str, query: Mapping[str, Any] | None = None, **more: Any) -> str:
    """The console's address of `place`, with what is given of a query; what is None or empty is left out."""
    asked = {k: v for k, v in {**(query or {}), **more}.items() if v not in (None, "")}
    return f"{root}{quote(place, safe='/%')}" + (f"?{urlencode(asked, doseq=True)}" if asked else "")


def flow_run_address(root: str, flow: str, engine_run: str) -> str:
    """The console's page of a run of `flow`, whether the engine knows it (<dag id>/<run id>) or not."""
    return f"{root}/flows/{quote(flow, safe='')}/runs/{quote(engine_run.removeprefix(f'{flow}/'), safe='')}"


def run_address(root: str, engine_run: str | None, task: str | None = None) -> str:
    """Airflow's page of the run that the hub calls <dag id>/<run id>, or of its `task`; empty for a run of no DAG."""
    dag, slash, run = (engine_run or "").partition("/")
    if not slash:
        return ""
    page = f"{root.removesuffix(CONSOLE)}/dags/{quote(dag, safe='')}/runs/{quote(run, safe='')}"
    return f"{page}/tasks/{quote(task, safe='')}" if task else page
