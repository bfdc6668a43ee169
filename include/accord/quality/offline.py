"""Great Expectations' pages without what they fetch from elsewhere: no scripts, one stylesheet inside the page.

As Great Expectations makes them, they ask six hosts for styles, scripts, icons and a logo, are unstyled without an answer, and their
index is empty without scripts. Here its own renderers go on telling what was expected and found; how it looks is ours. Named by
`accord.quality.docs` as the site's views; nobody else imports it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from great_expectations.render.view.view import (
    DefaultJinjaIndexPageView,
    DefaultJinjaPageView,
)
from jinja2 import FileSystemBytecodeCache

_DROPPED = frozenset({"script", "style", "footer", "title"})  # with all that is in them
_EMPTY = frozenset({"link", "img", "meta"})  # and have no end
_HEAD = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
# what only a script could do
_IDLE = ("data-toggle", "data-search", "data-icon-size", "data-sortable", "aria-controls", "aria-expanded")


class OfflinePage(DefaultJinjaPageView):
    """The page of one result."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        # every view compiles its templates, and a build makes a view: that is half of its time
        self.env.bytecode_cache = FileSystemBytecodeCache()

    def render(self, document: Any, template: Any = None, **kwargs: Any) -> str:
        """The page as HTML that needs nothing else."""
        page = super().render(document, template, **kwargs)  # type: ignore[no-untyped-call]  # Great Expectations leaves it untyped
        return offline(page, "Data Docs: what was expected and found")


class OfflineIndex(DefaultJinjaIndexPageView):
    """The list of results, as a plain table."""

    def render(self, document: Any, template: Any = None, **kwargs: Any) -> str:
        """The index as HTML that needs nothing else."""
        self._validate_document(document)
        rows = sorted(_results(document.to_json_dict()), key=lambda row: row["_run_time_sort"], reverse=True)
        heads = "".join(f'<th scope="col">{head}</th>' for head in ("Status", "Suite", "Run", "Run time"))
        table = f"<table class='table'><thead><tr>{heads}</tr></thead><tbody>{''.join(map(_row, rows))}</tbody></table>"
        body = f"<h1>Great Expectations Data Docs</h1>{table if rows else '<p>None yet.</p>'}"
        head = f"{_HEAD}<title>Data Docs</title><style>{_style()}</style>"
        return f'<!doctype html><html lang="en"><head>{head}</head><body>{body}</body></html>'


def _results(content: Any) -> Iterator[dict[str, Any]]:
    """The rows of the tables in `content`, wherever they are."""
    if isinstance(content, dict):
        if "_table_row_link_path" in content:
            yield content
            return
        content = list(content.values())
    if isinstance(content, list):
        for part in content:
            yield from _results(part)


def _row(row: dict[str, Any]) -> str:
    held = row["_validation_success_text"] == "Success"
    at = datetime.fromtimestamp(row["_run_time_sort"], UTC)
    link = (
        f'<a href="{escape(row["_table_row_link_path"], quote=True)}">{escape(row["_expectation_suite_name_sort"])}</a>'
    )
    status = f'<span class="{"text-success" if held else "text-danger"}">{"✓ holds" if held else "✗ fails"}</span>'
    return (
        f"<tr><td>{status}</td><td>{link}</td><td>{escape(row['run_name'])}</td><td>{at:%Y-%m-%d %H:%M:%S}Z</td></tr>"
    )


def offline(page: str, title: str) -> str:
    """`page` without scripts, styles and addresses of elsewhere, and with our stylesheet."""
    kept = _Kept()
    kept.feed(page)
    kept.close()
    head = f"{_HEAD}<title>{escape(title)}</title><style>{_style()}</style>"
    return "".join(kept.parts).replace("<head>", f"<head>{head}", 1)


class _Kept(HTMLParser):
    """What is kept of a page, in `parts`."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.parts: list[str] = []
        self._within = ""  # the element that is being dropped

    def handle_decl(self, decl: str) -> None:
        self.parts.append(f"<!{decl}>")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._within or tag in _EMPTY:
            return
        if tag in _DROPPED:
            self._within = tag
            return
        told = "".join(
            f' {name}="{escape(value or "", quote=True)}"' for name, value in attrs if _may_stay(tag, name, value or "")
        )
        self.parts.append(f"<{tag}{told}>")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _DROPPED:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if self._within:
            self._within = "" if tag == self._within else self._within
        elif tag not in _EMPTY:
            self.parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self._within:
            self.parts.append(data)

    def handle_entityref(self, name: str) -> None:
        self.handle_data(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.handle_data(f"&#{name};")


def _may_stay(tag: str, name: str, value: str) -> bool:
    if name in _IDLE or name == "style" or name.startswith("on"):
        return False
    if name in ("src", "href"):
        # a suite has no page of its own here
        return tag == "a" and not value.startswith(("http", "//")) and "/expectations/" not in value
    return True


@cache
def _style() -> str:
    return Path(__file__).with_name("offline.css").read_text(encoding="utf-8")
