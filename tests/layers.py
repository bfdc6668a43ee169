"""The layers of the suite: their order, and the time each may take on two cores.

Runs the cheap layers first, prints what each took and names a layer that took longer than its budget. Machines are noisy,
so a run fails only for a layer that took NOISE times its budget. A layer's time is its tests' with their fixtures, shared
by the processes that run tests side by side (pytest-xdist's workers): together the layers make the suite's time.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from xdist.scheduler import LoadScopeScheduling


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One budget line: the folders below tests/ that share it, in the order they run."""

    name: str
    folders: tuple[str, ...]
    minutes: float


LAYERS = (
    Layer(name="static, unit and contract", folders=("static", "unit", "contract"), minutes=4),
    Layer(name="DAGs", folders=("dags",), minutes=1),
    Layer(name="integration", folders=("integration",), minutes=4),
    Layer(name="faults", folders=("faults",), minutes=5),
    Layer(name="outside tools", folders=("outside",), minutes=3),
    Layer(name="end to end and browser", folders=("e2e",), minutes=3),
)
NOISE = 3
MOST_PROCESSES = 4
FIRST = "faults/test_simulator.py"  # of its layer: it takes minutes in one process, and would be alone in the end
TOGETHER = ("dags", "e2e")  # folders that stay in one process: they set up an Airflow, for many seconds
ORDER = {folder: place for place, folder in enumerate(folder for layer in LAYERS for folder in layer.folders)}
ROOT = Path(__file__).resolve().parent


@dataclass(slots=True, eq=False)  # a plugin is looked up by its identity
class Spent:
    """What has run so far, in how many processes side by side."""

    workers: int = 1
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    tests: Counter[str] = field(default_factory=Counter)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a test's set-up, call or tear-down."""
        folder = folder_of(ROOT.parent / report.nodeid.split("::")[0])
        if folder:
            self.seconds[folder] += report.duration / self.workers
            self.tests[folder] += report.when == "call"


SPENT = pytest.StashKey[Spent]()


def folder_of(path: Path) -> str | None:
    """The layer folder a test file lies in; None when it lies outside tests/ or in no layer."""
    try:
        first = path.resolve().relative_to(ROOT).parts[0]
    except (ValueError, IndexError):
        return None
    return first if first in ORDER else None


def over_budget(spent: Spent, *, times: int = 1) -> Iterable[str]:
    """A sentence for each layer that took longer than `times` its budget."""
    for layer in LAYERS:
        seconds = sum(spent.seconds[folder] for folder in layer.folders)
        if seconds > layer.minutes * 60 * times:
            yield f"{layer.name} took {seconds:.0f} s; its budget is {layer.minutes * 60:.0f} s"


def pytest_configure(config: pytest.Config) -> None:
    spent = Spent(workers=max(1, len(config.getoption("tx", None) or [])))  # tx: xdist's list of them
    config.stash[SPENT] = spent
    config.pluginmanager.register(spent)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One process more than there are processors, as a third of their time is waiting for servers; each has servers of its own."""
    return min((os.cpu_count() or 1) + 1, MOST_PROCESSES)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling:
    """A file's tests share a process, as they share fixtures; in TOGETHER a folder's do."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.split("::")[0]
            folder = folder_of(ROOT.parent / file)
            return folder if folder in TOGETHER else file

    return Scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # a test that would count for no budget would also run in no `make test-…`
    lost = sorted({item.nodeid.split("::")[0] for item in items if folder_of(item.path) is None})
    if lost:
        raise pytest.UsageError(f"These tests lie in no layer folder ({', '.join(ORDER)}): {', '.join(lost)}")
    items.sort(key=lambda item: (ORDER[folder_of(item.path) or ""], item.path != ROOT / FIRST))


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if exitstatus == pytest.ExitCode.OK and any(over_budget(session.config.stash[SPENT], times=NOISE)):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    spent = config.stash[SPENT]
    terminalreporter.section("layers")
    for layer in LAYERS:
        ran = [folder for folder in layer.folders if spent.seconds[folder]]
        if ran:
            detail = ", ".join(f"{folder} {spent.tests[folder]} in {spent.seconds[folder]:.1f} s" for folder in ran)
            seconds = sum(spent.seconds[folder] for folder in ran)
            terminalreporter.write_line(f"{layer.name:<26} {seconds:6.1f} s of {layer.minutes * 60:3.0f} s   {detail}")
    for sentence in over_budget(spent):
        terminalreporter.write_line(f"OVER BUDGET: {sentence}", red=True, bold=True)
