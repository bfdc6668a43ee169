"""What was measured: rows of a table, and the ratios that hold on other machines too."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

import psutil

SHOWN = ("apache-airflow", "great-expectations", "pandas", "pyarrow", "psycopg")  # whose versions matter


class Watch:
    """Clock and processor seconds since it was made: of this process and all below it, the servers it started included."""

    def __init__(self) -> None:
        self._begun, self._spent = perf_counter(), processor_seconds()

    @property
    def seconds(self) -> float:
        """By the clock."""
        return perf_counter() - self._begun

    @property
    def cpu(self) -> float:
        """By the processors."""
        return processor_seconds() - self._spent


def processor_seconds() -> float:
    """What this process, everything below it and every server of the place have used so far."""
    spent = 0.0
    tops = [psutil.Process(), *SERVERS]
    for process in {one.pid: one for top in tops for one in (top, *top.children(recursive=True))}.values():
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:  # its parent counts it from now on
            continue
        spent += times.user + times.system + times.children_user + times.children_system
    return spent


SERVERS: list[psutil.Process] = []  # that are no children of ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measurement. `seconds` by the clock; `cpu` processor seconds of all that had a part in it, which a busy machine hardly
    changes; `count` of `unit`; `peak` MB of the largest process; None where it was not looked at."""

    part: str
    what: str
    seconds: float
    count: int = 0
    unit: str = "records"
    peak: float | None = None
    cpu: float | None = None

    @property
    def rate(self) -> float:
        """Units per second."""
        return self.count / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """Two figures of the same run against each other. `target` as a reader wants it ("at least 0.4"), `met` whether it is."""

    part: str
    what: str
    value: float
    target: str = ""
    met: bool | None = None


@dataclass(slots=True)
class Report:
    """Everything one run of the benchmarks measured."""

    figures: list[Figure] = field(default_factory=list)
    ratios: list[Ratio] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    began: datetime = field(default_factory=lambda: datetime.now(UTC))

    def add(self, part: str, what: str, seconds: float, count: int = 0, unit: str = "records", **more: Any) -> Figure:
        """Keep one measurement, and print it; `more` are `peak` and `cpu`."""
        figure = Figure(part=part, what=what, seconds=seconds, count=count, unit=unit, **more)
        self.figures.append(figure)
        print(_line(figure), flush=True)
        return figure

    def least(self, part: str, what: str, value: float, least: float) -> None:
        """Keep a ratio that should be at least `least`."""
        self._ratio(Ratio(part=part, what=what, value=value, target=f"at least {least:g}", met=value >= least))

    def most(self, part: str, what: str, value: float, most: float) -> None:
        """Keep a ratio (or seconds, or MB) that should be at most `most`."""
        self._ratio(Ratio(part=part, what=what, value=value, target=f"at most {most:g}", met=value <= most))

    def ratio(self, part: str, what: str, value: float) -> None:
        """Keep a ratio nobody set a target for."""
        self._ratio(Ratio(part=part, what=what, value=value))

    def note(self, text: str) -> None:
        """Keep a sentence a reader of the figures must know."""
        self.notes.append(text)
        print(f"  {text}", flush=True)

    def _ratio(self, ratio: Ratio) -> None:
        self.ratios.append(ratio)
        print(f"  {_said(ratio)}", flush=True)

    @contextmanager
    def timed(self, part: str, what: str, count: int = 0, unit: str = "records") -> Iterator[None]:
        """Measure what happens inside."""
        watch = Watch()
        yield
        self.add(part, what, watch.seconds, count, unit, cpu=watch.cpu)

    def machine(self) -> dict[str, object]:
        """What it ran on."""
        return {
            "began": self.began.isoformat(timespec="seconds"),
            "cores": os.cpu_count(),
            "memory_gb": round(psutil.virtual_memory().total / 2**30),
            "load_at_the_end": round(os.getloadavg()[0], 1),
            "system": platform.system(),
            "python": platform.python_version(),
            **{name: version(name) for name in SHOWN},
        }

    def write(self, path: Path) -> None:
        """Write it all as JSON."""
        body = {
            "machine": self.machine(),
            "figures": [asdict(one) | {"rate": round(one.rate, 1)} for one in self.figures],
            "ratios": [asdict(one) for one in self.ratios],
            "notes": self.notes,
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")

    def markdown(self) -> str:
        """The tables of docs/benchmarks.md."""
        lines = [
            "| part | work | count | seconds | per second | cpu seconds | peak MB |",
            "|---|---|--:|--:|--:|--:|--:|",
        ]
        for one in self.figures:
            many = f"{one.count:,} {one.unit}" if one.count else ""
            rate = f"{one.rate:,.0f}" if one.count else ""
            peak = f"{one.peak:,.0f}" if one.peak else ""
            cpu = "" if one.cpu is None else f"{one.cpu:,.2f}"
            lines.append(f"| {one.part} | {one.what} | {many} | {one.seconds:,.2f} | {rate} | {cpu} | {peak} |")
        lines += ["", "| part | ratio | value | target | |", "|---|---|--:|---|---|"]
        for ratio in self.ratios:
            met = "" if ratio.met is None else "met" if ratio.met else "**not met**"
            lines.append(f"| {ratio.part} | {ratio.what} | {ratio.value:,.2f} | {ratio.target} | {met} |")
        return "\n".join(lines) + "\n"


def _line(figure: Figure) -> str:
    many = f"{figure.count:>10,} {figure.unit:<8}" if figure.count else " " * 19
    rate = f"{figure.rate:>10,.0f}/s" if figure.count else " " * 12
    peak = f"{figure.peak:>7,.0f} MB" if figure.peak else ""
    cpu = "" if figure.cpu is None else f"{figure.cpu:>8.2f} cpu-s"
    return f"{figure.part:<10} {figure.what:<50} {many} {figure.seconds:>8.2f} s {rate} {cpu:<14} {peak}".rstrip()


def _said(ratio: Ratio) -> str:
    if ratio.met is None:
        return f"{ratio.what}: {ratio.value:.2f}"
    return f"{ratio.what}: {ratio.value:.2f} ({ratio.target}: {'met' if ratio.met else 'NOT MET'})"
