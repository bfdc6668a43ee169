"""Ports: the environment first, then what the home remembers, then the defaults."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from sandbox.stack.errors import StackError
from sandbox.stack.ports import DEFAULTS, Ports, is_free


@pytest.fixture(autouse=True)
def _no_overrides(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ACCORD_PORTS", *(f"ACCORD_PORT_{port.upper()}" for port in DEFAULTS)):
        monkeypatch.delenv(name, raising=False)


def test_defaults_are_distinct_and_unprivileged() -> None:
    assert len(set(DEFAULTS.values())) == len(DEFAULTS)
    assert all(1024 < port < 32768 for port in DEFAULTS.values())  # below the range the kernel hands out


def test_the_environment_wins(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Ports(home).get("tryton") == DEFAULTS["tryton"]
    monkeypatch.setenv("ACCORD_PORT_TRYTON", "18765")
    assert Ports(home).get("tryton") == 18765
    assert Ports(home, free=True).get("tryton") == 18765


@pytest.mark.parametrize("wrong", ["http", "0", "65536", "-1"])
def test_a_wrong_override_is_refused_by_name(home: Path, monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setenv("ACCORD_PORT_TRYTON", wrong)
    with pytest.raises(StackError, match="ACCORD_PORT_TRYTON"):
        Ports(home).get("tryton")


def test_an_unknown_name_lists_the_known_ones(home: Path) -> None:
    with pytest.raises(StackError, match="salesforce_https"):
        Ports(home).get("telnet")


def test_a_free_port_is_remembered_by_the_home(home: Path) -> None:
    port = Ports(home, free=True).get("tryton")
    assert port != DEFAULTS["tryton"]
    assert Ports(home).get("tryton") == port
    assert Ports(home).get("postgres") not in (port, DEFAULTS["postgres"])


def test_a_remembered_port_that_was_taken_meanwhile_is_replaced_unless_we_hold_it(home: Path) -> None:
    port = Ports(home, free=True).get("tryton")
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        assert not is_free(port)
        assert Ports(home).get("tryton", held=True) == port
        assert Ports(home).get("tryton") != port
