"""Bulk API 2.0: query jobs and the pages of their results."""

import csv
import io
from typing import Any

import pytest

from sandbox.salesforce.bulk import files
from sandbox.salesforce.fronts import bulk
from tests.unit.salesforce_org.bulk_jobs import ended, ingest, query

OPPORTUNITY = {"StageName": "Prospecting", "CloseDate": "2026-12-31"}


@pytest.mark.usefixtures("working")
def test_query_pages_cover_all_rows_once(admin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_ROWS_AT_ONCE", 300)
    names = [f'{n}, "x"\n' if n % 7 else f"{n}" for n in range(1000)]
    rows = "".join('"' + name.replace('"', '""') + '"\n' for name in names)
    ingest(admin, "Name\n" + rows)
    job, info = query(
        admin, "SELECT Id, Name, IsDeleted, Phone, Owner.Username, CreatedDate, AnnualRevenue FROM Account"
    )
    assert info["numberRecordsProcessed"] == 1000
    found: list[dict[str, str]] = []
    locator = ""
    while locator != "null":
        answer = admin.send("GET", f"{job}/results?maxRecords=333&locator={locator}")
        page = list(csv.DictReader(io.StringIO(answer.content().decode(), newline="")))
        assert int(answer.headers["Sforce-NumberOfRecords"]) == len(page)
        locator = answer.headers["Sforce-Locator"]
        found += page
    assert sorted(r["Name"] for r in found) == sorted(name.strip() for name in names)
    first = found[0]
    assert (first["IsDeleted"], first["Phone"], first["Owner.Username"]) == ("false", "", "admin@accord.example")
    assert first["CreatedDate"].endswith(".000Z")
    # A locator stays good, and another API version is a conflict.
    assert admin.send("GET", f"{job}/results?maxRecords=1&locator=MTA").content().count(found[10]["Id"].encode()) == 1
    for resource in ("results", "resultPages"):
        assert admin.refused("GET", f"/services/data/v61.0{job}/{resource}") == (409, "API_VERSION_MISMATCH")
    assert admin.refused("GET", f"{job}/results?locator=nonsense") == (400, "INVALID_QUERY_LOCATOR")
    pages = admin.send("GET", f"{job}/resultPages").data
    assert (len(pages["resultPages"]), pages["done"]) == (1, True)
    assert admin.send("GET", pages["resultPages"][0]["resultUrl"]).headers["Sforce-NumberOfRecords"] == "1000"


@pytest.mark.usefixtures("working")
def test_pages_to_be_read_side_by_side_are_listed_five_at_a_time(admin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "DEFAULT_PAGE", 10)
    ingest(admin, "Name\n" + "".join(f"{n}\n" for n in range(73)))
    job, _ = query(admin, "SELECT Name FROM Account")
    lists = [admin.send("GET", f"{job}/resultPages").data]
    while not lists[-1]["done"]:
        lists.append(admin.send("GET", lists[-1]["nextRecordsUrl"]).data)
    urls = [page["resultUrl"] for one in lists for page in one["resultPages"]]
    assert [len(one["resultPages"]) for one in lists] == [5, 3]
    assert lists[-1]["nextRecordsUrl"] is None
    names: list[str] = []
    for url in reversed(urls):
        text = admin.send("GET", url).content().decode()
        names += [row["Name"] for row in csv.DictReader(io.StringIO(text, newline=""))]
    assert sorted(names, key=int) == [str(n) for n in range(73)]


@pytest.mark.usefixtures("working")
@pytest.mark.parametrize(
    ("delimiter", "ending"), [("BACKQUOTE", "LF"), ("CARET", "CRLF"), ("PIPE", "LF"), ("TAB", "CRLF")]
)
def test_query_results_are_csv_of_the_job_s_kind(admin: Any, delimiter: str, ending: str) -> None:
    sign = files.DELIMITERS[delimiter]
    names = [f'a{sign}"{sign}b', "'x''", "Å\r\ny", '""']
    amounts = [12.5, 0.1, 123456789012345.67, None]  # of 16 digits and two places at most
    ids = [admin.create("Opportunity", Name=n, Amount=a, **OPPORTUNITY) for n, a in zip(names, amounts, strict=True)]
    query = {"operation": "query", "query": "SELECT Id, Name, Amount, IsWon, CloseDate FROM Opportunity ORDER BY Id"}
    answer = admin.send("POST", "/jobs/query", {**query, "columnDelimiter": delimiter, "lineEnding": ending})
    job = f"/jobs/query/{answer.data['id']}"
    ended(admin, job)
    text = admin.send("GET", f"{job}/results").content().decode()
    assert text.endswith(files.LINE_ENDINGS[ending])
    header, *rows = csv.reader(io.StringIO(text, newline=""), delimiter=sign)
    assert header == ["Id", "Name", "Amount", "IsWon", "CloseDate"]
    assert [(row[0], row[1], float(row[2]) if row[2] else None) for row in rows] == list(
        zip(ids, names, amounts, strict=True)
    )
    assert {tuple(row[3:]) for row in rows} == {("false", "2026-12-31")}


@pytest.mark.usefixtures("working")
def test_query_all_and_an_empty_result(admin: Any) -> None:
    record = admin.create("Account", Name="a")
    admin.send("DELETE", f"/sobjects/Account/{record}")
    job, _ = query(admin, "SELECT Id FROM Account")
    answer = admin.send("GET", f"{job}/results")
    assert (answer.content(), answer.headers["Sforce-Locator"]) == (b'"Id"\n', "null")
    job, info = query(admin, "SELECT Id FROM Account", "queryAll")
    assert info["numberRecordsProcessed"] == 1


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SELECT COUNT() FROM Account", "API_ERROR"),
        ("SELECT Name, COUNT(Id) FROM Account GROUP BY Name", "API_ERROR"),
        ("SELECT Id FROM Account LIMIT 1 OFFSET 1", "API_ERROR"),
        ("SELECT Id, (SELECT Id FROM Contacts) FROM Account", "API_ERROR"),
        ("SELECT BillingAddress FROM Account", "API_ERROR"),
        ("SELECT Nope FROM Account", "INVALID_FIELD"),
        ("SELECT", "MALFORMED_QUERY"),
    ],
)
def test_what_bulk_queries_cannot_do(admin: Any, text: str, code: str) -> None:
    assert admin.refused("POST", "/jobs/query", {"operation": "query", "query": text}) == (400, code)


def test_results_before_the_end(admin: Any) -> None:
    answer = admin.send("POST", "/jobs/query", {"operation": "query", "query": "SELECT Id FROM Account"})
    assert admin.refused("GET", f"/jobs/query/{answer.data['id']}/results") == (400, "INVALIDJOBSTATE")
