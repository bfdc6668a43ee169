"""The console's pages. A new one is a file beside this one, with a `router`, and a line here."""

from __future__ import annotations

from dataclasses import dataclass

from accord.service_levels.settings import CONSOLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page, or several below one path. `module`: the file in this package whose `router` has its routes; `path`: below CONSOLE, the
    overview's is empty; `title`: in the navigation, which pages without one are not in."""

    module: str
    path: str
    title: str = ""

    @property
    def address(self) -> str:
        """The page below CONSOLE, as its router's route "/" has it."""
        return f"/{self.path}/" if self.path else "/"


PAGES = (
    Page(module="overview", path="", title="Overview"),
    Page(module="exceptions", path="exceptions", title="Exceptions"),
    Page(module="trace", path="trace", title="Trace"),
    Page(module="reconciliation", path="reconciliation", title="Reconciliation"),
    Page(module="quality", path="quality", title="Data quality"),
    Page(module="systems", path="systems", title="Systems"),
    Page(module="alerts", path="alerts", title="Alerts"),
    Page(module="kpis", path="kpis", title="Metrics"),
    Page(module="flows", path="flows"),
    Page(module="reports", path="reports", title="Gate reports"),
)


def views() -> list[dict[str, str | bool]]:
    """The pages as Airflow's menu has them: the overview at its top level, the others below Plugins → Accord; and the tabs on its pages
    of a DAG and of a run."""
    found: list[dict[str, str | bool]] = []
    for page in PAGES:
        if page.title:
            view = {"href": f"{CONSOLE}{page.address}", "destination": "nav"}
            place = {"category": "Accord"} if page.path else {"nav_top_level": True}
            route = f"accord-{page.path}" if page.path else "accord"
            found.append({**view, **place, "name": page.title if page.path else "Accord", "url_route": route})
    return [
        *found,
        {"name": "Accord", "href": f"{CONSOLE}/flows/{{DAG_ID}}/", "destination": "dag", "url_route": "accord-flow"},
        {
            "name": "Accord",
            "href": f"{CONSOLE}/flows/{{DAG_ID}}/runs/{{RUN_ID}}",
            "destination": "dag_run",
            "url_route": "accord-run",
        },
    ]
