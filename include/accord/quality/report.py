"""The page a reviewer reads: one per judgement, failures first, no value of any record."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from pathlib import Path

from accord.quality.docs import store_result
from accord.quality.gate import Judgement, RuleResult, Verdict

_COLOURS = {
    Verdict.PASS: "#1a7f37",
    Verdict.QUARANTINE: "#9a6700",
    Verdict.STOP: "#cf222e",
    Verdict.UNCHECKED: "#57606a",
}
_MEANING = {
    Verdict.PASS: "Every record goes on.",
    Verdict.QUARANTINE: "The records counted below wait as exceptions; all others go on.",
    Verdict.STOP: "Nothing of this batch is written.",
    Verdict.UNCHECKED: "Some rules could not be applied, so nobody knows whether they hold. Nothing of this batch is written.",
}
_STYLE = """
body{font:15px/1.45 system-ui,sans-serif;color:#1f2328;background:#fff;margin:2rem auto;max-width:72rem;padding:0 1rem}
h1{font-size:1.35rem;margin:0}h2{font-size:1.05rem;margin:2rem 0 .5rem}
.verdict{color:#fff;padding:1rem 1.25rem;border-radius:6px}.verdict p{margin:.25rem 0 0}.verdict strong{font-size:1.2rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.4rem .6rem;border-bottom:1px solid #d0d7de;vertical-align:top}
th{font-weight:600;background:#f6f8fa}td.n{text-align:right;font-variant-numeric:tabular-nums}small{color:#57606a}
"""


def write_report(judgement: Judgement, *, flow: str, run_name: str, folder: str | Path) -> str:
    """Write the page of `judgement`, and leave its result for `accord.quality.docs.build_docs`.

    Args:
        judgement: what the gate said.
        flow: name of the flow.
        run_name: name of the run; a page of the same flow, run and gate is written over.
        folder: the reports' folder, on a local disk.

    Returns:
        The path of the page.
    """
    page = Path(folder, "runs", _path_part(flow), _path_part(run_name), judgement.gate, "index.html")
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(render(judgement, flow=flow, run_name=run_name), encoding="utf-8")
    store_result(judgement, flow=_path_part(flow), run_name=_path_part(run_name), folder=Path(folder))
    return str(page)


def render(judgement: Judgement, *, flow: str, run_name: str) -> str:
    """The page as HTML that needs nothing else."""
    bad = [result for result in judgement.results if result.errored or result.failed]
    good = [result for result in judgement.results if not result.errored and not result.failed]
    bad.sort(key=lambda result: (not result.errored, result.severity != "critical", -result.failed))
    head = f"{judgement.object.replace('_', ' ')}: {judgement.gate} gate"
    return "\n".join(
        [
            "<!doctype html>",
            f'<html lang="en"><head><meta charset="utf-8"><title>{escape(head)} · {escape(str(judgement.verdict))}</title>',
            f"<style>{_STYLE}</style></head><body>",
            f"<h1>{escape(head)}</h1><p><small>flow {escape(flow)} · run {escape(run_name)}</small></p>",
            *_banner(judgement),
            *(_table("What does not hold", bad) if bad else ()),
            *(_table("What holds", good) if good else ()),
            "</body></html>\n",
        ]
    )


def _banner(judgement: Judgement) -> Iterable[str]:
    yield f'<div class="verdict" style="background:{_COLOURS[judgement.verdict]}"><strong>{escape(str(judgement.verdict))}</strong>'
    yield f"<p>{_MEANING[judgement.verdict]} {judgement.records:,} records checked, {judgement.quarantined:,} fail.</p>"
    yield from (f"<p>{escape(reason)}</p>" for reason in judgement.reasons)
    yield "</div>"


def _table(title: str, results: list[RuleResult]) -> Iterable[str]:
    heads = ("Rule", "Severity", "Owner", "Category", "Consequence", "Failed", "Checked")
    yield f"<h2>{title}</h2><table><thead><tr>{''.join(f'<th>{head}' for head in heads)}</tr></thead><tbody>"
    for result in results:
        said = f"<br>{escape(result.message)}" if result.message else ""
        cells = (result.severity, result.queue, result.category, result.consequence)
        yield f"<tr><td><strong>{escape(result.title)}</strong>{said}<br><small>{escape(result.part)} · {escape(result.rule)}</small>"
        yield "".join(f"<td>{escape(str(cell))}" for cell in cells)
        yield f'<td class="n">{result.failed:,}<td class="n">{result.checked:,}</tr>'
    yield "</tbody></table>"


def _path_part(name: str) -> str:
    """`name` as one folder name that stays inside its parent."""
    return re.sub(r"[^\w.+-]", "-", name).lstrip(".") or "-"
