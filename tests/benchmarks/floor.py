"""The floor: the same result pages downloaded with curl, loaded with COPY and one INSERT … ON CONFLICT; nothing is checked,
compared, claimed or remembered. Once without the ERP's posting and once with it, in batches of the size Accord sends."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from tests.benchmarks.place import FLOOR, LEGACY, Place
from tests.benchmarks.report import Report, Watch

PAGE = 50_000
FIELDS = (
    "Id", "SystemModstamp", "IsDeleted", "MasterRecordId", "Name", "Legal_Name__c", "ParentId", "BillingCountryCode",
    "CurrencyIsoCode", "Tax_Registration__c", "Phone", "Website", "Legal_Entities__c", "BillingStreet", "BillingCity",
    "BillingState", "BillingPostalCode", "ShippingStreet", "ShippingCity", "ShippingState", "ShippingPostalCode",
    "ShippingCountryCode",
)  # fmt: skip
_COLUMNS = sql.SQL(", ").join(map(sql.Identifier, FIELDS))
TEXTS = sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(name)) for name in FIELDS)
TABLE = sql.SQL('CREATE TABLE customer ({}, PRIMARY KEY ("Id"))').format(TEXTS)

_CUSTOMERS = """
INSERT INTO inbound.customer (batch, external_ref, action, version, read_at, companies, name, legal_name, country, currency,
                              tax_registration, phone, website)
SELECT %(batch)s, 'salesforce:' || "Id", 'upsert', "SystemModstamp"::timestamptz, now(), '{US01}', "Name", "Legal_Name__c",
       "BillingCountryCode", "CurrencyIsoCode", "Tax_Registration__c", "Phone", "Website"
FROM page
"""
_ADDRESSES = """
INSERT INTO inbound.customer_address (batch, external_ref, role, street, city, region, postal_code, country)
SELECT %(batch)s, 'salesforce:' || "Id", 'bill_to', "BillingStreet", "BillingCity", "BillingState", "BillingPostalCode",
       "BillingCountryCode" FROM page
UNION ALL
SELECT %(batch)s, 'salesforce:' || "Id", 'ship_to', "ShippingStreet", "ShippingCity", "ShippingState", "ShippingPostalCode",
       "ShippingCountryCode" FROM page
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """Seconds by the clock and by the processors: without the ERP's posting, and with it."""

    bare: tuple[float, float]
    posted: tuple[float, float]


def measure(place: Place, report: Report, part: str) -> Floor:
    """Measure the floor; hub and legacy ERP must be made anew afterwards."""

    def added(what: str, work: Callable[[], object]) -> tuple[float, float]:
        watch = Watch()
        work()
        figure = report.add(part, f"floor: {what}", watch.seconds, place.accounts, cpu=watch.cpu)
        return figure.seconds, figure.cpu or 0.0

    pages: list[Path] = []
    fetched = added("pages with curl", lambda: pages.extend(download(place)))
    with psycopg.connect(place.fresh(FLOOR)) as session:
        loaded = added("COPY and INSERT … ON CONFLICT", lambda: _load(session, pages))
    with psycopg.connect(place.fresh(LEGACY)) as session:
        posted = added("COPY into the inbox and the ERP's posting", lambda: _post(session, pages))
    for page in pages:
        page.unlink()
    return Floor(
        bare=(fetched[0] + loaded[0], fetched[1] + loaded[1]),
        posted=(fetched[0] + posted[0], fetched[1] + posted[1]),
    )


def download(place: Place) -> list[Path]:
    """The pages of a Bulk query of every account, as files."""
    people = place.people()
    query = f"SELECT {', '.join(FIELDS)} FROM Account"  # noqa: S608 - our own names
    job = people.post("/jobs/query", json={"operation": "queryAll", "query": query, "lineEnding": "LF"}).json()
    path = f"/jobs/query/{job['id']}"
    if people.ended(path, 3600)["state"] != "JobComplete":
        raise RuntimeError("the query did not end well")
    folder = place.home / "floor"
    folder.mkdir(exist_ok=True)
    pages, locator = [], ""
    while locator != "null":
        page, headers = folder / f"{len(pages):05d}.csv", folder / "headers"
        more = f"&locator={locator}" if locator else ""
        url = f"{people.base}/services/data/v62.0{path}/results?maxRecords={PAGE}{more}"
        secret = f"Authorization: {people.headers['Authorization']!s}"
        # the header comes by standard input: a process list shows arguments
        subprocess.run(
            ["curl", "--silent", "--fail", "--noproxy", "*", "-H", "@-", "-D", str(headers), "-o", str(page), url],
            input=secret.encode(),
            check=True,
        )
        pages.append(page)
        found = [line for line in headers.read_text().splitlines() if line.lower().startswith("sforce-locator:")]
        locator = found[-1].split(":", 1)[1].strip() if found else "null"
    return pages


def _copy(session: psycopg.Connection, page: Path, into: str) -> None:
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv, HEADER)").format(sql.Identifier(into), _COLUMNS)
    with session.cursor().copy(statement) as copy, page.open("rb") as file:
        while block := file.read(1 << 20):
            copy.write(block)


def _load(session: psycopg.Connection, pages: list[Path]) -> None:
    session.execute(TABLE)
    session.execute("CREATE TEMP TABLE staged (LIKE customer)")
    for page in pages:
        _copy(session, page, "staged")
    updates = sql.SQL(", ").join(
        sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in FIELDS if name != "Id"
    )
    session.execute(
        sql.SQL('INSERT INTO customer SELECT * FROM staged ON CONFLICT ("Id") DO UPDATE SET {}').format(updates)
    )
    session.commit()


def _post(session: psycopg.Connection, pages: list[Path]) -> None:
    session.execute(sql.SQL("CREATE TEMP TABLE page ({})").format(TEXTS))
    for number, page in enumerate(pages):
        batch = {"batch": f"floor-{number}"}
        _copy(session, page, "page")
        session.execute(_CUSTOMERS, batch)
        session.execute(_ADDRESSES, batch)
        session.execute("TRUNCATE page")
        session.commit()
        session.execute("CALL inbound.post_customers(%(batch)s)", batch)
        session.execute("DELETE FROM inbound.customer WHERE batch = %(batch)s", batch)
        session.execute("DELETE FROM inbound.customer_address WHERE batch = %(batch)s", batch)
        session.commit()
