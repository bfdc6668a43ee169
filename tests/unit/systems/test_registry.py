"""Which adapters there are, and that none is loaded before it is used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from accord.flows import ERPS, SALESFORCE
from accord.settings import Connection
from accord.systems import ADAPTERS, open_system


def test_every_system_of_the_flows_has_an_adapter() -> None:
    assert set(ADAPTERS) == {SALESFORCE, *ERPS}


@pytest.mark.parametrize("name", ERPS)
def test_opening_connects_to_nothing(name: str) -> None:
    adapter = open_system(name, Connection(id="nowhere", host="127.0.0.1", port=1))
    assert adapter.name == name
    adapter.close()


def test_an_unknown_system_names_the_known_ones() -> None:
    with pytest.raises(KeyError, match="legacy"):
        open_system("sap", Connection(id="sap"))


def test_the_registry_loads_no_adapter() -> None:
    heavy = "import sys, accord.systems; print([m for m in sys.modules if m in ('psycopg', 'requests', 'pyarrow')])"
    include = Path(__file__).resolve().parents[3] / "include"
    done = subprocess.run([sys.executable, "-c", heavy], cwd=include, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
