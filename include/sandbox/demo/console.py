"""Progress a person can follow: on a terminal one live line, in a log file one line for each thing that happened."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TextIO


@dataclass(slots=True)
class Console:
    """Writes numbered steps with the time each took.

    Args:
        steps: how many steps there will be.
        out: where to write.
    """

    steps: int
    out: TextIO = field(default_factory=lambda: sys.stdout)
    _step: int = 0
    _live: str = ""

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """One step of the story; its time is printed when it is done, also when it fails."""
        self._step += 1
        self.line(f"[{self._step}/{self.steps}] {title}")
        begun = time.monotonic()
        outcome = "failed after"
        try:
            yield
            outcome = "done in"
        finally:
            self.note(f"{outcome} {time.monotonic() - begun:.1f} s")

    def note(self, text: str) -> None:
        """Something that happened within the step."""
        self.line(f"      {text}")

    def live(self, text: str) -> None:
        """What is going on now: replaces the last such text on a terminal."""
        if text == self._live:
            return
        if self.out.isatty():
            width = shutil.get_terminal_size().columns
            self.out.write(f"\r\x1b[2K      {text}"[: width + 5])
            self.out.flush()
        else:
            self.out.write(f"      {text}\n")
        self._live = text

    def line(self, text: str = "") -> None:
        """A whole line."""
        if self._live and self.out.isatty():
            self.out.write("\r\x1b[2K")
        self._live = ""
        self.out.write(f"{text}\n")
        self.out.flush()
