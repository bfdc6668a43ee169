"""Loading: parents first, loops closed afterwards, nothing written twice, what the org refuses is told."""

import pytest

from sandbox.company.generator import company
from sandbox.company.hostile import KEY, KINDS, PREFIX, hostile
from sandbox.company.load import load
from sandbox.company.rows import Row, rows
from tests.unit.company.fake_org import FakeOrg


def row(number: str, parent: str | None = None, **contact: str) -> Row:
    fields = {"Name": f"Name of {number}"}
    return Row(number=number, fields=dict(fields), parent=parent, contacts=(dict(contact),) if contact else ())


def test_the_whole_company_is_there_after_loading() -> None:
    org, accounts = FakeOrg(), company()
    done = load(org, list(rows(accounts)))
    assert done.refused == {}
    assert (done.accounts, done.contacts) == (len(accounts), sum(len(account.contacts) for account in accounts))
    held = org.accounts()
    for account in accounts:
        assert held[account.number]["Name"] == account.name
        assert held[account.number].get("ParentId") == (held[account.parent]["Id"] if account.parent else None)


def test_loading_twice_writes_nothing() -> None:
    org = FakeOrg()
    everything = list(rows(company()))
    load(org, everything)
    before = len(org.writes)
    again = load(org, everything)
    assert len(org.writes) == before
    assert (again.accounts, again.contacts, again.there_before) == (0, 0, len(everything))


@pytest.mark.parametrize("after", [0, 1, 250, 320, 700])
def test_an_interrupted_load_is_finished_by_the_next(after: int) -> None:
    org, everything = FakeOrg(), list(rows(company()))
    org.breaks_after = after
    with pytest.raises(ConnectionError):
        load(org, everything)
    org.breaks_after = None
    load(org, everything)
    whole = FakeOrg()
    load(whole, everything)
    assert {name: one["Name"] for name, one in org.accounts().items()} == {
        name: one["Name"] for name, one in whole.accounts().items()
    }
    assert len(org.records) == len(whole.records)
    parents = {name: bool(one.get("ParentId")) for name, one in whole.accounts().items()}
    assert {name: bool(one.get("ParentId")) for name, one in org.accounts().items()} == parents


def test_parents_come_first_in_any_order_given() -> None:
    org = FakeOrg()
    load(org, [row("MI-3", "MI-2"), row("MI-2", "MI-1"), row("MI-1")])
    assert [written["AccountNumber"] for _, written in org.writes] == ["MI-1", "MI-2", "MI-3"]
    assert [verb for verb, _ in org.writes] == ["create"] * 3


def test_a_loop_is_closed_after_all_are_created() -> None:
    org = FakeOrg()
    load(org, [row("MI-1", "MI-2"), row("MI-2", "MI-1"), row("MI-3", "MI-3")])
    held = org.accounts()
    assert held["MI-1"]["ParentId"] == held["MI-2"]["Id"]
    assert held["MI-2"]["ParentId"] == held["MI-1"]["Id"]
    assert held["MI-3"]["ParentId"] == held["MI-3"]["Id"]


@pytest.mark.parametrize("after", [1, 2, 3])
def test_a_loop_is_closed_by_the_next_load_when_the_first_was_interrupted(after: int) -> None:
    org, loop = FakeOrg(), [row("MI-1", "MI-2"), row("MI-2", "MI-1")]
    org.breaks_after = after
    with pytest.raises(ConnectionError):
        load(org, loop)
    org.breaks_after = None
    load(org, loop)
    held = org.accounts()
    assert held["MI-1"]["ParentId"] == held["MI-2"]["Id"]
    assert held["MI-2"]["ParentId"] == held["MI-1"]["Id"]


def test_what_the_org_refuses_is_told_and_the_rest_goes_on() -> None:
    org = FakeOrg()
    org.refuses = {"Name of MI-1": "STRING_TOO_LONG", "Bad": "INVALID_EMAIL_ADDRESS"}
    done = load(org, [row("MI-1"), row("MI-2", "MI-1"), row("MI-3", LastName="Bad"), row("MI-4", LastName="Good")])
    assert done.refused == {"MI-1": "STRING_TOO_LONG: no", "MI-3 contact": "INVALID_EMAIL_ADDRESS: no"}
    assert set(org.accounts()) == {"MI-2", "MI-3", "MI-4"}
    assert "ParentId" not in org.accounts()["MI-2"]
    assert done.contacts == 1


def test_what_people_changed_since_is_left_alone() -> None:
    org = FakeOrg()
    load(org, [row("MI-1")])
    org.accounts()["MI-1"]["Name"] = "Renamed by a person"
    load(org, [row("MI-1")])
    assert org.accounts()["MI-1"]["Name"] == "Renamed by a person"


def test_the_hostile_accounts_are_a_thousand_of_every_kind() -> None:
    everything = hostile()
    assert len(everything) == 1000
    assert {kind.name for kind, _ in everything} == {kind.name for kind in KINDS}
    assert [row for _, row in everything] == [row for _, row in hostile()]
    assert len({row.number for _, row in everything}) == 1000


def test_the_hostile_accounts_load_by_their_own_key() -> None:
    org = FakeOrg()
    done = load(org, [row for _, row in hostile()], key=KEY, prefix=PREFIX)
    assert done.accounts == 1000
    numbers = [account["AccountNumber"] for account in org.accounts(KEY).values()]
    assert len(set(numbers)) < len(numbers), "account numbers repeat: that is one of the kinds"
