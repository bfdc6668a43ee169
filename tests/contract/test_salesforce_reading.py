"""Reading customers from an org in which things happen: changes, deletions, merges, limits, lost connections."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from accord.errors import BadCredentials, LimitReached, SchemaDrift, Stop, Unavailable
from accord.objects import CUSTOMER, OBJECTS
from accord.ports import Selection
from accord.systems.salesforce import extract as extracting
from accord.systems.salesforce.adapter import Salesforce
from accord.systems.salesforce.bulk_query import bulk_pages
from accord.systems.salesforce.mapping import parts_of
from accord.systems.salesforce.mappings import readings_of
from accord.systems.salesforce.rest_query import rest_pages
from accord.systems.salesforce.soql import Select
from tests.contract.salesforce_adapter import Company
from tests.fakes import CollectingSink
from tests.salesforce_org import start_org

ACCOUNT = parts_of(readings_of(CUSTOMER)[0], CUSTOMER)["Account"]


@pytest.fixture(scope="module")
def everybody(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    org = start_org(tmp_path_factory.mktemp("org"))
    yield Company(org)
    org.stop()


@pytest.fixture
def company(everybody: Company) -> Iterator[Company]:
    yield everybody
    everybody.forget()


def read(salesforce: Salesforce, **selection: Any) -> dict[str, dict[str, Any]]:
    """Canonical customers by native id."""
    sink = CollectingSink()
    read_at = salesforce.extract(CUSTOMER, Selection(**selection), sink)
    if not sink.written:
        return {}
    rows = salesforce.to_canonical(CUSTOMER, sink.chunk(), read_at).to_pylist()
    return {salesforce.native_of(CUSTOMER, row["key"]): row for row in rows}


@pytest.fixture(params=[2000, 0], ids=["rest", "bulk"])
def salesforce(company: Company, request: pytest.FixtureRequest) -> Iterator[Salesforce]:
    adapter = company.open(bulk_threshold=request.param)
    yield adapter
    adapter.close()


def just_after(row: dict[str, Any]) -> datetime:
    version: datetime = row["version"]
    return version + timedelta(seconds=1)


def test_a_deleted_contact_brings_its_root_without_it(company: Company, salesforce: Salesforce) -> None:
    account = company.account()
    stays, goes = company.contact(account), company.contact(account)
    since = just_after(read(salesforce, natives=(account,))[account])
    company.a_moment_later()
    company.delete("Contact", goes)
    row = read(salesforce, since=since)[account]
    assert [c["id"] for c in row["contacts"]] == [f"salesforce:{stays}"]
    assert row["version"] >= since


def test_a_contact_that_moves_brings_its_new_root(company: Company, salesforce: Salesforce) -> None:
    old, new = company.account(), company.account()
    contact = company.contact(old)
    since = just_after(read(salesforce, natives=(old, new))[new])
    company.a_moment_later()
    company.edit("Contact", contact, AccountId=new)
    rows = read(salesforce, since=since)
    assert [c["id"] for c in rows[new]["contacts"]] == [f"salesforce:{contact}"]
    assert read(salesforce, natives=(old,))[old]["contacts"] == []


def test_deleted_and_undeleted(company: Company, salesforce: Salesforce) -> None:
    account = company.account()
    company.contact(account)
    company.a_moment_later()
    company.delete("Account", account)
    gone = read(salesforce, natives=(account,))[account]
    assert gone["gone"] is True
    assert gone["merged_into"] is None
    since = just_after(gone)
    company.a_moment_later()
    company.org.undelete(account)
    back = read(salesforce, since=since)[account]
    assert back["gone"] is False
    assert len(back["contacts"]) == 1


def test_a_merge_names_the_survivor_which_has_all_contacts(company: Company, salesforce: Salesforce) -> None:
    survivor, loser = company.account(), company.account()
    contacts = {company.contact(survivor), company.contact(loser)}
    since = just_after(read(salesforce, natives=(survivor, loser))[loser])
    company.a_moment_later()
    company.org.merge(survivor, loser)
    rows = read(salesforce, since=since)
    assert (rows[loser]["gone"], rows[loser]["merged_into"]) == (True, f"salesforce:{survivor}")
    assert rows[survivor]["gone"] is False
    assert {c["id"] for c in rows[survivor]["contacts"]} == {f"salesforce:{c}" for c in contacts}


def test_an_old_root_read_for_its_contact_comes_once_and_whole(company: Company, salesforce: Salesforce) -> None:
    account = company.account(Website="www.example.com")
    first = company.contact(account)
    since = just_after(read(salesforce, natives=(account,))[account])
    company.a_moment_later()
    second = company.contact(account)
    sink = CollectingSink()
    salesforce.extract(CUSTOMER, Selection(since=since), sink)
    assert sink.roots["Account"].count(account) == 1
    row = read(salesforce, since=since)[account]
    assert row["website"] == "www.example.com"
    assert [c["id"] for c in row["contacts"]] == [f"salesforce:{c}" for c in sorted((first, second))]


def test_many_roots_come_alike_by_lists_by_scan_by_calls_and_by_jobs(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(sobject: str, fields: str, rows: list[str]) -> None:
        job = company.admin.ingest(sobject, "insert", "\n".join([fields, *rows]) + "\n")
        assert job["numberRecordsFailed"] == 0, job

    load("Account", "Name,Phone,CurrencyIsoCode", [f'"Many, {n} ""x""",many,EUR' for n in range(2_300)])
    accounts = [row["Id"] for row in company.soql("SELECT Id FROM Account WHERE Phone = 'many'")]
    load("Contact", "LastName,AccountId", [f"Person {n},{account}" for n, account in enumerate(accounts[::2])])
    calls, jobs = company.open(), company.open(bulk_threshold=0)
    whole = read(calls, natives=tuple(accounts))
    assert set(whole) == set(accounts)
    assert sum(len(row["contacts"]) for row in whole.values()) == 1_150
    since = min(row["version"] for row in whole.values())

    def plain(rows: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        return {k: {n: v for n, v in row.items() if n != "read_at"} for k, row in rows.items() if k in whole}

    assert plain(read(calls, since=since)) == plain(whole)
    assert plain(read(jobs, since=since)) == plain(whole)
    monkeypatch.setattr(extracting, "_LISTED", 100)
    assert plain(read(jobs, since=since)) == plain(whole)

    select = Select(sobject="Account", columns=tuple(ACCOUNT), where=("Phone = 'many'",), order="Id")
    pages = list(bulk_pages(jobs.client, select, ACCOUNT, page=500))
    assert [page.num_rows for page in pages] == [500] * 4 + [300]
    by_calls = [row for page in rest_pages(calls.client, select, ACCOUNT) for row in page.to_pylist()]
    assert [row for page in pages for row in page.to_pylist()] == by_calls


# ------------------------------------------------------------------------------------------------------------- faults
def test_what_passes_is_tried_again(company: Company, salesforce: Salesforce) -> None:
    account = company.account()
    company.org.fault("unavailable", path=".*/queryAll", times=2)
    company.org.fault("drop_before", path=".*/describe", times=1)
    company.org.fault("server_error", path=".*/describe", times=1)
    assert account in read(salesforce, since=datetime.now(UTC) - timedelta(days=1))


def test_what_lasts_is_unavailable(company: Company, salesforce: Salesforce) -> None:
    company.org.fault("unavailable", path=".*/queryAll")
    with pytest.raises(Unavailable, match="SERVER_UNAVAILABLE"):
        read(salesforce)


def test_a_limit_is_not_hammered(company: Company, salesforce: Salesforce) -> None:
    company.org.fault("limit_exceeded", path=".*/describe")
    company.org.calls(clear=True)
    with pytest.raises(LimitReached):
        read(salesforce)
    assert len([call for call in company.org.calls() if call["path"].endswith("/describe")]) == 1


def test_an_expired_session_is_renewed_once(company: Company, salesforce: Salesforce) -> None:
    account = company.account()
    read(salesforce, natives=(account,))
    company.org.expire_sessions()
    assert account in read(salesforce, natives=(account,))
    company.admin = company.org.session(admin=True)
    company.org.fault("session_expired", path=".*/describe")
    with pytest.raises(BadCredentials):
        read(salesforce, natives=(account,))


def test_a_given_session_cant_be_renewed(company: Company) -> None:
    given = {"session_id": company.org.token(), "instance_url": company.org.http, "consumer_key": ""}
    account = company.account()
    adapter = company.open(**given)
    assert account in read(adapter, natives=(account,))
    company.org.expire_sessions()
    company.admin = company.org.session(admin=True)
    with pytest.raises(BadCredentials, match="consumer_key"):
        read(adapter, natives=(account,))


@pytest.mark.parametrize("threshold", [2000, 0])
def test_a_cut_off_answer_is_read_again(company: Company, threshold: int) -> None:
    accounts = {company.account() for _ in range(3)}
    company.org.fault("truncate", path=".*(/queryAll|/results)", times=2, value=200)
    assert accounts <= set(read(company.open(bulk_threshold=threshold)))
    assert sum(rule["applied"] for rule in company.org.faults()) == 2


def test_a_failed_bulk_query_stops_and_a_stalled_one_is_left(company: Company) -> None:
    company.account()
    adapter = company.open(bulk_threshold=0, bulk_wait_s=0.3)
    rule = company.org.fault("job_failed", method="JOB", path="/jobs/query/.*")
    with pytest.raises(Stop, match="Bulk Data Load Jobs"):
        read(adapter)
    company.org.control("DELETE", f"faults/{rule}")
    company.org.fault("job_stall", method="JOB", path="/jobs/query/.*")
    with pytest.raises(Unavailable, match="in time"):
        read(adapter)
    company.org.clear_faults()
    # neither leaves a job behind
    jobs = adapter.client.json("/jobs/query")["records"]
    assert [job for job in jobs if job["state"] not in ("Aborted", "Failed", "JobComplete")] == []


def test_a_field_taken_away_is_named(company: Company, salesforce: Salesforce) -> None:
    company.account()
    company.org.set_field("Account", "Tax_Registration__c", read=False, edit=False)
    sink = CollectingSink()
    with pytest.raises(SchemaDrift, match=r"Account\.Tax_Registration__c.*Accord_Integration"):
        salesforce.extract(CUSTOMER, Selection(), sink)
    assert sink.written == {}
    company.org.set_object("Contact")
    with pytest.raises(SchemaDrift, match="Contact"):
        salesforce.extract(CUSTOMER, Selection(), sink)


def test_a_field_of_a_record_referred_to_that_was_taken_away_is_named(company: Company, salesforce: Salesforce) -> None:
    company.org.set_field("Account", "Legal_Entities__c", read=False, edit=False)
    with pytest.raises(SchemaDrift, match=r"read Account\.Legal_Entities__c\."):
        salesforce.extract(OBJECTS["order"], Selection(), CollectingSink())
    wrong = {subject for subject, line in findings(company.open()).items() if not line[0]}
    told = {"Account for customer", "Order for order", "Opportunity for order", "Contract for contract"}
    assert wrong == {f"salesforce {one}" for one in told}


def test_logs_hold_nothing_personal(company: Company, caplog: pytest.LogCaptureFixture, salesforce: Salesforce) -> None:
    account = company.account(Name="Secret Name", Phone="+31 99 999")
    company.contact(account, LastName="Geheim", Email="geheim@example.com")
    company.org.fault("unavailable", path=".*/queryAll", times=1)
    with caplog.at_level(logging.DEBUG, logger="accord"):
        read(salesforce, since=datetime.now(UTC) - timedelta(days=1))
    assert "queryAll" in caplog.text
    for secret in ("Secret", "99 999", "Geheim", "geheim@", "SELECT", company.org.client_secret, "Bearer"):
        assert secret not in caplog.text


# -------------------------------------------------------------------------------------------------------------- login
def test_https_with_the_orgs_certificate(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", __file__)  # what the machine says must not override the connection
    adapter = company.open(login_url=company.org.https, verify=str(company.org.certificate))
    assert adapter.client.json("/limits")
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    with pytest.raises(Unavailable, match="verify"):
        company.open(login_url=company.org.https).client.login()


def test_jwt_bearer(tmp_path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "public.pem").write_bytes(public)
    (tmp_path / "private.pem").write_bytes(private)
    org = start_org(tmp_path / "org", jwt_key=tmp_path / "public.pem")
    try:
        company = Company(org)
        from dataclasses import replace

        from accord.systems import open_system

        for extra in ({"private_key": private.decode()}, {"private_key_file": str(tmp_path / "private.pem")}):
            connection = company.connection(consumer_secret="", **extra)
            assert open_system("salesforce", replace(connection, login=org.username)).client.json("/limits")
            with pytest.raises(BadCredentials):
                open_system("salesforce", replace(connection, login="stranger@example.com")).client.login()
            with pytest.raises(BadCredentials, match="names no user"):
                open_system("salesforce", connection).client.login()
        unreadable = company.connection(consumer_secret="", private_key="no key")
        with pytest.raises(BadCredentials, match="private_key"):
            open_system("salesforce", replace(unreadable, login=org.username)).client.login()
    finally:
        org.stop()


# ------------------------------------------------------------------------------------------------------------- doctor
def findings(adapter: Salesforce) -> dict[str, tuple[bool, str, str]]:
    return {check.subject: (check.ok, check.found, check.cure) for check in adapter.check(OBJECTS)}


def test_doctor_finds_a_healthy_org_healthy(company: Company) -> None:
    found = findings(company.open())
    assert {subject for subject, (ok, _, _) in found.items() if not ok} == set()
    assert {"salesforce login", "salesforce API version", "salesforce requests", "salesforce ERP_Account__c.Key__c",
            "salesforce Account for customer", "salesforce Contact for customer", "salesforce Account for customer_status",
            "salesforce ERP_Account__c for customer_account"} <= set(found)  # fmt: skip


def test_doctor_names_what_is_missing_and_its_cure(company: Company) -> None:
    company.org.set_field("Account", "Legal_Name__c", read=False, edit=False)
    company.org.set_field("ERP_Account__c", "Balance__c", read=True, edit=False)
    wrong = {subject: line for subject, line in findings(company.open()).items() if not line[0]}
    assert set(wrong) == {"salesforce Account for customer", "salesforce ERP_Account__c for customer_account"}
    assert "Account.Legal_Name__c" in wrong["salesforce Account for customer"][1]
    assert "ERP_Account__c.Balance__c" in wrong["salesforce ERP_Account__c for customer_account"][1]
    assert all("Accord_Integration" in cure for _, _, cure in wrong.values())


def test_doctor_needs_a_login(company: Company) -> None:
    ((ok, _, cure),) = findings(company.open(consumer_key="nobody")).values()
    assert not ok
    assert cure
