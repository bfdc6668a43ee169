"""Which PostgreSQL programs are used, as whom they run, how environments are made: with programs made on the spot."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.stack import binaries, environments, unprivileged
from sandbox.stack.errors import ToolMissing
from sandbox.stack.unprivileged import Disguise


def make_programs(folder: Path, version: str) -> Path:
    """A folder with programs that say they are PostgreSQL of this version."""
    folder.mkdir(parents=True)
    for name in ("initdb", "postgres", "pg_dump", "pg_restore"):
        (folder / name).write_text(f'#!/bin/sh\necho "{name} (PostgreSQL) {version}"\n')
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture
def no_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine with no programs on its path and no choice made."""
    monkeypatch.delenv("ACCORD_POSTGRES_BIN", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))


@pytest.mark.usefixtures("no_path")
def test_the_newest_complete_version_comes_first(tmp_path: Path) -> None:
    make_programs(tmp_path / "9" / "bin", "9.6.24")
    make_programs(tmp_path / "15" / "bin", "15.18 (Debian 15.18-0+deb12u1)")
    newest = make_programs(tmp_path / "17" / "bin", "17rc1")
    (make_programs(tmp_path / "18" / "bin", "18.1") / "pg_dump").unlink()  # the server without its clients
    assert [found.major for found in binaries.installed(tmp_path)] == [17, 15, 9]
    assert binaries.installed(tmp_path)[0]["postgres"] == newest / "postgres"


def test_a_chosen_folder_is_the_only_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_programs(tmp_path / "17" / "bin", "17.1")
    chosen = make_programs(tmp_path / "mine", "14.2")
    monkeypatch.setenv("ACCORD_POSTGRES_BIN", str(chosen))
    assert [found.folder for found in binaries.installed(tmp_path)] == [chosen]
    (chosen / "initdb").unlink()
    with pytest.raises(ToolMissing, match="ACCORD_POSTGRES_BIN"):
        binaries.installed(tmp_path)


def test_existing_data_is_opened_by_its_own_version_only(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACCORD_POSTGRES_BIN", str(make_programs(tmp_path / "mine", "17.2")))
    requirements = tmp_path / "postgres-requirements.txt"
    requirements.write_text("")  # a machine without the wheel's versions either
    monkeypatch.setattr(binaries, "REQUIREMENTS", requirements)
    assert binaries.find(home, data_major=17).major == 17
    with pytest.raises(ToolMissing, match=r"made by PostgreSQL 12, this machine has 17.*start afresh"):
        binaries.find(home, data_major=12)


def test_an_ordinary_user_needs_no_disguise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert unprivileged.disguises() == [Disguise()]


@pytest.mark.usefixtures("no_path")
def test_root_without_a_way_out_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(ToolMissing, match="ordinary user"):
        unprivileged.disguises()


def test_every_disguise_is_somebody_else_than_root() -> None:
    for disguise in unprivileged.disguises():
        user = subprocess.run([*disguise.prefix, "id", "-u"], capture_output=True, text=True, check=True).stdout.strip()
        assert user != "0"


def test_an_interrupted_environment_is_made_again(home: Path, tmp_path: Path) -> None:
    lock = tmp_path / "empty.lock"
    lock.write_text("# nothing\n")
    heard: list[str] = []
    python = environments.ensure_environment(home, "some-venv", lock, tell=heard.append)
    subprocess.run([python, "-c", "import sys; sys.exit(sys.prefix == sys.base_prefix)"], check=True)
    environments.ensure_environment(home, "some-venv", lock, tell=heard.append)
    assert len(heard) == 1
    (python.parents[1] / "complete").unlink()
    leftover = python.parents[1] / "leftover"
    leftover.touch()
    environments.ensure_environment(home, "some-venv", lock, tell=heard.append)
    assert len(heard) == 2
    assert not leftover.exists()


def test_a_lock_that_cannot_be_installed_names_its_log(home: Path, tmp_path: Path) -> None:
    lock = tmp_path / "wrong.lock"
    lock.write_text("-r no-such-file.txt\n")
    with pytest.raises(ToolMissing, match=r"Installing some-venv failed \(see .*install-some-venv\.log\)"):
        environments.ensure_environment(home, "some-venv", lock)
    assert not (home / "some-venv" / "complete").exists()


def test_a_changed_lock_makes_the_environment_anew(home: Path, tmp_path: Path) -> None:
    lock = tmp_path / "a.lock"
    lock.write_text("# one\n")
    heard: list[str] = []
    environments.ensure_environment(home, "v", lock, tell=heard.append)
    lock.write_text("# two\n")
    assert environments.ensure_environment(home, "v", lock, tell=heard.append).exists()
    assert len(heard) == 2
    assert sys.prefix not in str(home / "v")
