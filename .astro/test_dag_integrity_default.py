"""Every DAG file imports: what `astro dev parse` and `astro deploy` run in the image, before anything is deployed.

The project's own tests (tests/dags) ask more; this one needs nothing but the image.
"""

from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
EXCEPTIONS = Path(__file__).with_name("dag_integrity_exceptions.txt")


def excused() -> set[str]:
    """The DAG files listed in the exceptions file."""
    lines = EXCEPTIONS.read_text(encoding="utf-8").splitlines() if EXCEPTIONS.exists() else []
    return {line.strip() for line in lines if line.strip() and not line.startswith("#")}


def dag_files() -> list[str]:
    """Every Python file below dags/, as a path inside the project."""
    return sorted(path.relative_to(PROJECT).as_posix() for path in (PROJECT / "dags").rglob("*.py"))


def test_there_are_dags() -> None:
    assert dag_files(), "dags/ holds no DAG file"


@pytest.mark.parametrize("name", dag_files())
def test_dag_file_imports(name: str) -> None:
    if name in excused():
        pytest.skip(f"listed in {EXCEPTIONS.name}")
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(dag_folder=str(PROJECT / name), include_examples=False)
    assert not bag.import_errors, bag.import_errors
    assert bag.dags, f"{name} declares no DAG"
