"""The keeper starts once, knows its processes again, and ends all of a service but nothing else."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from sandbox.stack.errors import PortTaken, ServiceFailed
from sandbox.stack.processes import MARK, Processes

ORPHANING = """
import pathlib, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"], start_new_session=True)
half = pathlib.Path(sys.argv[1] + ".half")
half.write_text(str(child.pid))
half.replace(sys.argv[1])
import signal; signal.pause()
"""


def test_a_running_service_is_not_started_again(keeper: Processes, program: list[str], tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    assert keeper.start("one", program, ready=ready.exists, timeout=20) is True
    first = keeper.status()[0].pid
    assert Processes(keeper.home).start("one", program, ready=ready.exists, timeout=20) is False
    assert keeper.status()[0].pid == first


def test_another_command_line_replaces_the_process(keeper: Processes, program: list[str], tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    keeper.start("one", program, ready=ready.exists, timeout=20)
    first = keeper.status()[0].pid
    assert keeper.start("one", [*program, "other"], ready=ready.exists, timeout=20) is True
    assert keeper.status()[0].pid != first
    assert not psutil.pid_exists(first) or psutil.Process(first).status() == psutil.STATUS_ZOMBIE


def test_two_starts_at_once_make_one_process(home: Path, keeper: Processes, program: list[str], tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    started: list[bool] = []
    threads = [
        threading.Thread(
            target=lambda: started.append(Processes(home).start("one", program, ready=ready.exists, timeout=20))
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(started) == [False, False, False, True]


def test_stop_ends_children_that_were_orphaned(keeper: Processes, tmp_path: Path) -> None:
    told = tmp_path / "child"
    keeper.start("one", [sys.executable, "-c", ORPHANING, told], ready=told.exists, timeout=20)
    leader, child = psutil.Process(keeper.status()[0].pid), psutil.Process(int(told.read_text()))
    leader.kill()
    psutil.wait_procs([leader], timeout=10)
    assert child.is_running()
    assert keeper.stop("one") is True
    psutil.wait_procs([child], timeout=10)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_a_process_whose_record_was_never_written_is_found_again(
    keeper: Processes, program: list[str], tmp_path: Path
) -> None:
    keeper.start("one", program, ready=(tmp_path / "ready").exists, timeout=20)
    lost = psutil.Process(keeper.status()[0].pid)
    (keeper.home / "run" / "one.json").unlink()
    assert keeper.stop("one") is True
    psutil.wait_procs([lost], timeout=10)
    assert not lost.is_running()


def test_a_recycled_process_id_is_left_alone(keeper: Processes, program: list[str], tmp_path: Path) -> None:
    keeper.start("one", program, ready=(tmp_path / "ready").exists, timeout=20)
    path = keeper.home / "run" / "one.json"
    record = json.loads(path.read_text())
    keeper.stop("one")
    stranger = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"], start_new_session=True)
    try:
        path.write_text(json.dumps(record | {"pid": stranger.pid}))
        assert keeper.is_running("one") is False
        assert keeper.stop("one") is False
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_deaf_process_is_killed_after_its_grace(keeper: Processes, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    deaf = (
        "import pathlib, signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "pathlib.Path(sys.argv[1]).touch()\nwhile True: signal.pause()"
    )
    keeper.start("one", [sys.executable, "-c", deaf, ready], ready=ready.exists, timeout=20)
    process = psutil.Process(keeper.status()[0].pid)
    assert keeper.stop("one", grace=0.3) is True
    assert not process.is_running()


def test_a_service_that_ends_early_shows_the_end_of_its_log(keeper: Processes) -> None:
    with pytest.raises(ServiceFailed, match=r"(?s)one ended while starting.*no such table"):
        keeper.start(
            "one", [sys.executable, "-c", "raise SystemExit('no such table')"], ready=lambda: False, timeout=20
        )
    assert keeper.status() == []


def test_a_service_that_is_never_ready_is_ended(keeper: Processes, program: list[str]) -> None:
    with pytest.raises(ServiceFailed, match=r"one was not ready within 0 s"):
        keeper.start("one", program, ready=lambda: False, timeout=0.3)
    assert keeper.is_running("one") is False


def test_a_taken_port_names_its_holder_and_the_variable(keeper: Processes, program: list[str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=rf"Port {port} \(airflow\).*process {os.getpid()}.*ACCORD_PORT_AIRFLOW"):
            keeper.start("one", program, ready=lambda: True, timeout=20, ports={"airflow": port})


def test_services_end_in_reverse_order_of_their_start(keeper: Processes, program: list[str], tmp_path: Path) -> None:
    for name in ("b", "a"):
        keeper.start(name, program, ready=(tmp_path / "ready").exists, timeout=20)
    assert [one.name for one in keeper.status()] == ["b", "a"]
    assert keeper.stop_all() == ["a", "b"]


def test_only_this_homes_processes_are_ended(keeper: Processes, program: list[str], tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    other = Processes(tmp_path / "other home")
    try:
        keeper.start("one", program, ready=ready.exists, timeout=20)
        other.start("one", program, ready=ready.exists, timeout=20)
        keeper.stop_all()
        assert other.is_running("one")
    finally:
        other.stop_all()


def test_the_stop_signal_is_the_one_asked_for(keeper: Processes, tmp_path: Path) -> None:
    told = tmp_path / "told"
    listening = (
        "import pathlib, signal, sys\n"
        "signal.signal(signal.SIGINT, lambda *_: (pathlib.Path(sys.argv[1]).write_text('SIGINT'), sys.exit()))\n"
        "pathlib.Path(sys.argv[1]).touch()\nsignal.pause()"
    )
    keeper.start(
        "one", [sys.executable, "-c", listening, told], ready=told.exists, timeout=20, stop_signal=signal.SIGINT
    )
    keeper.stop("one")
    assert told.read_text() == "SIGINT"


def test_every_process_carries_the_mark_of_its_service(keeper: Processes, program: list[str], tmp_path: Path) -> None:
    keeper.start("one", program, ready=(tmp_path / "ready").exists, timeout=20, env={"COLOUR": "blue"})
    environment = psutil.Process(keeper.status()[0].pid).environ()
    assert environment[MARK] == f"{keeper.home}:one"
    assert environment["COLOUR"] == "blue"
