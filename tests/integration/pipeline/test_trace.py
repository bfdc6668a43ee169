"""`accord trace`: the whole life of a record on one timeline, personal values masked unless somebody asks, which is remembered."""

from __future__ import annotations

import json
from typing import Any

import pytest

from accord.cli import _parser
from accord.errors import Stop
from accord.exceptions import edit
from accord.objects import CUSTOMER
from accord.trace import trace
from tests.world import TRYTON_ACCOUNTS, World

pytestmark = pytest.mark.usefixtures("open_gates")

PERSONAL = {
    "phone": "+31 20 MARKER1",
    "tax_registration": "NLMARKER2",
    "addresses": [{"role": "bill_to", "street": "Marker Street 3 MARKER3", "city": "Delft", "postal_code": "MARKER4"}],
    "contacts": [
        {"id": "salesforce:C1", "first_name": "MARKER5", "last_name": "MARKER6", "email": "MARKER7@example.org"}
    ],
}


def said(world: World, *arguments: str, capsys: pytest.CaptureFixture[str]) -> str:
    asked = _parser().parse_args(arguments)
    assert asked.command(world.accord(), asked) == 0
    return capsys.readouterr().out


@pytest.fixture
def key(world: World) -> str:
    """A customer that was created, changed, refused, deactivated; with an account in the books."""
    key = world.customer("1", website="one.example", **PERSONAL)
    world.run()
    world.change("1", website="two.example", phone="+31 20 MARKER8")
    world.run()
    native = world.tryton.native(CUSTOMER, key)
    assert native
    world.account("C-100", native)
    world.run(TRYTON_ACCOUNTS)
    return key


def test_a_life_across_the_systems(world: World, key: str) -> None:
    found = trace(world.accord(), key)
    assert found.keys == (key,)
    assert found.belonging == ("tryton:NL01/C-100",)
    told = [(e.object, e.text.partition(" as ")[0]) for e in found.events if e.what == "delivery"]
    assert ("customer", "customer__salesforce_to_erp → tryton: applied") in told
    assert ("customer_status", "customer__salesforce_to_erp → salesforce: applied") in told
    assert ("customer_account", "customer_account__tryton_to_salesforce → salesforce: applied") in told
    assert [event.at for event in found.events] == sorted(event.at for event in found.events)

    created, changed = [e for e in found.events if e.object == "customer"]
    assert (created.basis, changed.basis) == ("created", "applied")
    fields = {change.field: change for change in changed.fields}
    assert set(fields) == {"website", "phone"}, "nothing but what changed"
    website = fields["website"]
    assert (website.before, website.after) == ("one.example", "two.example")
    assert (website.read, website.rule) == ("Account.Website", "as it is")
    assert website.written
    assert "addresses.bill_to.city" in {change.field for change in created.fields}
    assert created.correlation != changed.correlation
    native = world.tryton.native(CUSTOMER, key)
    world.rows(
        "INSERT INTO identity (object, native, key) VALUES ('customer', 'salesforce:other', %s) RETURNING key", key
    )
    for name in ("salesforce:other", native, f"tryton:{native}", "1", "C-100"):
        other = trace(world.accord(), str(name))
        assert other.keys == (("tryton:NL01/C-100",) if name == "C-100" else (key,)), name
    with pytest.raises(Stop, match="Nothing is known of nobody"):
        trace(world.accord(), "nobody")


def test_no_personal_value_unless_asked_for_which_is_remembered(
    world: World, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments in (("trace", key), ("trace", key, "--json")):
        out = said(world, *arguments, capsys=capsys)
        assert "MARKER" not in out
        assert "two.example" in out
        assert "contacts.salesforce:C1.email" in out
    assert not world.rows("SELECT FROM audit")
    out = said(world, "trace", key, "--values", capsys=capsys)
    assert [n for n in range(1, 9) if f"MARKER{n}" not in out] == []
    revealed = world.rows("SELECT who, what, subject, detail::text AS detail FROM audit")
    assert {row["subject"] for row in revealed} == {key, "tryton:NL01/C-100"}
    assert {row["what"] for row in revealed} == {"values looked at"}


def test_what_was_refused_and_undone_is_part_of_it(world: World, key: str, capsys: pytest.CaptureFixture[str]) -> None:
    from accord.categories import Category

    world.tryton.rejects[key] = Category.REFUSED
    world.change("1", website="three.example")
    world.run()
    (held,) = world.exceptions()
    edit(world.accord(), held["id"], values={"website": None, "phone": "MARKER9"}, who="ann", why="as agreed")
    world.tryton.rejects.clear()
    world.change("1", website="four.example", phone="MARKER9")
    bad = world.run()["run"]
    planned = json.loads(said(world, "undo", str(bad), "--json", capsys=capsys))
    assert planned["counts"] == {"tryton": {"restore": 1}}
    assert "MARKER" not in said(world, "undo", str(bad), capsys=capsys)
    assert world.tryton.held(CUSTOMER, key)[0]["website"] == "four.example", "a dry run is the default"
    assert "1 applied" in said(world, "undo", str(bad), "--apply", capsys=capsys)
    events: list[dict[str, Any]] = json.loads(said(world, "trace", key, "--json", capsys=capsys))["events"]
    texts = [event["text"] for event in events]
    assert any("rejected in tryton" in text for text in texts)
    assert any(text.startswith("closed in tryton") for text in texts)
    assert ("ann", "record edited: phone, website (as agreed)") in {(event["who"], event["text"]) for event in events}
    (undone,) = [event for event in events if event["who"] == "undo"]
    assert undone["text"].endswith(f"undoing run {bad}")
    assert {"website": "two.example"}.items() <= {f["field"]: f["after"] for f in undone["fields"]}.items()
