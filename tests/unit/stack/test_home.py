"""The home's files are whole or absent, its secrets private, its locks freed by death."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from sandbox.stack.errors import HomeBusy
from sandbox.stack.home import CHECKOUT, default_home, locked, read_json, secret, write_whole


def test_a_secret_is_made_once_and_only_its_owner_reads_it(home: Path) -> None:
    first = secret(home, "postgres")
    assert len(first) >= 32
    assert secret(home, "postgres") == first
    assert secret(home, "other") != first
    assert (home / "secrets.json").stat().st_mode & 0o777 == 0o600


def test_a_secret_agreed_on_beforehand_comes_from_the_environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCORD_SECRET_TRYTON_ACCORD", "agreed")
    assert secret(home, "tryton_accord") == "agreed"
    assert not (home / "secrets.json").exists()


def test_a_file_replaces_the_old_one_and_leaves_no_half(home: Path) -> None:
    path = home / "x.json"
    write_whole(path, "old")
    write_whole(path, '{"a": 1}', mode=0o600)
    assert read_json(path) == {"a": 1}
    assert path.stat().st_mode & 0o777 == 0o600
    assert [found.name for found in home.iterdir()] == ["x.json"]


def test_a_held_lock_names_its_holder(home: Path) -> None:
    holder = textwrap.dedent(
        f"""
        import pathlib, sys
        sys.path.insert(0, {str(CHECKOUT / "include")!r})
        from sandbox.stack.home import locked
        with locked(pathlib.Path({str(home)!r}), "up"):
            print("held", flush=True)
            sys.stdin.read()
        """
    )
    heard: list[str] = []
    with subprocess.Popen([sys.executable, "-c", holder], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(HomeBusy, match=str(process.pid)), locked(home, "up", timeout=0.2, waiting=heard.append):
            pass
        process.kill()
    assert heard == [f"waiting for process {process.pid}, which is changing {home}"]
    with locked(home, "up", timeout=5):  # its death freed it
        pass


def test_the_home_is_moved_by_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ACCORD_HOME", str(tmp_path / "elsewhere"))
    assert default_home() == tmp_path / "elsewhere"
    monkeypatch.delenv("ACCORD_HOME")
    assert default_home() == (CHECKOUT / ".local").resolve()
