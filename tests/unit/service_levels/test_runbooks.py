"""Nobody is woken without a runbook, and the documentation says what is declared."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from accord.service_levels.breach import span
from accord.service_levels.guidance import GUIDES
from accord.service_levels.targets import FRESHNESS, LEVELS, TERMS, Measure

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGE = (DOCS / "service-levels.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The rows of the table whose head begins so."""
    table = PAGE.partition(f"\n| {heading} |")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


@pytest.mark.parametrize("measure", Measure)
def test_every_alert_has_a_runbook_that_begins_with_its_first_three_actions(measure: Measure) -> None:
    guide = GUIDES[measure]
    text = (DOCS / "runbooks" / f"{guide.runbook}.md").read_text(encoding="utf-8")
    first = text.partition("## Do first\n\n")[2].partition("\n\n")[0].splitlines()
    assert first == [f"{n}. {action}" for n, action in enumerate(guide.actions, start=1)]
    assert len(set(guide.actions)) == 3
    for heading in ("## What it means", "## Then", "## It is over when"):
        assert len(text.partition(heading)[2].partition("\n## ")[0].split()) > 10, heading
    assert guide.next in text


def test_every_measure_is_declared_somewhere() -> None:
    assert {level.measure for level in LEVELS} | {Measure.HUB} == set(Measure)


def test_the_runbooks_of_alerts_lead_to_pages_that_are_there() -> None:
    for guide in GUIDES.values():
        page = DOCS / "runbooks" / f"{guide.runbook}.md"
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).is_file(), f"{page.name} → {link}"


def test_the_page_has_every_level_with_its_runbook() -> None:
    listed = {row[0]: row[2] for row in rows("level")}
    assert listed == {m.value: f"[{g.runbook}](runbooks/{g.runbook}.md)" for m, g in GUIDES.items()}


def test_the_page_says_what_is_declared() -> None:
    said = {name: row[1:] for row in rows("objects") for name in row[0].split(", ")}
    declared = {
        name: [tier.value, span(fresh), span(TERMS[tier].run), span(TERMS[tier].escalate), TERMS[tier].severity.value]
        for name, (tier, fresh) in FRESHNESS.items()
    }
    assert said == declared
