"""The ring rule finds what it must find, and nothing else."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = ROOT / ".ci" / "rings.py"


@pytest.fixture(scope="module")
def rings() -> ModuleType:
    spec = importlib.util.spec_from_file_location("rings", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["rings"] = module
    spec.loader.exec_module(module)
    return module


def tree(root: Path, name: str, source: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source, encoding="utf-8")
    return root


@pytest.mark.parametrize(
    ("name", "source", "culprit"),
    [
        ("include/accord/hub/store.py", "import airflow", "airflow"),
        ("include/accord/a.py", "def late() -> None:\n    from airflow.sdk import DAG\n", "airflow.sdk.DAG"),
        ("include/accord/a.py", "if TYPE_CHECKING:\n    import accord_airflow.hooks\n", "accord_airflow.hooks"),
        ("include/accord/a.py", "from sandbox.company import generator", "sandbox.company.generator"),
        ("plugins/accord_airflow/a.py", "import sandbox.erp", "sandbox.erp"),
        ("plugins/accord_plugin.py", "from sandbox import erp", "sandbox.erp"),
        ("include/sandbox/erp/a.py", "import accord.flows", "accord.flows"),
        ("include/sandbox/stack/a.py", "from airflow.sdk import DAG", "airflow.sdk.DAG"),
        ("dags/a.py", "import pandas", "pandas"),
        ("dags/a.py", "from accord.hub import Hub", "accord.hub.Hub"),
        ("dags/a.py", "from airflow.models import Variable", "airflow.models.Variable"),
    ],
)
def test_an_import_the_wrong_way_is_named(
    rings: ModuleType, tmp_path: Path, name: str, source: str, culprit: str
) -> None:
    (found,) = rings.broken_rules(tree(tmp_path, name, source))
    assert found.startswith(f"{name}:")
    assert f"imports {culprit}:" in found


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("dags/a.py", "from datetime import timedelta\nfrom airflow.sdk import Param\nfrom accord.flows import flow"),
        ("dags/a.py", "from accord_airflow.flow_dag import flow_dag"),
        ("plugins/accord_airflow/a.py", "import airflow.sdk\nfrom accord.runtime import Accord"),
        ("include/accord/a.py", "import airflowish\nfrom accord import flows\nfrom . import b"),
        ("include/sandbox/demo/a.py", "from accord.runtime import Accord"),
        ("tests/a.py", "import airflow, sandbox"),
    ],
)
def test_an_import_the_right_way_is_left_alone(rings: ModuleType, tmp_path: Path, name: str, source: str) -> None:
    assert not list(rings.broken_rules(tree(tmp_path, name, source)))


def test_the_status_tells(tmp_path: Path) -> None:
    def status(root: Path) -> int:
        return subprocess.run([sys.executable, SCRIPT, root], check=False, capture_output=True).returncode

    assert status(tree(tmp_path / "good", "include/accord/a.py", "import json")) == 0
    assert status(tree(tmp_path / "bad", "include/accord/a.py", "import airflow")) == 1
