"""`make lint` is a test like any other: style, strict types, the ring rule."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_lint_finds_nothing() -> None:
    done = subprocess.run(["make", "lint"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"make lint:\n{done.stdout}{done.stderr}"
