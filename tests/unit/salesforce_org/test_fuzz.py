# ruff: noqa: S608 - the statements are SOQL made of the test's own words
"""Nonsense gets Salesforce's refusals, never an error of our own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.salesforce.bulk.files import Upload
from sandbox.salesforce.bulk.jobs import Job, State
from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.fronts.messages import Call

_WORDS = st.sampled_from(
    "SELECT FROM WHERE AND OR NOT IN LIKE NULL TRUE ( ) , = != < >= 'a' '%' '\\' 5 -1.5e3 2020-01-01 2020-13-45 "
    "2020-01-01T00:00:00Z TODAY LAST_N_DAYS:3 LAST_N_DAYS:99999999999 Id Name Account Contact Contacts Parent.Name "
    "COUNT() COUNT(Id) GROUP BY HAVING ORDER DESC NULLS LAST LIMIT OFFSET 1 INCLUDES FIELDS(ALL) CreatedDate IsDeleted "
    "BillingAddress Legal_Entities__c Owner.Name TYPEOF WHEN THEN ELSE END What Task".split()
)
QUERIES = st.lists(_WORDS, max_size=14).map(" ".join) | st.text(max_size=60)
QUERIES |= QUERIES.map(lambda rest: f"SELECT Id FROM Account WHERE {rest}")
_EASY = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)


def refused(work: Callable[[], Any]) -> ApiError | None:
    """Return the refusal; anything else that goes wrong fails the test."""
    try:
        work()
    except ApiError as error:
        return error
    return None


@_EASY
@given(text=QUERIES)
def test_any_text_as_query(admin: Any, text: str) -> None:
    refusal = refused(lambda: admin.run(text))
    assert refusal is None or (refusal.status == 400 and refusal.code and refusal.message)


@_EASY
@given(
    data=st.binary(max_size=80) | st.text('"a,\n\r #N/A\ufeff', max_size=60).map(str.encode),
    delimiter=st.sampled_from(["COMMA", "TAB"]),
)
def test_any_bytes_as_upload(tmp_path: Path, data: bytes, delimiter: str) -> None:
    path = tmp_path / "upload.csv"
    path.write_bytes(data)
    job = Job(
        id="x",
        kind="ingest",
        operation="insert",
        object="Account",
        client="c",
        user_id="u",
        created="",
        version="62.0",
        state=State.OPEN,
        delimiter=delimiter,
    )
    refusal = refused(lambda: list(Upload(path, job).rows()))
    assert refusal is None or refusal.code == "INVALIDBATCH"


@_EASY
@given(
    body=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        *("Name", "Id", "records", "attributes", "type", "ParentId", "AnnualRevenue", "x"),
                        *(
                            "referenceId",
                            "batchRequests",
                            "compositeRequest",
                            "graphs",
                            "graphId",
                            "url",
                            "method",
                            "Contacts",
                        ),
                    ]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=8,
    )
)
@pytest.mark.parametrize(
    "path",
    [
        "/sobjects/Account",
        "/composite/sobjects",
        "/composite",
        "/composite/batch",
        "/composite/graph",
        "/composite/tree/Account",
        "/jobs/ingest",
        "/jobs/query",
        "/sandbox/faults",
        "/sandbox/merge",
    ],
)
def test_any_json_as_body(admin: Any, path: str, body: Any) -> None:
    answer = admin.send("POST", path, body)
    assert answer.status < 500, (body, answer.data)


def shaped(answer: Any) -> bool:
    """Whether an answer is no failure of the server's own, and a refusal has Salesforce's shape."""
    if answer.status < 400:
        return True
    return answer.status < 500 and all({"message", "errorCode"} <= set(error) for error in answer.data)


@_EASY
@given(
    method=st.sampled_from(["GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS", "x"]),
    parts=st.lists(
        st.sampled_from(
            "sobjects Account Contact describe query queryAll composite tree batch jobs ingest query results batches updated "
            "limits recordCount Name Key__c 001 001gK0000000001QAA .. % ' -1".split()
        )
        | st.text(max_size=5),
        max_size=5,
    ),
    query=st.dictionaries(
        st.sampled_from(["q", "ids", "fields", "locator", "start", "end", "maxRecords"]), st.text(max_size=8)
    ),
    body=st.binary(max_size=30),
)
def test_any_address(admin: Any, method: str, parts: list[str], query: dict[str, str], body: bytes) -> None:
    path = "/services/data/v62.0/" + "/".join(parts)
    call = Call(method=method, path=path, query=query, headers=admin.headers, body=body, origin="https://org.example")
    answer = admin.router(call)[0]
    assert shaped(answer), (method, path, query, body, answer.data)
    answer.content()


@_EASY
@given(body=st.binary(max_size=60) | st.text('-X\r\n:; name="job"{}content', max_size=120).map(str.encode))
def test_any_bytes_as_multipart(admin: Any, body: bytes) -> None:
    answer = admin.send("POST", "/jobs/ingest", body, content_type="multipart/form-data; boundary=X")
    assert shaped(answer), (body, answer.data)


@_EASY
@given(body=st.binary(max_size=60) | st.text('<>/ex:nvlopBdyginu="', max_size=80).map(str.encode))
def test_any_bytes_as_soap(admin: Any, body: bytes) -> None:
    answer = admin.router(Call(method="POST", path="/services/Soap/u/62.0", body=body))[0]
    assert b"<sf:exceptionCode>" in answer.content(), body
