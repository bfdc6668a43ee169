"""Batches, halving, levels and doubt, against a party table in memory."""

from __future__ import annotations

from typing import Any

import pytest

from accord.errors import InDoubt, SchemaDrift, Unavailable
from accord.objects import CUSTOMER
from accord.settings import Connection
from accord.systems.tryton.adapter import Tryton
from accord.systems.tryton.client import Conflict, Crowded, Refused, TrytonClient
from tests.fakes import FakeSending
from tests.tables import by_key, changes

COMPANIES = ("NL01", "GB01")


class FakeClient(TrytonClient):
    """Keeps parties as rows; refuses names in `bad`; meets `troubles` (exceptions, one per change) first."""

    def __init__(self) -> None:
        super().__init__(Connection(id="fake"))
        self.parties: dict[int, dict[str, Any]] = {}
        self.bad: set[str] = set()
        self.troubles: list[Exception | None] = []
        self.creates: list[int] = []
        self.hidden: set[str] = set()  # codes a search does not see yet: somebody is just creating them

    def call(self, method: str, *parameters: Any, context: dict[str, Any] | None = None) -> Any:
        model, _, name = method.removeprefix("model.").rpartition(".")
        if (model, name) == ("party.relation.type", "search"):
            return [2]
        if (model, name) == ("company.company", "search_read"):
            currency = {"currency.": {"code": "EUR"}}
            return [{"id": n, "party": n, "party.": {"code": code}} | currency for n, code in enumerate(COMPANIES)]
        if (model, name) == ("party.relation.all", "search_read"):
            return []
        if (model, name) == ("party.party", "search_read"):
            return self._search(parameters[0][0])
        assert model == "party.party"
        trouble = self.troubles.pop(0) if self.troubles else None
        if trouble:
            raise trouble
        return self._create(parameters[0]) if name == "create" else self._write(parameters)

    def _create(self, values: list[dict[str, Any]]) -> list[int]:
        self.creates.append(len(values))
        if self.bad & {v["name"] for v in values}:
            raise Refused("UserError", 'The European VAT Number "X" for party "Y" is not valid.')
        if {v["code"] for v in values} & {p["code"] for p in self.parties.values()}:
            self.hidden.clear()
            raise Refused("UserError", "The code on party must be unique.")
        made = []
        for one in values:
            made.append(len(self.parties) + 1)
            self.parties[made[-1]] = {"id": made[-1], "code": one["code"], "name": one["name"], "active": True}
        return made

    def _write(self, pairs: tuple[Any, ...]) -> None:
        for ids, values in zip(pairs[::2], pairs[1::2], strict=True):
            for identity in ids:
                self.parties[identity] |= {k: v for k, v in values.items() if k == "active"}

    def _search(self, condition: list[Any]) -> list[dict[str, Any]]:
        field, _, wanted = condition
        blank: dict[str, Any] = dict.fromkeys(("addresses.", "contact_mechanisms.", "identifiers.", "relations."), ())
        found = [p for p in self.parties.values() if p[field] in wanted and p["code"] not in self.hidden]
        return [p | blank for p in found]


@pytest.fixture
def client() -> FakeClient:
    return FakeClient()


def send(
    client: FakeClient, rows: list[dict[str, Any]], sending: FakeSending | None = None
) -> dict[str, dict[str, Any]]:
    target = Tryton("tryton", client)
    return by_key(target.send(CUSTOMER, changes(CUSTOMER, rows), sending or FakeSending()))


def customers(count: int, **values: Any) -> list[dict[str, Any]]:
    return [{"key": f"salesforce:{n:03}", "name": f"Name {n}", **values} for n in range(count)]


def test_a_thousand_go_in_ten_calls(client: FakeClient) -> None:
    outcomes = send(client, customers(1000))
    assert {o["outcome"] for o in outcomes.values()} == {"applied"}
    assert client.creates == [100] * 10


def test_one_bad_record_of_a_batch_is_found_by_halving(client: FakeClient) -> None:
    client.bad = {"Name 37"}
    outcomes = send(client, customers(100))
    bad = outcomes.pop("salesforce:037")
    assert (bad["outcome"], bad["category"], bad["answer"]) == (
        "reject",
        "invalid value",
        "UserError: invalid identifier",
    )
    assert {o["outcome"] for o in outcomes.values()} == {"applied"}
    assert len(client.parties) == 99
    assert len(client.creates) <= 2 * 7 + 1


def test_all_bad_are_all_found(client: FakeClient) -> None:
    client.bad = {f"Name {n}" for n in range(20)}
    assert {o["outcome"] for o in send(client, customers(20)).values()} == {"reject"}
    assert client.parties == {}


def test_somebody_else_was_first(client: FakeClient) -> None:
    send(client, customers(1))
    client.hidden = {"000"}
    outcomes = send(client, customers(3))
    assert {o["outcome"] for o in outcomes.values()} == {"applied"}
    assert outcomes["salesforce:000"]["native"] == "1"
    assert len(client.parties) == 3


def test_no_answer_leaves_its_batch_in_doubt_and_the_others_go_on(client: FakeClient) -> None:
    client.troubles = [InDoubt("silence")]
    outcomes = send(client, customers(150))
    assert [o["outcome"] for o in outcomes.values()] == ["unknown"] * 100 + ["applied"] * 50


def test_children_of_a_parent_in_doubt_wait(client: FakeClient) -> None:
    client.troubles = [InDoubt("silence")]
    parent, child = customers(2)
    child |= {"parent": parent["key"], "depth": 1}
    outcomes = send(client, [parent, child])
    assert outcomes[child["key"]]["outcome"] == "hold"
    assert outcomes[child["key"]]["awaits"] == parent["key"]


def test_a_conflict_may_pass_later(client: FakeClient) -> None:
    client.troubles = [Conflict("ConcurrencyException", "modified")]
    assert {(o["outcome"], o["category"]) for o in send(client, customers(2)).values()} == {("retry", "record locked")}


def test_other_work_that_holds_the_tables_is_no_trouble_of_a_record(client: FakeClient) -> None:
    client.troubles = [Crowded("DatabaseOperationalError", "locked")]
    assert {(o["outcome"], o["category"]) for o in send(client, customers(2)).values()} == {("retry", "tables locked")}


def test_away_before_anything_was_sent(client: FakeClient) -> None:
    client.troubles = [Unavailable("gone")]
    with pytest.raises(Unavailable):
        send(client, customers(2))


def test_away_in_the_middle_the_rest_is_retried(client: FakeClient) -> None:
    client.troubles = [None, Unavailable("gone")]
    outcomes = send(client, customers(150))
    assert [o["outcome"] for o in outcomes.values()] == ["applied"] * 100 + ["retry"] * 50


def test_the_deadline_passes_in_the_middle(client: FakeClient) -> None:
    class Late(FakeSending):
        def before_request(self) -> None:
            self.expired = self.requests == 1
            super().before_request()

    outcomes = send(client, customers(150), Late())
    assert [o["outcome"] for o in outcomes.values()] == ["applied"] * 100 + ["retry"] * 50
    assert len(client.parties) == 100


def test_a_missing_right_stops_everything(client: FakeClient) -> None:
    client.troubles = [Refused("UserError", 'You are not allowed to access "Party.Code".')]
    with pytest.raises(SchemaDrift, match="not allowed"):
        send(client, customers(2))


def test_a_party_that_is_no_longer_there_is_rejected(client: FakeClient) -> None:
    ((answer,),) = [list(send(client, customers(1, native="99")).values())]
    assert (answer["outcome"], answer["category"]) == ("reject", "unknown reference")
    assert client.parties == {}


def test_nothing_to_change_writes_nothing(client: FakeClient) -> None:
    send(client, customers(1))
    sending = FakeSending()
    assert send(client, customers(1), sending)["salesforce:000"]["outcome"] == "applied"
    assert sending.requests == 0
