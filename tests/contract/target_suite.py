"""What every target must do. An adapter inherits it:

    class TestMySystem(CustomerTargetSuite):
        @pytest.fixture
        def open_target(self) -> Callable[[], Target]:
            return lambda: open_my_system("my", connection)

and, where the suite can't know how, says how the system's own users change a value (`edit`), how many records carry a
key (`count`) and what it refuses (`spoilt`). What is the adapter's and no object's is in tests.contract.reach_suite.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow as pa
import pytest

from accord.errors import InDoubt, Recovery
from accord.objects import CUSTOMER
from accord.objects.definition import BusinessObject, Owner
from accord.ports import Safety, Target
from accord.records import content_hash
from tests.fakes import FakeSending
from tests.tables import Row, by_key, canonical, canonical_part, changes, wanted

AWKWARD = {
    "quotes": 'O\'Brien "&" <Söhne>; -- 100 %',
    "backslashes": r"C:\new\table \N {braces} %s $1",
    "newlines and tabs": "first line\nsecond\tline",
    "four bytes": "Café 𝔐 🏭 𠜎",
    "right to left": "شركة الاختبار (مساهمة)",
    "combining": "Zu\u0308rich e\u0301",
    "formula": '=HYPERLINK("http://example.com")',
    "leading zeros": "0001e5",
    "like a null": "NULL",
    "like bulk null": "#N/A",
    "separators": "a,b;c|d",
}


class TargetSuite:
    """Any object. A subclass supplies `definition`, `sample` and `changed` for objects other than customer."""

    definition: BusinessObject = CUSTOMER
    text_field: str = "website"  # a text field the target keeps and may be null
    keyed: bool = True  # its records carry their key; False: they are those of another object

    # ------------------------------------------------------------------------------------- what an adapter supplies
    @pytest.fixture
    def open_target(self) -> Callable[[], Target]:
        raise NotImplementedError("give a function that opens the adapter")

    def edit(self, target: Target, native: str, **values: Any) -> None:
        """A user of the target changes canonical fields of a record."""
        raise NotImplementedError

    def count(self, target: Target, key: str) -> int:
        """How many records of the target carry `key`, asked of the target itself."""
        raise NotImplementedError

    def sample(self, number: int, **values: Any) -> dict[str, Any]:
        """A complete, valid record; every number and every call gives another key."""
        raise NotImplementedError

    def changed(self, row: Row) -> dict[str, Any]:
        """`row` with other values in many fields the source owns."""
        raise NotImplementedError

    def spoilt(self, target: Target, row: Row) -> dict[str, Any]:
        """`row` so that the target refuses it and only it."""
        raise NotImplementedError

    # ------------------------------------------------------------------------------------------------------ helpers
    @pytest.fixture
    def target(self, open_target: Callable[[], Target]) -> Iterator[Target]:
        target = open_target()
        yield target
        target.close()

    def send(self, target: Target, *rows: Row) -> dict[str, dict[str, Any]]:
        table = changes(self.definition, rows)
        return by_key(target.send(self.definition, table, FakeSending()))

    def create(self, target: Target, *rows: Row) -> list[dict[str, Any]]:
        """The rows as they are sent the next time: with their natives. All must be applied."""
        outcomes = self.send(target, *rows)
        assert {o["outcome"] for o in outcomes.values()} == {"applied"}, outcomes
        return [{**row, "native": outcomes[row["key"]]["native"]} for row in rows]

    def existing(self, target: Target) -> dict[str, Any]:
        """An accepted sample. A suite whose creates are slow has many made at once."""
        (row,) = self.create(target, self.sample(1))
        return row

    def held(self, target: Target, *rows: Row) -> dict[str, dict[str, Any]]:
        pairs = [(row["key"], row.get("native")) for row in rows]
        return by_key(target.read_back(self.definition, wanted(pairs)))

    def hashes(self, target: Target, table: pa.Table, *, creating: bool) -> dict[str, bytes]:
        table = target.collapse(self.definition, canonical_part(self.definition, table))
        sender = Owner.SALESFORCE if target.side is Owner.ERP else Owner.ERP
        names = target.keeps(self.definition) & self.definition.sent_by(sender, creating=creating)
        digests = content_hash(self.definition, table, names).to_pylist()
        return dict(zip(table["key"].to_pylist(), digests, strict=True))

    def assert_held(self, target: Target, *rows: Row, creating: bool = False) -> None:
        """What the target holds for `rows` is what was sent."""
        pairs = [(row["key"], row.get("native")) for row in rows]
        found = target.read_back(self.definition, wanted(pairs))
        sent = canonical(self.definition, [{k: v for k, v in r.items() if k in self.columns} for r in rows])
        expected = self.hashes(target, sent, creating=creating)
        if self.hashes(target, found, creating=creating) != expected:  # show fields, not digests
            mine = by_key(target.collapse(self.definition, sent))
            for key, row in by_key(found).items():
                for name in target.keeps(self.definition):
                    assert (name, row[name]) == (name, mine[key][name])
        assert self.hashes(target, found, creating=creating) == expected

    @property
    def columns(self) -> list[str]:
        return list(canonical(self.definition, []).column_names)

    # -------------------------------------------------------------------------------------------------------- tests
    def test_gives_exactly_one_result_per_key(self, target: Target) -> None:
        rows = [self.sample(n) for n in range(4)]
        outcomes = target.send(self.definition, changes(self.definition, rows), FakeSending())
        assert sorted(outcomes["key"].to_pylist()) == sorted(r["key"] for r in rows)
        assert None not in outcomes["native"].to_pylist()

    def test_nothing_to_send_gives_no_results(self, target: Target) -> None:
        outcomes = target.send(self.definition, changes(self.definition, []), FakeSending())
        assert outcomes.num_rows == 0

    def test_holds_what_a_create_sent(self, target: Target) -> None:
        self.assert_held(target, *self.create(target, self.sample(1), self.sample(2)), creating=True)

    def test_holds_what_an_update_sent(self, target: Target) -> None:
        rows = [self.changed(row) for row in self.create(target, self.sample(1), self.sample(2))]
        outcomes = self.send(target, *rows)
        assert {o["outcome"] for o in outcomes.values()} == {"applied"}
        assert {o["native"] for o in outcomes.values()} == {row["native"] for row in rows}
        self.assert_held(target, *rows)

    def test_reads_back_by_key_alone(self, target: Target) -> None:
        row = self.existing(target)
        assert self.held(target, {"key": row["key"]})[row["key"]]["native"] == row["native"]

    def test_does_not_read_back_what_is_not_there(self, target: Target) -> None:
        row = self.existing(target)
        assert set(self.held(target, row, self.sample(2))) == {row["key"]}

    def test_sending_a_create_twice_is_harmless(self, target: Target) -> None:
        row = self.sample(1)
        (first,) = self.create(target, row)
        (second,) = self.create(target, row)  # the sender never learnt of the first
        assert second["native"] == first["native"]
        assert self.count(target, row["key"]) == 1
        self.assert_held(target, first, creating=True)

    def test_sending_an_update_twice_is_harmless(self, target: Target) -> None:
        row = self.existing(target)
        row = self.changed(row)
        self.create(target, row)
        self.create(target, row)
        assert self.count(target, row["key"]) == 1
        self.assert_held(target, row)

    def test_eight_at_once_create_one(self, open_target: Callable[[], Target], target: Target) -> None:
        if target.safety(self.definition) is not Safety.ENFORCED_KEY:
            pytest.skip("only an enforced key promises it")
        row, start = self.sample(1), threading.Barrier(8)

        def one(_: int) -> dict[str, Any]:
            own = open_target()
            try:
                own.read_back(self.definition, wanted([("nobody:0", None)]))  # logged in before the race
                start.wait(timeout=30)
                return self.send(own, row)[row["key"]]
            finally:
                own.close()

        with ThreadPoolExecutor(8) as pool:
            outcomes = list(pool.map(one, range(8)))
        assert self.count(target, row["key"]) == 1
        assert {o["outcome"] for o in outcomes} <= {"applied", "retry"}, outcomes
        assert len({o["native"] for o in outcomes if o["outcome"] == "applied"}) == 1

    def test_null_clears_and_empty_is_what_collapse_says(self, target: Target) -> None:
        (row,) = self.create(target, self.sample(1, **{self.text_field: "www.example.com"}))
        for value in (None, "www.example.org", ""):
            self.create(target, row | {self.text_field: value})
            self.assert_held(target, row | {self.text_field: value})

    def test_awkward_text_arrives_as_it_was_sent(self, target: Target) -> None:
        """All of them in one go, as in a batch."""
        rows = self.create(target, *(self.sample(1, **{self.text_field: text}) for text in AWKWARD.values()))
        self.assert_held(target, *rows, creating=True)
        held = self.held(target, *rows)
        found = {kind: held[row["key"]][self.text_field] for kind, row in zip(AWKWARD, rows, strict=True)}
        # what moves the cursor may collapse in a single line, nothing else may
        plain = {kind: text for kind, text in AWKWARD.items() if not set(text) & set("\n\t")}
        assert {kind: found[kind] for kind in plain} == plain

    def test_gone_deactivates_and_counts_as_applied(self, target: Target) -> None:
        row = self.existing(target)
        self.create(target, row | {"gone": True})
        found = self.held(target, row)[row["key"]]
        assert found["gone"] is True
        self.create(target, row | {"gone": True})  # again: nothing happens
        assert self.count(target, row["key"]) == 1

    def test_gone_and_never_there_creates_nothing(self, target: Target) -> None:
        row = self.sample(1, gone=True)
        assert self.send(target, row)[row["key"]]["outcome"] == "applied"
        assert self.count(target, row["key"]) == 0

    def test_comes_back_from_gone(self, target: Target) -> None:
        row = self.existing(target)
        self.create(target, row | {"gone": True})
        self.create(target, row)
        assert self.held(target, row)[row["key"]]["gone"] is False
        self.assert_held(target, row)

    def test_counts_every_record_that_carries_a_key(self, target: Target) -> None:
        rows = self.create(target, self.sample(1), self.sample(2))
        self.create(target, rows[1] | {"gone": True})
        counted = [row for page in target.census(self.definition) for row in page.to_pylist()]
        mine = {row["key"]: row for row in counted if row["key"] in {row["key"] for row in rows}}
        if not self.keyed:
            assert not counted
            return
        assert len(mine) == len(rows) == sum(row["key"] in mine for row in counted)
        assert [mine[row["key"]] for row in rows] == [
            {"key": row["key"], "native": row["native"], "gone": n == 1} for n, row in enumerate(rows)
        ]

    def test_one_bad_record_fails_alone(self, target: Target) -> None:
        rows = [self.sample(n) for n in range(5)]
        rows[2] = self.spoilt(target, rows[2])
        outcomes = self.send(target, *rows)
        bad = outcomes.pop(rows[2]["key"])
        assert bad["outcome"] == "reject"
        assert bad["category"]
        assert bad["message"]
        assert {o["outcome"] for o in outcomes.values()} == {"applied"}
        assert self.count(target, rows[2]["key"]) == 0
        self.assert_held(target, *(r for n, r in enumerate(rows) if n != 2), creating=True)

    def test_an_answer_quotes_no_value(self, target: Target) -> None:
        row = self.spoilt(target, self.sample(1))
        answer = self.send(target, row)[row["key"]]
        said = f"{answer['message']} {answer['answer']}"
        texts = [v for v in _texts({k: v for k, v in row.items() if k != "key"}) if len(v) > 3]
        assert texts
        assert not [t for t in texts if t in said]

    def test_asks_before_every_request(self, target: Target) -> None:
        sending = FakeSending()
        row = self.sample(1)
        target.send(self.definition, changes(self.definition, [row]), sending)
        assert sending.requests >= 1

    def test_sends_nothing_after_the_deadline(self, target: Target) -> None:
        row = self.sample(1)
        with pytest.raises(InDoubt):
            target.send(self.definition, changes(self.definition, [row]), FakeSending(expired=True))
        assert self.count(target, row["key"]) == 0

    def test_check_finds_nothing_wrong(self, target: Target) -> None:
        found = list(target.check({self.definition.name: self.definition}))
        assert found
        assert [f"{c.subject}: {c.found}" for c in found if not c.ok] == []


class CustomerTargetSuite(TargetSuite):
    """A target that keeps customers: what any target must do, the hierarchy, duplicates, who owns the legal name."""

    def sample(self, number: int, **values: Any) -> dict[str, Any]:
        native = f"001{uuid.uuid4().hex[:15]}"
        contact = f"salesforce:003{uuid.uuid4().hex[:15]}"
        address = {"street": f"Kade {number}\n2e etage", "city": "Delft", "postal_code": "2611 AA", "country": "NL"}
        return {
            "key": f"salesforce:{native}",
            "name": f"Sample {native} B.V.",
            "legal_name": f"Sample {native} Holding B.V.",
            "country": "NL",
            "currency": "EUR",
            "tax_registration": f"KVK{uuid.uuid4().int % 10**9:09}",
            "phone": f"+31 15 {number:07}",
            "website": f"https://sample-{number}.example",
            "legal_entities": ["NL01", "US01"],
            "addresses": [{"role": "bill_to"} | address, {"role": "ship_to"} | address | {"street": f"Dok {number}"}],
            "contacts": [
                {"id": contact, "first_name": "Ada", "last_name": "de Vries", "email": "ada@sample.example",
                 "phone": "+31 6 12345678", "title": "Buyer"},
                {"id": f"{contact[:-1]}x", "first_name": None, "last_name": "Plain", "email": None, "phone": None,
                 "title": None},
            ],
        } | values  # fmt: skip

    def changed(self, row: Row) -> dict[str, Any]:
        addresses = [
            {**a, "street": "Nieuwe Weg 1", "postal_code": None} for a in row["addresses"] if a["role"] == "bill_to"
        ]
        newcomer = {"id": "salesforce:003000000000000NEW", "first_name": "Bo", "last_name": "Åkesson",
                    "email": "bo@sample.example", "phone": None, "title": "CFO"}  # fmt: skip
        return {
            **row,
            "name": f"{row['name']} (new)",
            "phone": None,
            "website": "https://moved.example",
            "tax_registration": f"KVK{uuid.uuid4().int % 10**9:09}",
            "addresses": addresses,
            "contacts": [*row["contacts"][:1], newcomer],
        }

    def test_a_seed_is_not_written_again(self, target: Target) -> None:
        row = self.existing(target)
        self.edit(target, row["native"], legal_name="Set By Finance N.V.")
        self.create(target, self.changed(row) | {"legal_name": "Typed By Sales"})
        assert self.held(target, row)[row["key"]]["legal_name"] == "Set By Finance N.V."
        self.create(target, {**row, "legal_name": "Typed By Sales", "native": None})  # a create sent again is no create
        assert self.held(target, row)[row["key"]]["legal_name"] == "Set By Finance N.V."

    def test_a_list_that_became_empty_is_emptied(self, target: Target) -> None:
        row = self.existing(target)
        bare = row | {"addresses": [], "contacts": None, "tax_registration": None}
        self.create(target, bare)
        self.assert_held(target, bare)
        self.create(target, row)
        self.assert_held(target, row)

    def test_awkward_people_and_places_arrive_as_they_were_sent(self, target: Target) -> None:
        row = self.sample(1)
        contacts = [
            {"id": f"salesforce:003{uuid.uuid4().hex[:15]}", "first_name": None, "last_name": text[:80],
             "email": None, "phone": None, "title": text}
            for text in (awkward.replace("\n", " ") for awkward in AWKWARD.values())
        ]  # fmt: skip
        street = "\n".join(t.replace("\n", " ") for t in AWKWARD.values())[:255]
        address = {
            "role": "bill_to",
            "street": street,
            "city": AWKWARD["right to left"],
            "region": None,
            "country": "NL",
        }
        (row,) = self.create(target, row | {"contacts": contacts, "addresses": [address | {"postal_code": "007"}]})
        self.assert_held(target, row, creating=True)

    def test_parents_come_before_children(self, target: Target) -> None:
        top = self.sample(1)
        middle = self.sample(2, parent=top["key"], depth=1)
        leaf = self.sample(3, parent=middle["key"], depth=2)
        self.assert_held(target, *self.create(target, top, middle, leaf), creating=True)

    def test_a_parent_that_was_there_before_is_linked(self, target: Target) -> None:
        (top,) = self.create(target, self.sample(1))
        child = self.sample(2, parent=top["key"], parent__native=top["native"])
        self.assert_held(target, *self.create(target, child), creating=True)

    def test_a_child_moves_to_another_parent_and_to_none(self, target: Target) -> None:
        one, two = self.create(target, self.sample(1), self.sample(2))
        (child,) = self.create(target, self.sample(3, parent=one["key"], parent__native=one["native"]))
        for parent in (two, {"key": None, "native": None}):
            child |= {"parent": parent["key"], "parent__native": parent["native"]}
            self.create(target, child)
            self.assert_held(target, child)

    def test_children_of_a_failed_parent_are_held(self, target: Target) -> None:
        top = self.spoilt(target, self.sample(1))
        middle = self.sample(2, parent=top["key"], depth=1)
        leaf = self.sample(3, parent=middle["key"], depth=2)
        other = self.sample(4)
        outcomes = self.send(target, top, other, middle, leaf)
        assert outcomes[top["key"]]["outcome"] == "reject"
        assert outcomes[other["key"]]["outcome"] == "applied"
        for child, parent in ((middle, top), (leaf, middle)):
            assert outcomes[child["key"]]["outcome"] == Recovery.HOLD
            assert outcomes[child["key"]]["awaits"] == parent["key"]
            assert self.count(target, child["key"]) == 0

    def test_a_child_without_its_parent_is_held(self, target: Target) -> None:
        absent = self.sample(1)
        child = self.sample(2, parent=absent["key"])
        answer = self.send(target, child)[child["key"]]
        assert (answer["outcome"], answer["awaits"]) == ("hold", absent["key"])
        assert self.count(target, child["key"]) == 0

    def matches(self, target: Target, *rows: Row) -> set[tuple[str, str, str]]:
        table = target.find_matches(self.definition, canonical(self.definition, rows))
        return {(r["key"], r["native"], r["rule"]) for r in table.to_pylist()}

    def test_finds_the_same_tax_registration(self, target: Target) -> None:
        row = self.existing(target)
        suspect = self.sample(
            2, tax_registration=f" {row['tax_registration'][:6]} {row['tax_registration'][6:].lower()}"
        )
        assert self.matches(target, suspect, self.sample(3)) == {(suspect["key"], row["native"], "tax_registration")}

    def test_finds_the_same_name_in_the_same_country(self, target: Target) -> None:
        name = f"Könïg {uuid.uuid4().hex}"
        (row,) = self.create(target, self.sample(1, name=f"{name} GmbH", legal_name=f"{name} GmbH"))
        here = self.sample(2, name=f"{name.upper()} G.m.b.H.", legal_name=None, tax_registration=None)
        bill_to = here["addresses"][0] | {"country": "DE"}
        abroad = self.sample(
            3, name=f"{name} GmbH", legal_name=None, tax_registration=None, country="DE", addresses=[bill_to]
        )
        assert self.matches(target, here, abroad) == {(here["key"], row["native"], "name+country")}

    def test_the_same_name_with_another_registration_is_another_company(self, target: Target) -> None:
        name = f"Twin {uuid.uuid4().hex}"
        one, none = self.create(
            target,
            self.sample(1, name=name, legal_name=name),
            self.sample(2, name=name, legal_name=name, tax_registration=None),
        )
        probe = self.sample(3, name=name, legal_name=None)
        assert self.matches(target, probe) == {(probe["key"], none["native"], "name+country")}
        spelt = f"{one['tax_registration'][:5]} {one['tax_registration'][5:].lower()}"  # the same, not another one
        assert (probe["key"], one["native"], "name+country") in self.matches(
            target, probe | {"tax_registration": spelt}
        )

    def test_nothing_known_of_a_record_matches_nothing(self, target: Target) -> None:
        self.create(target, self.sample(1, tax_registration=None))
        assert (
            self.matches(target, self.sample(2, tax_registration=None), self.sample(3, tax_registration=" ")) == set()
        )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
