"""Helpers of the stack's unit tests: small programs to keep, and never a process left behind."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.stack.processes import Processes


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A sandbox home of the test's own."""
    return tmp_path / "home"


@pytest.fixture
def keeper(home: Path) -> Iterator[Processes]:
    """A keeper whose processes end with the test."""
    kept = Processes(home)
    yield kept
    kept.stop_all()


@pytest.fixture
def program(tmp_path: Path) -> list[str]:
    """A program that says it is ready by touching ``ready`` beside it, then waits for its end."""
    source = """
        import pathlib, signal, sys
        pathlib.Path(sys.argv[1]).touch()
        signal.pause()
    """
    path = tmp_path / "program.py"
    path.write_text(textwrap.dedent(source))
    return [sys.executable, str(path), str(tmp_path / "ready")]
