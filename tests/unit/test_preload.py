"""What is preloaded, and only in processes whose children carry out tasks."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from accord import preload


@pytest.mark.parametrize(
    ("words", "preloaded"),
    [
        (["airflow", "celery", "worker"], True),
        (["airflow", "celery", "worker", "--queues", "accord"], True),
        (["airflow", "scheduler"], False),
        (["airflow", "tasks", "test", "worker"], False),
        (["airflow"], False),
    ],
)
def test_where_tasks_are_forked(words: list[str], preloaded: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    did: list[str] = []
    monkeypatch.setattr("sys.argv", words)
    monkeypatch.setattr(preload, "preload", lambda: did.append("it"))
    preload.preload_in("worker")
    assert bool(did) is preloaded


def test_what_is_preloaded_exists() -> None:
    ours = [name for name in preload.MODULES if name.startswith("accord.")]
    others = {name.split(".")[0] for name in preload.MODULES} - {"accord"}  # to look further would import them
    assert [name for name in (*ours, *others) if find_spec(name) is None] == []
