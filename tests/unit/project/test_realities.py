"""The page of realities names tests that exist, and forgets no business object."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from accord.flows import FLOWS

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs/realities.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`(tests/[^`:]+)::(\w+)`", PAGE)
ROWS = [line.strip("| ").split(" | ") for line in PAGE.splitlines() if line.startswith("| ")]


@pytest.mark.parametrize("file", sorted({file for file, _ in NAMED}))
def test_every_named_test_exists(file: str) -> None:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    there = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    assert {name for named, name in NAMED if named == file} <= there


def test_every_reality_has_a_test() -> None:
    rows = [row for row in ROWS if row[0] not in ("reality", "object")]
    assert len(rows) > 20
    assert [row[0] for row in rows if not re.search(r"`tests/[^`]+::\w+`", row[-1])] == []


def test_every_object_that_travels_is_there() -> None:
    assert {flow.object for flow in FLOWS.values()} <= {row[0] for row in ROWS}
