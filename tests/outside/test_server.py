"""The server as a process: sockets, restarts, cut connections, concurrent clients."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
import requests

from tests.salesforce_org import Org, start_org


def test_http_and_https_are_one_org(org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    record = org.session(admin=True).create("Account", Name="A")
    token = {"Authorization": f"Bearer {org.token(admin=True)}"}
    # requests trusts the environment's bundle, as simple-salesforce does.
    answer = requests.get(f"{org.https}/services/data/v62.0/sobjects/Account/{record}", headers=token, timeout=10)
    assert answer.json()["Name"] == "A"
    assert answer.headers["Sforce-Limit-Info"].startswith("api-usage=")
    assert {"Content-Type", "Content-Length", "Date"} <= set(
        answer.headers
    )  # in these letters: some clients look for them so
    signed_in = requests.post(
        f"{org.https}/services/oauth2/token",
        data={"grant_type": "client_credentials"},
        auth=(org.client_id, org.client_secret),
        timeout=10,
    )
    assert signed_in.json()["instance_url"] == org.https
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(org.https, timeout=10)


def test_chunked_requests(org: Org) -> None:
    answer = requests.post(
        f"{org.http}/services/oauth2/token",
        data=iter([b"grant_type=client_", b"credentials"]),
        auth=(org.client_id, org.client_secret),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        timeout=10,
    )
    assert answer.status_code == 200


def test_what_a_client_calls_itself_is_told_with_its_calls(org: Org) -> None:
    org.session().get("/limits", headers={"Sforce-Call-Options": "client=someone"})
    assert org.calls()[-1]["call_options"] == "client=someone"


def test_the_date_follows_the_orgs_clock(org: Org) -> None:
    org.clock(86_400)
    day = parsedate_to_datetime(requests.get(org.http, timeout=10).headers["Date"])
    assert day.timestamp() > time.time() + 86_000


@pytest.mark.parametrize(("kind", "names"), [("drop_before", []), ("drop_after", ["A"])])
def test_dropped_connections(org: Org, kind: str, names: list[str]) -> None:
    admin = org.session(admin=True)
    org.fault(kind, path=".*/sobjects/Account$", method="POST", times=1)
    with pytest.raises(requests.exceptions.ConnectionError):
        admin.post("/sobjects/Account", json={"Name": "A"})
    assert [r["Name"] for r in admin.soql("SELECT Name FROM Account")] == names
    admin.create("Account", Name="B")


def test_truncated_answers_and_latency(org: Org) -> None:
    admin = org.session(admin=True)
    org.fault("truncate", path=".*/limits$", value=20, times=1)
    with pytest.raises(requests.exceptions.RequestException):
        admin.get("/limits")
    org.fault("latency", path=".*/limits$", value=0.3, times=1)
    with pytest.raises(requests.exceptions.Timeout):
        admin.get("/limits", timeout=0.1)
    assert admin.get("/limits").ok


def test_the_proxy_leads_only_here(org: Org) -> None:
    proxies = {"https": org.proxy}
    assert requests.get("https://login.salesforce.com/services/data", proxies=proxies, timeout=10).ok
    with pytest.raises(requests.exceptions.ProxyError):
        requests.get("https://example.org/", proxies=proxies, timeout=10)


def test_many_clients_at_once(org: Org) -> None:
    """Writers, readers and a Bulk job side by side: nothing is lost, nothing fails, unique keys stay unique."""
    admin = org.session(admin=True)
    account = admin.create("Account", Name="A")
    token = admin.headers["Authorization"]

    def upsert(number: int) -> int:
        url = f"{org.http}/services/data/v62.0/sobjects/ERP_Account__c/Key__c/k{number % 20}"
        return requests.patch(
            url, json={"Account__c": account, "Active__c": True}, headers={"Authorization": token}, timeout=30
        ).status_code

    def read(_: int) -> int:
        url = f"{org.http}/services/data/v62.0/query?q=SELECT+COUNT()+FROM+ERP_Account__c"
        return requests.get(url, headers={"Authorization": token}, timeout=30).status_code

    with ThreadPoolExecutor(12) as pool:
        job = pool.submit(admin.ingest, "Account", "insert", "Name\n" + "x\n" * 3000)
        statuses = list(pool.map(upsert, range(100))) + list(pool.map(read, range(50)))
        assert job.result()["numberRecordsFailed"] == 0
    assert sorted(statuses).count(201) == 20
    assert set(statuses) == {200, 201}
    assert admin.soql("SELECT ERP_Accounts__c FROM Account WHERE Name = 'A'")[0]["ERP_Accounts__c"] == 20.0


def test_a_restart_keeps_records_sessions_cursors_and_jobs(tmp_path: Path) -> None:
    org = start_org(tmp_path)
    try:
        admin = org.session(admin=True)
        job = admin.ingest("Account", "insert", "Name\n" + "".join(f"{n:04}\n" for n in range(2500)))
        page = admin.get("/query", params={"q": "SELECT Name FROM Account ORDER BY Name"}).json()
        org.restart()
        admin.base = org.http
        rest = admin.get(page["nextRecordsUrl"]).json()
        assert [r["Name"] for r in rest["records"]] == [f"{n:04}" for n in range(2000, 2500)]
        assert admin.get(f"/jobs/ingest/{job['id']}/successfulResults").content.count(b"\n") == 2501
    finally:
        org.stop()


def test_killed_in_the_middle_of_a_job(tmp_path: Path) -> None:
    """SIGKILL while a job runs: after the next start the job ends, and every row has one result and one record."""
    org = start_org(tmp_path)
    try:
        admin = org.session(admin=True)
        job = admin.post("/jobs/ingest", json={"object": "Account", "operation": "insert"}).json()["id"]
        path = f"/jobs/ingest/{job}"
        data = "Name\n" + "".join(f"{n}\n" for n in range(60_000))
        admin.put(f"{path}/batches", data=data.encode(), headers={"Content-Type": "text/csv"})
        admin.patch(path, json={"state": "UploadComplete"})
        deadline = time.monotonic() + 30
        while not 0 < admin.get(path).json()["numberRecordsProcessed"] < 60_000 and time.monotonic() < deadline:
            pass
        org.kill()
        org.start()
        admin.base = org.http
        info = admin.ended(path)
        assert (info["state"], info["numberRecordsProcessed"]) == ("JobComplete", 60_000)
        assert admin.get("/query", params={"q": "SELECT COUNT() FROM Account"}).json()["totalSize"] == 60_000
        assert admin.get(f"{path}/successfulResults").content.count(b"\n") == 60_001
    finally:
        org.stop()


def test_clear_words_when_it_cannot_start(org: Org, tmp_path: Path) -> None:
    def start(*options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "sandbox.salesforce", "--https-port", "0", "--proxy-port", "0", *options]
        root = Path(__file__).resolve().parents[3]
        return subprocess.run(
            command, env={"PYTHONPATH": str(root / "include")}, capture_output=True, text=True, timeout=30
        )

    taken = start("--data", str(tmp_path / "a.sqlite"), "--http-port", org.http.rsplit(":", 1)[1])
    assert taken.returncode == 1
    assert "is taken" in taken.stderr
    used = start("--data", str(org.folder / "org.sqlite"), "--http-port", "0")
    assert used.returncode == 1
    assert "in use by another local org" in used.stderr
    project = start("--data", str(tmp_path / "b.sqlite"), "--http-port", "0", "--metadata", str(tmp_path))
    assert project.returncode == 1
    assert "sfdx-project.json is missing" in project.stderr
    assert "Traceback" not in taken.stderr + used.stderr + project.stderr
