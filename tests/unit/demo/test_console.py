"""Progress reads well in a log file and on a terminal."""

import io

import pytest

from sandbox.demo.console import Console


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_log_file_gets_a_line_for_everything_new() -> None:
    out = io.StringIO()
    console = Console(steps=2, out=out)
    with console.step("First"):
        console.live("running")
        console.live("running")
        console.live("done")
        console.note("noted")
    lines = out.getvalue().splitlines()
    assert lines[:4] == ["[1/2] First", "      running", "      done", "      noted"]
    assert lines[4].startswith("      done in ")


def test_a_terminal_gets_one_live_line_that_is_wiped() -> None:
    out = Terminal()
    console = Console(steps=1, out=out)
    console.live("running")
    console.live("nearly")
    console.note("noted")
    assert out.getvalue() == "\r\x1b[2K      running\r\x1b[2K      nearly\r\x1b[2K      noted\n"


def test_a_failed_step_says_so() -> None:
    out = io.StringIO()
    console = Console(steps=1, out=out)
    with pytest.raises(ValueError, match="broken"), console.step("Only"):
        raise ValueError("broken")
    assert "failed after" in out.getvalue()
