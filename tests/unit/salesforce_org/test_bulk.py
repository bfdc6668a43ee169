"""Bulk API 2.0: ingest jobs, their states and result files."""

import time
from pathlib import Path
from typing import Any

import pytest

from sandbox.salesforce.bulk import worker
from sandbox.salesforce.fronts import bulk
from sandbox.salesforce.org import Org, Settings
from sandbox.salesforce.store import StoreInUse
from tests.unit.salesforce_org.bulk_jobs import create, ended, ingest, put, query, results


@pytest.mark.usefixtures("working")
def test_every_row_is_accounted_for(admin: Any) -> None:
    data = 'Name,Phone,AnnualRevenue\n"a, ""b""\nc",1,\n,2,\nd,,many\ne,#N/A,5\n'
    job, info = ingest(admin, data)
    assert (info["state"], info["numberRecordsProcessed"], info["numberRecordsFailed"]) == ("JobComplete", 4, 2)
    good, bad = results(admin, job, "successfulResults"), results(admin, job, "failedResults")
    assert [(r["Name"], r["sf__Created"]) for r in good] == [('a, "b"\nc', "true"), ("e", "true")]
    assert [r["sf__Error"] for r in bad] == [
        "REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --",
        "INVALID_FIELD:Failed to deserialize field at col 2. Due to, 'many' is not a valid value for the type "
        "xsd:double:AnnualRevenue --",
    ]
    assert results(admin, job, "unprocessedrecords") == []
    assert admin.send("GET", f"{job}/unprocessedRecords").status == 200


@pytest.mark.usefixtures("working")
def test_empty_cells_leave_alone_and_na_clears(admin: Any) -> None:
    one, two = (admin.create("Account", Name=name, Phone="1") for name in "ab")
    _, info = ingest(admin, f"Id,Phone\n{one},\n{two},#N/A\n", operation="update")
    assert info["numberRecordsFailed"] == 0
    assert admin.column("SELECT Phone FROM Account ORDER BY Name") == ["1", None]


@pytest.mark.usefixtures("working")
def test_upsert_and_parents_by_external_id(api: Any, admin: Any) -> None:
    account = admin.create("Account", Name="A")
    data = f"Key__c,Account__c,Active__c\nk1,{account},true\nk2,{account},1\nk2,{account},true\n"
    more = {"externalIdFieldName": "key__c"}
    job, info = ingest(api, data, "ERP_Account__c", "upsert", **more)
    assert info["numberRecordsFailed"] == 1
    assert (
        results(api, job, "failedResults")[0]["sf__Error"]
        == "DUPLICATE_VALUE:Duplicate external id specified: k2:Key__c --"
    )
    job, info = ingest(api, "Key__c,Balance__c\nk1,1.005\nk9,\n", "ERP_Account__c", "upsert", **more)
    [done], [failed] = results(api, job, "successfulResults"), results(api, job, "failedResults")
    assert (done["sf__Created"], failed["Key__c"]) == ("false", "k9")
    assert api.column("SELECT Balance__c FROM ERP_Account__c WHERE Key__c = 'k1'") == [1.01]
    assert admin.column("SELECT ERP_Accounts__c FROM Account") == [2.0]
    # A contact of an account given by an external id of the account.
    job, info = ingest(admin, f"LastName,Account.Id\nDoe,{account}\n", "Contact")
    assert info["numberRecordsFailed"] == 0
    assert admin.column("SELECT AccountId FROM Contact") == [account]


@pytest.mark.usefixtures("working")
def test_deletes(admin: Any, api: Any) -> None:
    one, two = (admin.create("Account", Name=name) for name in "ab")
    job, info = ingest(admin, f"Id\n{one}\n{one}\nnonsense\n", operation="delete")
    assert (info["numberRecordsProcessed"], info["numberRecordsFailed"]) == (3, 2)
    assert [r["sf__Error"].split(":")[0] for r in results(admin, job, "failedResults")] == [
        "ENTITY_IS_DELETED",
        "MALFORMED_ID",
    ]
    job, info = ingest(admin, f"Id\n{two}\n", operation="hardDelete")
    assert info["numberRecordsFailed"] == 0
    assert admin.column("SELECT Id FROM Account", deleted=True) == [one]
    job, info = ingest(admin, f"Id,Name\n{one},x\n", operation="delete")
    assert info["state"] == "Failed"
    answer = api.send("POST", "/jobs/ingest", {"object": "Account", "operation": "hardDelete"})
    assert answer.data[0]["errorCode"] == "FEATURENOTENABLED"


@pytest.mark.usefixtures("working")
@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("Nope\n1\n", "InvalidBatch : Field name not found : Nope"),
        ("Name,name\n1,2\n", "InvalidBatch : Duplicate field name"),
        ("Name\r\na\r\n", "LineEnding is invalid on user data. Current LineEnding setting is LF"),
        (b"Name\n\xff\xfe\n", "not valid UTF-8"),
        ('Name\n"a" b\n', "Failed to parse CSV"),
        ('Name\n"a\n', "Failed to parse CSV"),
    ],
)
def test_unusable_data_fails_the_job(admin: Any, data: str | bytes, message: str) -> None:
    job, info = ingest(admin, data)
    assert info["state"] == "Failed"
    assert message in info["errorMessage"]
    assert admin.send("GET", f"{job}/unprocessedrecords").status == 200


@pytest.mark.usefixtures("working")
@pytest.mark.parametrize(
    ("delimiter", "char"), [("PIPE", "|"), ("TAB", "\t"), ("SEMICOLON", ";"), ("CARET", "^"), ("BACKQUOTE", "`")]
)
def test_delimiters_and_line_endings(admin: Any, delimiter: str, char: str) -> None:
    more = {"columnDelimiter": delimiter, "lineEnding": "CRLF"}
    job, info = ingest(admin, f"Name{char}Phone\r\na{char}1\r\n", **more)
    assert info["numberRecordsFailed"] == 0
    assert results(admin, job, "successfulResults", char)[0]["Phone"] == "1"
    assert admin.send("GET", f"{job}/successfulResults").content().endswith(b"\r\n")


def test_states_without_a_worker(admin: Any) -> None:
    job = create(admin)
    assert admin.refused("GET", f"{job}/successfulResults") == (400, "INVALIDJOBSTATE")
    assert admin.refused("DELETE", job) == (400, "API_ERROR")
    assert put(admin, job, "Name\na\n").status == 201
    assert admin.send("PATCH", job, {"state": "UploadComplete"}).status == 200
    assert put(admin, job, "Name\na\n").data[0]["errorCode"] == "INVALIDJOBSTATE"
    again = admin.send("PATCH", job, {"state": "UploadComplete"})
    assert (again.status, again.data[0]["errorCode"]) == (400, "INVALIDJOBSTATE")
    assert again.data[0]["message"] == "Closing already closed Job not allowed"
    assert admin.send("PATCH", job, {"state": "Aborted"}).data["state"] == "Aborted"
    assert [r["Name"] for r in results(admin, job, "unprocessedrecords")] == ["a"]
    assert admin.send("GET", "/jobs/ingest").data["records"][0]["state"] == "Aborted"
    assert admin.send("DELETE", job).status == 204
    assert admin.refused("GET", job) == (404, "NOT_FOUND")


def test_data_uploaded_twice_can_t_be_closed_only_given_up(admin: Any) -> None:
    job = create(admin)
    assert [put(admin, job, data).status for data in ("Name\na\n", "Name\nb\n")] == [201, 201]
    [refusal] = admin.send("PATCH", job, {"state": "UploadComplete"}).data
    assert (refusal["errorCode"], job[-18:-3] in refusal["message"]) == ("INVALIDJOB", True)
    assert admin.send("GET", job).data["state"] == "Open"
    assert admin.send("PATCH", job, {"state": "Aborted"}).status == 200


def test_which_jobs_can_be_deleted_before_their_end(admin: Any) -> None:
    job = create(admin)
    put(admin, job, "Name\na\n")
    admin.send("PATCH", job, {"state": "UploadComplete"})
    assert admin.send("DELETE", job).status == 204
    answer = admin.send("POST", "/jobs/query", {"operation": "query", "query": "SELECT Id FROM Account"})
    assert admin.refused("DELETE", f"/jobs/query/{answer.data['id']}") == (400, "API_ERROR")


@pytest.mark.usefixtures("working")
def test_a_job_that_is_complete_can_t_be_aborted(admin: Any) -> None:
    for job in (ingest(admin, "Name\na\n")[0], query(admin, "SELECT Id FROM Account")[0]):
        answer = admin.send("PATCH", job, {"state": "Aborted"})
        refusal = {"errorCode": "INVALIDJOBSTATE", "message": "Aborting already Completed Job not allowed"}
        assert (answer.status, answer.data) == (400, [refusal])


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"object": "Nope", "operation": "insert"}, "INVALIDJOB"),
        ({"object": "Account", "operation": "nonsense"}, "API_ERROR"),
        ({"object": "Account", "operation": "upsert"}, "INVALIDJOB"),
        ({"object": "Account", "operation": "upsert", "externalIdFieldName": "Name"}, "INVALIDJOB"),
        ({"object": "Account", "operation": "insert", "contentType": "JSON"}, "API_ERROR"),
        ({"object": "Account", "operation": "insert", "columnDelimiter": "DOT"}, "API_ERROR"),
    ],
)
def test_impossible_jobs(admin: Any, body: dict[str, str], code: str) -> None:
    assert admin.refused("POST", "/jobs/ingest", body) == (400, code)


def finish(org: Org) -> None:
    """Do all jobs and stop."""
    for one in worker.start(org):
        deadline = time.monotonic() + 30
        while org.jobs.next(one.kind) and time.monotonic() < deadline:
            time.sleep(0.005)
        one.stop()


def test_restart_in_the_middle_goes_on_where_it_was(admin: Any, org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "BATCH", 10)
    job = create(admin)
    put(admin, job, "Name\n" + "".join(f"{n}\n" for n in range(35)))
    admin.send("PATCH", job, {"state": "UploadComplete"})
    doing = worker.Worker(org, "ingest")
    batches = 0
    real = worker.Ingest._batch

    def two_batches(self: worker.Ingest, *arguments: Any) -> bool:
        nonlocal batches
        if batches == 2:
            raise KeyboardInterrupt  # nothing is written after this, as if the process had been killed
        batches += 1
        return real(self, *arguments)

    waiting = org.jobs.next("ingest")
    assert waiting is not None
    with monkeypatch.context() as patch:
        patch.setattr(worker.Ingest, "_batch", two_batches)
        with pytest.raises(KeyboardInterrupt):
            doing._do(waiting)
    info = admin.send("GET", job).data
    assert (info["state"], info["numberRecordsProcessed"]) == ("InProgress", 20)

    org.close()
    again = Org(Settings(data=org.settings.data, metadata=org.settings.metadata))
    again.open()
    try:
        finish(again)
        admin.org, admin.router.org = again, again
        info = admin.send("GET", job).data
        assert (info["state"], info["numberRecordsProcessed"], info["numberRecordsFailed"]) == ("JobComplete", 35, 0)
        assert sorted(int(n) for n in admin.column("SELECT Name FROM Account")) == list(range(35))
        assert len(results(admin, job, "successfulResults")) == 35
    finally:
        again.close()


def multipart(job: str, content: str, *, third: str = "") -> bytes:
    parts = f'--X\r\nContent-Type: application/json\r\nContent-Disposition: form-data; name="job"\r\n\r\n{job}\r\n'
    parts += f'--X\r\nContent-Type: text/csv\r\nContent-Disposition: form-data; name="content"; filename="c"\r\n\r\n{content}\r\n'
    return f"{parts}{third}--X--\r\n".encode()


@pytest.mark.usefixtures("working")
def test_a_job_with_its_data_in_one_request(admin: Any) -> None:
    body = multipart('{"object": "Account", "operation": "insert"}', 'Name,Phone\n"Å, x",1\nb,2')
    answer = admin.send("POST", "/jobs/ingest", body, content_type='multipart/form-data; boundary="X"')
    assert (answer.status, answer.data["state"]) == (200, "UploadComplete")
    info = ended(admin, f"/jobs/ingest/{answer.data['id']}")
    assert (info["state"], info["numberRecordsProcessed"]) == ("JobComplete", 2)
    assert admin.column("SELECT Name FROM Account ORDER BY Phone") == ["Å, x", "b"]


@pytest.mark.parametrize("body", [b"", b"nonsense", multipart("{}", "x" * 100_001), multipart("no json", "Name\n")])
def test_refused_multipart_jobs(admin: Any, body: bytes) -> None:
    answer = admin.send("POST", "/jobs/ingest", body, content_type="multipart/form-data; boundary=X")
    assert (answer.status, answer.data[0]["errorCode"]) in ((400, "INVALIDJOB"), (400, "JSON_PARSER_ERROR"))


def test_the_batches_of_a_day(admin: Any, org: Org) -> None:
    org.usage.bulk_batches = 15_000
    assert admin.refused("POST", "/jobs/ingest", {"object": "Account", "operation": "insert"}) == (400, "EXCEEDEDQUOTA")
    assert admin.send("GET", "/limits").data["DailyBulkApiBatches"]["Remaining"] == 0


@pytest.mark.usefixtures("working")
def test_abort_leaves_the_rest_unprocessed(admin: Any, org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "BATCH", 10)
    org.faults.add({"kind": "job_stall", "method": "JOB"})
    job = create(admin)
    put(admin, job, "Name\na\n")
    admin.send("PATCH", job, {"state": "UploadComplete"})
    while admin.send("GET", job).data["state"] != "InProgress":
        time.sleep(0.005)
    assert admin.send("PATCH", job, {"state": "Aborted"}).data["state"] == "Aborted"
    org.faults.remove()
    _, info = ingest(admin, "Name\nb\n")  # the worker has left the aborted job
    assert info["state"] == "JobComplete"
    assert admin.column("SELECT Name FROM Account") == ["b"]
    assert len(results(admin, job, "unprocessedrecords")) == 1


@pytest.mark.usefixtures("working")
def test_a_job_deleted_while_it_stalls_stops_nothing_else(admin: Any, org: Org) -> None:
    org.faults.add({"kind": "job_stall", "method": "JOB", "path": "/jobs/query/"})
    answer = admin.send("POST", "/jobs/query", {"operation": "query", "query": "SELECT Id FROM Account"})
    job = f"/jobs/query/{answer.data['id']}"
    while admin.send("GET", job).data["state"] != "InProgress":
        time.sleep(0.005)
    # Both at once, so that the worker finds the job gone.
    with org.store.write():
        assert admin.send("PATCH", job, {"state": "Aborted"}).status == 200
        assert admin.send("DELETE", job).status == 204
    org.faults.remove()
    _, info = query(admin, "SELECT Id FROM Account")
    assert info["state"] == "JobComplete"


@pytest.mark.usefixtures("working")
def test_faults_of_jobs(admin: Any, org: Org) -> None:
    place = {"method": "JOB", "path": "/jobs/ingest/Account/insert"}
    data = "Name\n" + "".join(f"{n}\n" for n in range(10))
    org.faults.add({"kind": "lock_rows", "match": place, "times": 1, "value": 3})
    job, info = ingest(admin, data)
    failed = results(admin, job, "failedResults")
    assert [r["Name"] for r in failed] == ["2", "5", "8"]
    assert failed[0]["sf__Error"].startswith("UNABLE_TO_LOCK_ROW:unable to obtain exclusive access")

    org.faults.add({"kind": "job_failed", "match": place, "times": 1, "value": {"after": 4, "message": "no more"}})
    job, info = ingest(admin, data)
    assert (info["state"], info["errorMessage"], info["numberRecordsProcessed"]) == ("Failed", "no more", 4)
    assert len(results(admin, job, "successfulResults")) == 4
    assert [r["Name"] for r in results(admin, job, "unprocessedrecords")] == ["4", "5", "6", "7", "8", "9"]

    org.faults.add(
        {"kind": "fail_rows", "match": place, "times": 1, "value": {"every": 5, "code": "X", "message": "y"}}
    )
    org.faults.add({"kind": "shuffle_results", "match": place, "times": 1})
    job, info = ingest(admin, data)
    assert [r["Name"] for r in results(admin, job, "failedResults")] == ["9", "4"]


def test_an_upload_has_its_limit(admin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "LARGEST_UPLOAD", 6)
    job = create(admin)
    refused = put(admin, job, "Name\nab\n")
    assert (refused.status, refused.data[0]["errorCode"]) == (413, "REQUEST_TOO_LARGE")
    assert put(admin, job, "Name\na").status == 201


def test_a_second_server_on_the_same_file_is_refused(org: Org, tmp_path: Path) -> None:
    with pytest.raises(StoreInUse, match="in use by another local org"):
        Org(Settings(data=tmp_path / "org.sqlite")).open()
