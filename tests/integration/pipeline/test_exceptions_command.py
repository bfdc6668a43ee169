"""`accord exceptions`, from its arguments to what it prints."""

from __future__ import annotations

import json
from typing import Any

import pytest

from accord.categories import Category
from accord.cli import _parser
from accord.errors import Stop
from accord.objects import CUSTOMER
from tests.world import MINUTE, World

pytestmark = pytest.mark.usefixtures("open_gates")


@pytest.fixture
def held(world: World) -> int:
    """A customer Tryton refused; the number of its exception."""
    world.tryton.rejects = {world.customer("1", phone="+31 20 1"): Category.REFUSED}
    world.run()
    world.tick(MINUTE)
    return int(world.exceptions()[0]["id"])


def do(world: World, *words: str) -> int:
    asked = _parser().parse_args(["exceptions", *words])
    return int(asked.command(world.accord(), asked))


def test_from_the_list_to_the_replay(world: World, held: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert do(world, "list", "--queue", "master data", "--of-nobody", "--older-than", "0m") == 0
    listed = capsys.readouterr().out
    assert listed.split()[0] == str(held)
    assert "customer salesforce:1 → tryton: refused by the system (master data; 0 h 0 min, 1 attempt(s))" in listed
    assert do(world, "assign", "--queue", "master data", "--to", "bob", "--dry-run") == 0
    assert "Nothing was changed." in capsys.readouterr().out
    assert do(world, "assign", "--queue", "master data", "--to", "bob") == 0
    assert "1 assigned to bob." in capsys.readouterr().out
    assert do(world, "edit", str(held), "--set", "phone=+31 20 2", "--empty", "website", "--why", "agreed") == 0
    assert "phone, website edited, until the source changes" in capsys.readouterr().out
    assert do(world, "show", str(held)) == 0
    shown = capsys.readouterr().out
    for said in ("master data, bob", "to do: Read the system's answer", "edited: phone, website", "* phone: None → (personal)",
                 "record edited: agreed", "exception assigned"):  # fmt: skip
        assert said in shown
    assert "+31" not in shown
    assert do(world, "replay", str(held), "--dry-run") == 0
    assert "would be sent to tryton: 1, legacy: 0" in capsys.readouterr().out
    world.tryton.rejects = {}
    assert do(world, "replay", str(held), "--why", "mended") == 0
    assert "1 settled, 0 wait on" in capsys.readouterr().out
    assert [record["phone"] for record in world.tryton.held(CUSTOMER, "salesforce:1")] == ["+31 20 2"]
    assert do(world, "list") == 0
    assert "Nothing of that kind waits." in capsys.readouterr().out


def test_json_for_programs_page_by_page(world: World, held: int, capsys: pytest.CaptureFixture[str]) -> None:
    world.tryton.rejects |= {world.customer("2"): Category.REFUSED}
    world.run()

    def listed(*words: str) -> dict[str, Any]:
        assert do(world, "list", "--json", "--size", "1", *words) == 0
        return dict(json.loads(capsys.readouterr().out))

    first = listed()
    second = listed("--after", first["after"])
    assert [row["key"] for page in (first, second) for row in page["exceptions"]] == ["salesforce:1", "salesforce:2"]
    assert second["after"] is None
    assert do(world, "discard", "--json", "--key", "salesforce:2", "--why", "a test") == 0
    assert json.loads(capsys.readouterr().out)["changed"] == 1
    assert [row["resolution"] for row in listed("--closed")["exceptions"]] == ["discarded: a test"]


def test_a_replay_whose_flow_fails_is_no_success(world: World, held: int, capsys: pytest.CaptureFixture[str]) -> None:
    world.source.down = True
    assert do(world, "replay", str(held)) == 1
    assert "failed: salesforce can't be reached" in capsys.readouterr().out


def test_a_suspected_duplicate(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.customer("1", name="Acme B.V.")
    world.customer("2", name="ACME bv")
    world.run()
    world.tick(MINUTE)
    (suspect,) = world.exceptions()
    assert do(world, "two", str(suspect["id"]), "--why", "two branches") == 0
    assert "1 settled" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("replay",), "every exception"),
        (("discard", "--queue", "finance", "--why", " "), "why"),
        (("edit", "1", "--why", "x"), "Nothing is to be edited"),
        (("list", "--above", "much", "EUR"), "no amount"),
        (("show", "999"), "no exception 999"),
    ],
)
def test_what_it_refuses(world: World, held: int, words: tuple[str, ...], why: str) -> None:
    with pytest.raises(Stop, match=why):
        do(world, *words)


@pytest.mark.parametrize(
    "words",
    [("assign", "1"), ("assign", "1", "--to", "a", "--to-nobody"), ("discard", "1"), ("edit", "1", "--set", "phone", "--why", "x"),
     ("list", "--older-than", "soon"), ("list", "--category", "nothing"), ("same", "1")],
)  # fmt: skip
def test_wrong_arguments(words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit):
        _parser().parse_args(["exceptions", *words])
