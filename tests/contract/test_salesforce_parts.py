"""Roots with parts and references on a local org: what every target must do, by calls and by bulk jobs, and the same end
whatever breaks between two requests."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from accord.errors import AccordError, SchemaDrift
from accord.ports import Target
from accord.systems.salesforce.adapter import Salesforce
from tests.contract.salesforce_adapter import Company
from tests.contract.salesforce_documents import DOCUMENT, ITEM, NOTES, PRICE, document, line
from tests.contract.salesforce_documents_org import an_item, send
from tests.contract.salesforce_documents_org import company as company
from tests.contract.salesforce_documents_org import everybody as everybody
from tests.contract.salesforce_documents_org import salesforce as salesforce
from tests.contract.target_suite import TargetSuite
from tests.fakes import FakeSending
from tests.tables import Row, changes

NOWHERE = "http://127.0.0.1:1"
CHANGING = {"method": "(PATCH|POST|PUT|DELETE)", "path": ".*(composite/sobjects|jobs/ingest).*"}


def lines_of(company: Company, key: str) -> list[dict[str, Any]]:
    return company.soql(
        "SELECT Id, Key__c, Text__c, CurrencyIsoCode, Item__r.Key__c FROM Test_Line__c "  # noqa: S608  # a key of ours
        f"WHERE Document__r.Key__c = '{key}' ORDER BY Key__c"
    )


def tiers_of(company: Company, key: str) -> list[dict[str, Any]]:
    return company.soql(f"SELECT Id, Key__c, Account__c FROM Test_Tier__c WHERE Document_Key__c = '{key}'")  # noqa: S608


class TestDocuments(TargetSuite):
    """Written through sObject Collections."""

    definition = DOCUMENT
    text_field = "note"
    threshold = 2000

    @pytest.fixture(autouse=True)
    def _company(self, company: Company) -> None:
        self.company = company

    @pytest.fixture
    def open_target(self) -> Callable[[], Target]:
        return lambda: self.company.open(bulk_threshold=self.threshold)

    def count(self, target: Target, key: str) -> int:
        return len(self.company.soql(f"SELECT Id FROM Test_Document__c WHERE Key__c = '{key}'"))  # noqa: S608  # a key of ours

    def sample(self, number: int, **values: Any) -> dict[str, Any]:
        return document(self.company.account(), an_item(self.company)) | values

    def changed(self, row: Row) -> dict[str, Any]:
        other = an_item(self.company)
        kept = [
            line_ | {"text": None, "quantity": Decimal("0.0001")} for line_ in row["lines"] if line_["number"] != "1"
        ]
        return {
            **row,
            "item": None,
            "item__native": None,
            "note": None,
            "colours": ["green", "red"],
            "rate": None,
            "signed_at": None,
            "active": False,
            "lines": [*kept, line("9", other, substitute=other["key"], substitute__native=other["native"])],
            "tiers": [{"step": "20", "share": Decimal("0.2500")}],
        }

    def spoilt(self, target: Target, row: Row) -> dict[str, Any]:
        return {**row, "note": "Far too long a note " * 13}  # the field takes 255 characters

    def test_parts_are_a_full_set(self, target: Target) -> None:
        (row,) = self.create(target, self.sample(1))
        for lines in (row["lines"][:1], [], row["lines"], None):
            self.create(target, row | {"lines": lines})
            self.assert_held(target, row | {"lines": lines})
            assert [p["Key__c"] for p in lines_of(self.company, row["key"])] == sorted(
                f"{row['key']}#{p['number']}" for p in lines or ()
            )
        assert len(tiers_of(self.company, row["key"])) == 2

    def test_parts_of_others_stay(self, target: Target) -> None:
        one, two = self.create(target, self.sample(1), self.sample(2))
        own = self.company.admin.create("Test_Line__c", Document__c=one["native"], Text__c="somebody's own")
        self.create(target, one | {"lines": [], "tiers": []})
        assert [p["Id"] for p in lines_of(self.company, one["key"])] == [own]
        self.assert_held(target, one | {"lines": [], "tiers": []}, two)

    def test_parts_repeat_what_they_inherit(self, target: Target) -> None:
        (row,) = self.create(target, self.sample(1))
        assert {p["CurrencyIsoCode"] for p in lines_of(self.company, row["key"])} == {"USD"}
        assert {p["Account__c"] for p in tiers_of(self.company, row["key"])} == {row["customer__native"]}
        other = self.company.account()
        row |= {"customer": f"salesforce:{other}", "customer__native": other, "currency": "EUR"}
        self.create(target, row)
        assert {p["CurrencyIsoCode"] for p in lines_of(self.company, row["key"])} == {"EUR"}
        assert {p["Account__c"] for p in tiers_of(self.company, row["key"])} == {other}

    def test_a_bad_part_fails_its_root_alone(self, target: Target) -> None:
        rows = [self.sample(n) for n in range(3)]
        secret = "Streng geheime Zeile " * 5  # the field takes 80 characters
        rows[1]["lines"][0] |= {"text": secret}
        outcomes = self.send(target, *rows)
        bad = outcomes.pop(rows[1]["key"])
        assert (bad["outcome"], bad["category"]) == ("reject", "value too long")
        assert bad["native"]
        assert bad["message"].startswith("lines: ")
        assert bad["answer"].startswith("lines: ")
        assert "geheim" not in f"{bad['message']} {bad['answer']}"
        assert {o["outcome"] for o in outcomes.values()} == {"applied"}
        self.assert_held(target, rows[0], rows[2], creating=True)
        rows[1]["lines"][0] |= {"text": "short"}
        self.create(target, rows[1])
        self.assert_held(target, rows[1])

    def test_nothing_is_deleted_while_a_part_is_bad(self, target: Target) -> None:
        (row,) = self.create(target, self.sample(1))
        bad = row["lines"][0] | {"text": "x" * 81}
        self.send(target, row | {"lines": [bad]})
        assert len(lines_of(self.company, row["key"])) == 3

    def test_two_parts_with_one_key_are_refused(self, target: Target) -> None:
        row, other = self.sample(1), self.sample(2)
        row["lines"].append(dict(row["lines"][0]))
        outcomes = self.send(target, row, other)
        assert (outcomes[row["key"]]["outcome"], outcomes[row["key"]]["category"]) == ("reject", "duplicate key")
        assert outcomes[other["key"]]["outcome"] == "applied"
        assert lines_of(self.company, row["key"]) == []

    def test_a_root_waits_for_what_it_refers_to(self, target: Target) -> None:
        row = self.sample(1, customer__native=None)
        answer = self.send(target, row)[row["key"]]
        assert (answer["outcome"], answer["awaits"]) == ("hold", row["customer"])
        assert self.count(target, row["key"]) == 0

    def test_a_root_waits_for_what_its_parts_refer_to(self, target: Target) -> None:
        row = self.sample(1)
        row["lines"][1] |= {"item": "tryton:unknown", "item__native": None}
        answer = self.send(target, row)[row["key"]]
        assert (answer["outcome"], answer["awaits"]) == ("hold", "tryton:unknown")
        row["lines"][1] |= {"item": row["item"], "item__native": row["item__native"]}
        self.create(target, row)
        self.assert_held(target, row)

    def test_a_part_goes_without_a_reference_that_may_be_left_out(self, target: Target) -> None:
        row = self.sample(1)
        row["lines"][1] |= {"substitute": "tryton:unknown", "substitute__native": None}
        self.create(target, row)
        row["lines"][1] |= {"substitute": None}
        self.assert_held(target, row, creating=True)

    def test_references_come_back_by_the_key_of_their_origin(self, target: Target) -> None:
        row, own = self.sample(1), an_item(self.company, "salesforce")
        row |= {"item": own["key"], "item__native": own["native"]}
        self.create(target, row)
        found = self.held(target, row)[row["key"]]
        assert (found["item"], found["customer"]) == (own["key"], row["customer"])
        assert {part["item"] for part in found["lines"]} == {row["lines"][0]["item"]}
        assert [part["number"] for part in found["lines"]] == ["1", "2", "3"]

    def test_numbers_and_instants_collapse_to_what_the_org_keeps(self, target: Target) -> None:
        row = self.sample(1, share=Decimal("12.3450"))
        row["signed_at"] = row["signed_at"].replace(microsecond=999_999)
        (row,) = self.create(target, row)
        found = self.held(target, row)[row["key"]]
        assert found["share"] == Decimal("12.3500")
        assert found["signed_at"].microsecond == 0
        self.assert_held(target, row, creating=True)

    def test_a_document_deleted_in_salesforce_comes_back_with_its_parts(self, target: Target) -> None:
        (row,) = self.create(target, self.sample(1))
        self.company.delete("Test_Document__c", row["native"])
        (again,) = self.create(target, self.changed(row))
        assert again["native"] != row["native"]
        self.assert_held(target, again, creating=True)

    def test_a_part_deleted_in_salesforce_comes_back(self, target: Target) -> None:
        (row,) = self.create(target, self.sample(1))
        self.company.delete("Test_Line__c", lines_of(self.company, row["key"])[0]["Id"])
        self.create(target, row)
        self.assert_held(target, row)


class TestDocumentsInBulk(TestDocuments):
    """Written through Bulk API 2.0."""

    threshold = 0


# ------------------------------------------------------------------------------------------------------ broken off
@pytest.mark.parametrize(
    ("threshold", "kind"),
    [(2000, "drop_before"), (2000, "drop_after"), (2000, "unavailable"), (0, "drop_after")],
    ids=["calls-drop_before", "calls-drop_after", "calls-unavailable", "bulk-drop_after"],
)
def test_sending_again_after_a_break_anywhere_ends_in_the_same_state(
    company: Company, threshold: int, kind: str
) -> None:
    """One request after the other breaks; whatever was done by then, sending again puts it right."""
    salesforce, item, account = company.open(bulk_threshold=threshold), an_item(company), company.account()
    suite = TestDocuments()
    suite.company = company
    step, broke = 0, True
    while broke:
        assert step < 40
        first = document(account, item)
        for row in (first, suite.changed(first)):
            rule = company.org.fault(kind, **CHANGING, after=step, times=1)
            try:
                answer = send(salesforce, DOCUMENT, row)[row["key"]]["outcome"]
                assert answer in ("applied", "unknown", "retry")
            except AccordError:
                answer = "raised"
            (state,) = [fault for fault in company.org.faults() if fault["id"] == rule]
            broke = bool(state["applied"])
            assert broke or answer == "applied"
            company.org.clear_faults()
            settled(company)
            assert send(salesforce, DOCUMENT, row)[row["key"]]["outcome"] == "applied"
            suite.assert_held(salesforce, row)
            assert len(lines_of(company, row["key"])) == 3
            assert len(tiers_of(company, row["key"])) == len(row["tiers"])
        step += 1
    assert step > 3  # root, lines, tiers, deletes


def test_what_can_not_be_asked_after_the_roots_went_is_tried_again(company: Company, salesforce: Salesforce) -> None:
    row = document(company.account(), an_item(company))
    company.org.fault("unavailable", path=".*/query")
    answer = send(salesforce, DOCUMENT, row)[row["key"]]
    assert (answer["outcome"], answer["category"]) == ("retry", "system unavailable")
    assert answer["native"]
    company.org.clear_faults()
    assert lines_of(company, row["key"]) == []
    assert send(salesforce, DOCUMENT, row)[row["key"]]["outcome"] == "applied"
    assert len(lines_of(company, row["key"])) == 3


def settled(company: Company) -> None:
    """Wait for the jobs that were let loose, as recovery does."""
    jobs = company.admin.get("/jobs/ingest").json().get("records", [])
    for job in jobs:
        if job["state"] not in ("Open", "JobComplete", "Failed", "Aborted"):
            company.admin.ended(f"/jobs/ingest/{job['id']}")


def test_every_job_of_a_sending_is_remembered(company: Company) -> None:
    salesforce, sending = company.open(bulk_threshold=0), FakeSending()
    row = document(company.account(), an_item(company))
    salesforce.send(DOCUMENT, changes(DOCUMENT, [row]), sending)
    assert len(sending.remotes[-1].split(",")) == 3  # documents, lines, tiers
    assert salesforce.remote_ended(sending.remotes[-1]) is True


def test_locked_parts_are_sent_again(company: Company, salesforce: Salesforce) -> None:
    rows = [document(company.account(), an_item(company)) for _ in range(4)]
    send(salesforce, DOCUMENT, *rows)
    in_bulk = {"method": "JOB", "path": "/jobs/ingest/Test_Line__c/.*"}
    called = {"method": "PATCH", "path": ".*/composite/sobjects", "after": 1}  # the documents go first
    company.org.fault(
        "lock_rows", value=5, times=1, **(called if salesforce.client.options.bulk_threshold else in_bulk)
    )
    outcomes = send(salesforce, DOCUMENT, *rows)
    assert {o["outcome"] for o in outcomes.values()} == {"applied", "retry"}
    assert {o["category"] for o in outcomes.values()} == {None, "record locked"}
    assert {o["outcome"] for o in send(salesforce, DOCUMENT, *rows).values()} == {"applied"}


def test_a_part_that_somebody_deletes_first_is_no_failure(company: Company, salesforce: Salesforce) -> None:
    row = document(company.account(), an_item(company))
    send(salesforce, DOCUMENT, row)
    in_bulk = {"method": "JOB", "path": "/jobs/ingest/.*/delete"}
    called = {"method": "DELETE", "path": ".*/composite/sobjects"}
    rule = called if salesforce.client.options.bulk_threshold else in_bulk
    company.org.fault(
        "fail_rows", value={"every": 1, "code": "ENTITY_IS_DELETED", "message": "entity is deleted"}, **rule
    )
    bare = row | {"lines": row["lines"][:1]}
    assert send(salesforce, DOCUMENT, bare)[row["key"]]["outcome"] == "applied"
    (seen,) = company.org.faults()
    assert seen["applied"] == 1


# --------------------------------------------------------------------------------------------------- rights and doctor
def test_a_missing_right_on_parts_stops_before_anything_is_sent(company: Company, salesforce: Salesforce) -> None:
    row = document(company.account(), an_item(company))
    company.org.set_field("Test_Line__c", "Quantity__c", read=True, edit=False)
    with pytest.raises(SchemaDrift, match=r"Test_Line__c\.Quantity__c"):
        send(salesforce, DOCUMENT, row)
    company.org.reset_permissions()
    company.org.set_object("Test_Tier__c", "create", "read", "edit")
    with pytest.raises(SchemaDrift, match="Test_Tier__c"):
        send(salesforce, DOCUMENT, row)
    company.org.reset_permissions()
    assert company.soql(f"SELECT Id FROM Test_Document__c WHERE Key__c = '{row['key']}'") == []  # noqa: S608  # a key of ours


def test_the_doctor_looks_at_parts_and_references(company: Company) -> None:
    salesforce = company.open()
    every = {d.name: d for d in (DOCUMENT, ITEM, NOTES, PRICE)}

    def wrong() -> list[str]:
        return [f"{c.subject}: {c.found}" for c in salesforce.check(every) if not c.ok]

    assert [c.subject for c in salesforce.check(every) if "Test_Line__c" in c.subject]
    company.org.set_object("Contact", "read", "edit")
    company.org.set_field("Contact", "Test_Title__c", read=True, edit=False)
    assert wrong() == ["salesforce Contact for people of test_account_notes: can't write Contact.Test_Title__c"]
    company.org.reset_permissions()
    company.org.set_object("Test_Line__c", "create", "read", "edit")
    assert wrong() == ["salesforce Test_Line__c for lines of test_document: can't write and delete Test_Line__c"]
    company.org.reset_permissions()
    company.org.set_field("Test_Item__c", "Key__c", read=False, edit=False)
    assert "salesforce Test_Item__c for references of test_document: can't read Test_Item__c.Key__c" in wrong()
