"""The budget of the suite is kept, and no test can hide from it."""

from pathlib import Path

import pytest

from tests import layers


def test_the_budgets_are_at_most_twenty_minutes() -> None:
    assert sum(layer.minutes for layer in layers.LAYERS) <= 20


def test_every_folder_with_tests_is_a_layer() -> None:
    root = Path(layers.__file__).parent
    with_tests = {path.relative_to(root).parts[0] for path in root.rglob("test_*.py")}
    assert with_tests <= set(layers.ORDER)


def test_a_layer_over_its_budget_is_named() -> None:
    spent = layers.Spent()
    spent.seconds["unit"] = 100.0
    spent.seconds["contract"] = 139.0
    assert not list(layers.over_budget(spent))
    spent.seconds["contract"] = 141.0
    (sentence,) = layers.over_budget(spent)
    assert "static, unit and contract took 241 s" in sentence


@pytest.mark.parametrize(
    ("path", "folder"), [("unit/a/test_b.py", "unit"), ("e2e/test_c.py", "e2e"), ("else/test_d.py", None)]
)
def test_a_test_belongs_to_the_folder_it_lies_in(path: str, folder: str | None) -> None:
    assert layers.folder_of(Path(layers.__file__).parent / path) == folder


def test_a_file_elsewhere_belongs_to_none(tmp_path: Path) -> None:
    assert layers.folder_of(tmp_path / "test_x.py") is None
