"""Writing to an org that misbehaves: every record's outcome is known, or known to be unknown."""

from __future__ import annotations

import logging
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from accord.errors import BadCredentials, InDoubt, SchemaDrift, Stop, Unavailable
from accord.objects import CUSTOMER_ACCOUNT, CUSTOMER_STATUS
from accord.records import content_hash
from accord.systems.salesforce.adapter import Salesforce
from tests.contract.salesforce_adapter import Company, Expiring, erp_account
from tests.fakes import FakeSending
from tests.salesforce_org import start_org
from tests.tables import by_key, canonical, changes, wanted

CALLS, BULK = 2000, 0  # bulk thresholds
METADATA = Path(__file__).resolve().parents[2] / "include" / "salesforce_metadata"
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def everybody(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    org = start_org(tmp_path_factory.mktemp("org"))
    yield Company(org)
    org.stop()


@pytest.fixture
def company(everybody: Company) -> Iterator[Company]:
    yield everybody
    everybody.forget()


@pytest.fixture(params=[CALLS, BULK], ids=["calls", "bulk"])
def salesforce(company: Company, request: pytest.FixtureRequest) -> Iterator[Salesforce]:
    adapter = company.open(bulk_threshold=request.param)
    yield adapter
    adapter.close()


def send(salesforce: Salesforce, rows: Rows, sending: FakeSending | None = None) -> dict[str, dict[str, Any]]:
    table = salesforce.send(CUSTOMER_ACCOUNT, changes(CUSTOMER_ACCOUNT, rows), sending or FakeSending())
    outcomes = by_key(table)
    assert set(outcomes) == {row["key"] for row in rows}
    return outcomes


def tally(outcomes: dict[str, dict[str, Any]]) -> Counter[tuple[str, str | None]]:
    return Counter((o["outcome"], o["category"]) for o in outcomes.values())


def there(salesforce: Salesforce, rows: Rows) -> set[str]:
    """Keys of the rows the org holds as they were sent."""
    found = salesforce.read_back(CUSTOMER_ACCOUNT, wanted((row["key"], row.get("native")) for row in rows))
    names = salesforce.keeps(CUSTOMER_ACCOUNT)
    plain = [{k: v for k, v in row.items() if k not in ("native", "customer__native")} for row in rows]
    sent = salesforce.collapse(CUSTOMER_ACCOUNT, canonical(CUSTOMER_ACCOUNT, plain))
    expected = dict(zip(sent["key"].to_pylist(), content_hash(CUSTOMER_ACCOUNT, sent, names).to_pylist(), strict=True))
    held = dict(zip(found["key"].to_pylist(), content_hash(CUSTOMER_ACCOUNT, found, names).to_pylist(), strict=True))
    return {key for key, digest in held.items() if expected[key] == digest}


def accounts(company: Company, number: int) -> Rows:
    account = company.account()
    return [erp_account(account) for _ in range(number)]


def keys(rows: Rows) -> set[str]:
    return {row["key"] for row in rows}


# ----------------------------------------------------------------------------------------------------- single records
def test_locked_records_are_retried_alone(company: Company, salesforce: Salesforce) -> None:
    rows = accounts(company, 10)
    company.org.fault("lock_rows", value=2, times=1)
    outcomes = send(salesforce, rows)
    assert tally(outcomes) == {("applied", None): 5, ("retry", "record locked"): 5}
    assert there(salesforce, rows) == {key for key, o in outcomes.items() if o["outcome"] == "applied"}
    assert tally(send(salesforce, rows)) == {("applied", None): 10}


@pytest.mark.parametrize(
    ("code", "outcome", "category"),
    [
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "reject", "refused by the system"),
        ("REQUIRED_FIELD_MISSING", "reject", "missing value"),
        ("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", "hold", "not permitted"),
        ("REQUEST_LIMIT_EXCEEDED", "retry", "system unavailable"),
    ],
)
def test_refused_records_say_why_without_their_values(
    company: Company, salesforce: Salesforce, code: str, outcome: str, category: str
) -> None:
    rows = accounts(company, 4)
    value = {"every": 4, "code": code, "message": f"not {rows[3]['legal_name']} nor {rows[2]['legal_name']}"}
    company.org.fault("fail_rows", value=value, times=1)
    outcomes = send(salesforce, rows)
    assert tally(outcomes) == {("applied", None): 3, (outcome, category): 1}
    (refused,) = (o for o in outcomes.values() if o["outcome"] != "applied")
    said = f"{refused['message']} {refused['answer']}"
    assert code in said
    (own,) = (row["legal_name"] for row in rows if row["key"] == refused["key"])
    assert own not in said


def test_a_key_somebody_else_holds_is_no_race(company: Company, salesforce: Salesforce) -> None:
    """Only a duplicate of the external id itself is tried again."""
    rows, others = accounts(company, 2), accounts(company, 2)
    value = {"every": 2, "code": "DUPLICATE_VALUE", "message": "duplicate value found: Customer_Number__c duplicates …"}
    company.org.fault("fail_rows", value=value, times=1)
    assert tally(send(salesforce, rows)) == {("applied", None): 1, ("reject", "duplicate key"): 1}
    value |= {"message": "duplicate value found: Key__c duplicates value on record with id: a01000000000001"}
    company.org.fault("fail_rows", value=value, times=1)
    assert tally(send(salesforce, others)) == {("applied", None): 1, ("retry", "record locked"): 1}


def test_amounts_come_back_to_the_cent(company: Company, salesforce: Salesforce) -> None:
    amounts = [Decimal(text) for text in ("9007199254740.93", "-0.01", "0.10", "1234567.80")]
    rows = [row | {"balance": amount} for row, amount in zip(accounts(company, 4), amounts, strict=True)]
    send(salesforce, rows)
    back = by_key(salesforce.read_back(CUSTOMER_ACCOUNT, wanted((row["key"], None) for row in rows)))
    assert [back[row["key"]]["balance"] for row in rows] == amounts


def test_status_goes_to_the_account_and_only_there(company: Company, salesforce: Salesforce) -> None:
    first, second, deleted = company.account(), company.account(), company.account()
    company.delete("Account", deleted)
    states = [(first, "Synced", None), (second, "Rejected", "Shorten the name"), (deleted, "Held", "x")]
    rows = [{"key": f"salesforce:{account}", "status": state, "error": error} for account, state, error in states]
    outcomes = by_key(salesforce.send(CUSTOMER_STATUS, changes(CUSTOMER_STATUS, rows), FakeSending()))
    assert [outcomes[row["key"]]["outcome"] for row in rows] == ["applied", "applied", "reject"]
    assert outcomes[rows[0]["key"]]["native"] == first
    found = by_key(salesforce.read_back(CUSTOMER_STATUS, wanted((row["key"], None) for row in rows)))
    assert {k: (r["status"], r["error"]) for k, r in found.items()} == {
        rows[0]["key"]: ("Synced", None),
        rows[1]["key"]: ("Rejected", "Shorten the name"),
    }


# ---------------------------------------------------------------------------------------------------- lost connections
@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "server_error"])
def test_a_call_without_an_answer_is_in_doubt_and_read_back(company: Company, kind: str) -> None:
    salesforce, rows = company.open(bulk_threshold=CALLS), accounts(company, 3)
    company.org.fault(kind, method="PATCH", path=".*/composite/sobjects.*", times=1)
    assert tally(send(salesforce, rows)) == {("unknown", "interrupted"): 3}
    assert there(salesforce, rows) == (keys(rows) if kind == "drop_after" else set())
    assert tally(send(salesforce, rows)) == {("applied", None): 3}
    assert there(salesforce, rows) == keys(rows)


def test_a_call_that_takes_too_long_is_in_doubt(company: Company) -> None:
    salesforce, rows = company.open(bulk_threshold=CALLS, request_timeout_s=0.5), accounts(company, 2)
    company.org.fault("latency", method="PATCH", path=".*/composite/sobjects.*", times=1, value=1)
    assert tally(send(salesforce, rows)) == {("unknown", "interrupted"): 2}
    company.until(lambda: there(salesforce, rows) == keys(rows))  # it takes effect after we gave up


def test_what_was_not_sent_is_not_in_doubt(company: Company) -> None:
    salesforce, rows = company.open(bulk_threshold=CALLS), accounts(company, 450)
    company.org.fault("drop_before", method="PATCH", path=".*/composite/sobjects.*", after=1, times=1)
    outcomes = send(salesforce, rows)
    counts = {("applied", None): 200, ("unknown", "interrupted"): 200, ("retry", "system unavailable"): 50}
    assert tally(outcomes) == counts
    company.org.fault("unavailable", method="PATCH", path=".*/composite/sobjects.*", after=1, times=1)
    assert tally(send(salesforce, rows)) == {("applied", None): 200, ("retry", "system unavailable"): 250}


@pytest.mark.parametrize("kind", ["unavailable", "limit_exceeded"])
def test_nothing_sent_raises(company: Company, salesforce: Salesforce, kind: str) -> None:
    rows = accounts(company, 3)
    company.org.fault(kind, method="(PATCH|POST)", path=".*(composite|jobs).*")
    with pytest.raises(Unavailable):
        send(salesforce, rows)
    company.org.clear_faults()
    assert there(salesforce, rows) == set()


def test_a_session_that_expires_on_the_way_is_renewed(company: Company, salesforce: Salesforce) -> None:
    rows = accounts(company, 3)
    company.org.fault("session_expired", method="(PATCH|PUT)", times=1)
    assert tally(send(salesforce, rows)) == {("applied", None): 3}


def test_refused_for_good_on_the_way(company: Company) -> None:
    salesforce, rows = company.open(bulk_threshold=CALLS), accounts(company, 3)
    company.org.fault("session_expired", method="PATCH")
    with pytest.raises(BadCredentials):
        send(salesforce, rows)


def test_the_deadline_stops_the_rest(company: Company) -> None:
    salesforce, rows = company.open(bulk_threshold=CALLS), accounts(company, 201)
    outcomes = send(salesforce, rows, Expiring(lasts=1))
    assert tally(outcomes) == {("applied", None): 200, ("retry", "system unavailable"): 1}
    with pytest.raises(InDoubt, match="deadline"):
        send(company.open(bulk_threshold=BULK), accounts(company, 2), Expiring(lasts=2))


# ----------------------------------------------------------------------------------------------------------- bulk jobs
JOB = {"method": "JOB", "path": "/jobs/ingest/.*"}


def test_a_job_with_failures_in_any_order_accounts_for_every_record(company: Company) -> None:
    salesforce, rows = company.open(bulk_threshold=BULK), accounts(company, 60)
    company.org.fault("fail_rows", **JOB, value={"every": 3, "code": "STRING_TOO_LONG", "message": 'a, "b"\nc'})
    company.org.fault("shuffle_results", **JOB)
    outcomes = send(salesforce, rows)
    assert tally(outcomes) == {("applied", None): 40, ("reject", "value too long"): 20}
    assert there(salesforce, rows) == {key for key, o in outcomes.items() if o["outcome"] == "applied"}
    natives = {r["Key__c"]: r["Id"] for r in company.soql("SELECT Id, Key__c FROM ERP_Account__c")}
    assert all(natives[key] == o["native"] for key, o in outcomes.items() if o["outcome"] == "applied")


def test_a_job_that_fails_half_way_leaves_the_rest_to_be_retried(company: Company) -> None:
    salesforce, rows = company.open(bulk_threshold=BULK), accounts(company, 10)
    company.org.fault("job_failed", **JOB, value={"after": 4}, times=1)
    outcomes = send(salesforce, rows)
    assert tally(outcomes) == {("applied", None): 4, ("retry", "interrupted"): 6}
    assert there(salesforce, rows) == {key for key, o in outcomes.items() if o["outcome"] == "applied"}


@pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
def test_a_job_let_loose_without_an_answer(company: Company, kind: str) -> None:
    salesforce, rows = company.open(bulk_threshold=BULK), accounts(company, 3)
    company.org.fault(kind, method="PATCH", path=".*/jobs/ingest/.*", times=1)
    outcomes = tally(send(salesforce, rows))
    if kind == "drop_after":
        assert outcomes == {("applied", None): 3}
    else:  # aborted: it certainly changed nothing
        assert outcomes == {("retry", "interrupted"): 3}
        assert there(salesforce, rows) == set()


@pytest.mark.parametrize("request_", [("POST", ".*/jobs/ingest"), ("PUT", ".*/batches")])
@pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
def test_a_job_that_was_never_let_loose_changed_nothing(company: Company, request_: tuple[str, str], kind: str) -> None:
    salesforce, rows = company.open(bulk_threshold=BULK), accounts(company, 3)
    company.org.fault(kind, method=request_[0], path=request_[1], times=1)
    with pytest.raises(Unavailable):
        send(salesforce, rows)
    assert there(salesforce, rows) == set()


@dataclass(slots=True, kw_only=True)
class Witness(FakeSending):
    """Notes the state of a job when its id is to be remembered."""

    salesforce: Salesforce
    states: tuple[str, ...] = ()

    def remember_remote(self, remote: str) -> None:
        self.remotes.append(remote)
        job = remote.split(",")[-1]
        self.states += (self.salesforce.client.json(f"/jobs/ingest/{job}")["state"],)


def test_a_job_is_remembered_before_it_is_let_loose(company: Company) -> None:
    salesforce = company.open(bulk_threshold=BULK)
    old, new = accounts(company, 2), accounts(company, 2)
    natives = send(salesforce, old)
    old = [row | {"native": natives[row["key"]]["native"], "legal_name": "Changed"} for row in old]
    witness = Witness(salesforce=salesforce)
    assert tally(send(salesforce, old + new, witness)) == {("applied", None): 4}
    # one job creates, the other updates; both ids are in what is remembered last
    assert witness.states == ("Open", "Open")
    assert len(witness.remotes[-1].split(",")) == 2
    assert salesforce.remote_ended(witness.remotes[-1]) is True
    assert there(salesforce, old) == keys(old)


def test_a_job_that_goes_on_without_us_is_in_doubt_until_it_ends(company: Company) -> None:
    salesforce, rows, sending = company.open(bulk_threshold=BULK, bulk_wait_s=0.3), accounts(company, 3), FakeSending()
    company.org.fault("job_stall", **JOB)
    assert tally(send(salesforce, rows, sending)) == {("unknown", "interrupted"): 3}
    (remote,) = sending.remotes
    assert salesforce.remote_ended(remote) is False
    company.org.clear_faults()
    company.admin.ended(f"/jobs/ingest/{remote}")
    assert salesforce.remote_ended(remote) is True
    assert there(salesforce, rows) == keys(rows)


def test_a_job_that_was_not_let_loose_is_aborted(company: Company) -> None:
    salesforce = company.open()
    order = {"object": "ERP_Account__c", "operation": "upsert", "externalIdFieldName": "Key__c", "lineEnding": "LF"}
    job = company.org.session().post("/jobs/ingest", json=order).json()["id"]
    assert salesforce.remote_ended(job) is True
    assert salesforce.client.json(f"/jobs/ingest/{job}")["state"] == "Aborted"
    assert salesforce.remote_ended("750000000000000AAA") is True  # forgotten by the org


def test_a_text_bulk_takes_for_null_goes_another_way(company: Company) -> None:
    salesforce, sending = company.open(bulk_threshold=BULK), FakeSending()
    rows = accounts(company, 4)
    rows[1]["payment_terms"] = "#N/A"
    assert tally(send(salesforce, rows, sending)) == {("applied", None): 4}
    assert len(sending.remotes) == 1
    assert there(salesforce, rows) == keys(rows)


# --------------------------------------------------------------------------------------------------------------- drift
def test_a_right_taken_away_is_one_finding_and_nothing_is_written(company: Company, salesforce: Salesforce) -> None:
    rows = accounts(company, 3)
    company.org.set_field("ERP_Account__c", "Balance__c", read=True, edit=False)
    with pytest.raises(SchemaDrift, match=r"ERP_Account__c\.Balance__c.*Accord_Integration"):
        send(salesforce, rows)
    company.org.set_object("ERP_Account__c", "read")
    with pytest.raises(SchemaDrift, match="Accord_Integration"):
        send(salesforce, rows)
    company.org.reset_permissions()
    assert there(salesforce, rows) == set()


def test_all_records_refused_for_a_right_is_one_finding_too(company: Company, salesforce: Salesforce) -> None:
    """Rights that a describe does not show."""
    rows = accounts(company, 3)
    company.org.fault("fail_rows", value={"every": 1, "code": "INSUFFICIENT_ACCESS_OR_READONLY"}, times=1)
    with pytest.raises(SchemaDrift, match="INSUFFICIENT_ACCESS_OR_READONLY"):
        send(salesforce, rows)


def test_salesforce_is_no_target_of_customers(company: Company) -> None:
    from accord.objects import CUSTOMER

    with pytest.raises(Stop, match="not written to Salesforce"):
        company.open().keeps(CUSTOMER)


def test_a_child_that_cant_change_its_parent(tmp_path: Path) -> None:
    """An org whose administrator did not allow reparenting: the parent is written on create only."""
    metadata = tmp_path / "metadata"
    shutil.copytree(METADATA, metadata)
    (place,) = metadata.rglob("ERP_Account__c/fields/Account__c.field-meta.xml")
    told = place.read_text().replace("<reparentableMasterDetail>true", "<reparentableMasterDetail>false")
    assert told != place.read_text()
    place.write_text(told)
    org = start_org(tmp_path / "org", metadata=metadata)
    try:
        company = Company(org)
        for threshold in (CALLS, BULK):
            salesforce, rows = company.open(bulk_threshold=threshold), accounts(company, 3)
            first = send(salesforce, rows)
            assert tally(first) == {("applied", None): 3}
            assert tally(send(salesforce, rows)) == {("applied", None): 3}  # created, and nobody heard of it
            linked = [row | {"native": first[row["key"]]["native"], "legal_name": "Changed"} for row in rows]
            assert tally(send(salesforce, linked)) == {("applied", None): 3}
            assert there(salesforce, linked) == keys(linked)
    finally:
        org.stop()


def test_changes_carry_our_mark(company: Company, salesforce: Salesforce) -> None:
    """Salesforce puts it into the origin of change events: what we wrote is recognized by it."""
    rows = accounts(company, 2)
    company.org.calls(clear=True)
    send(salesforce, rows)
    calls = [call for call in company.org.calls() if call["method"] != "GET" and "oauth2" not in call["path"]]
    assert calls
    assert {call["call_options"] for call in calls} == {"client=accord"}


def test_logs_hold_no_values(company: Company, salesforce: Salesforce, caplog: pytest.LogCaptureFixture) -> None:
    rows = [row | {"legal_name": "Geheim B.V."} for row in accounts(company, 2)]
    company.org.fault("lock_rows", value=2, times=1)
    with caplog.at_level(logging.DEBUG, logger="accord"):
        send(salesforce, rows)
        salesforce.read_back(CUSTOMER_ACCOUNT, wanted((row["key"], None) for row in rows))
    assert caplog.text
    for secret in ("Geheim", rows[0]["key"], "SELECT", "1234.56"):
        assert secret not in caplog.text
