# ruff: noqa: S608 - the statements are SOQL of fixed names
"""Measures how fast the org is, so that it is never what another program's benchmark measures.

::

    python -m sandbox.salesforce.bench                    # a million records; minutes
    python -m sandbox.salesforce.bench --records 100000

A server of its own on a temporary folder, called over HTTP by one client. For each step: records (or pages) a second by the
clock, and by the processor time of the server alone, which a busy machine does not change.
"""

import argparse
import base64
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import psutil

from sandbox.salesforce.org import Settings

_JOB = 250_000  # rows an ingest job takes here: well below the 150 MB an upload may have
_POLL_SECONDS = 0.02


class _Page(msgspec.Struct):
    """What the client looks at in a page: the time it would take for the records is not the server's."""

    nextRecordsUrl: str | None = None


class Server:
    """A running server, and one client of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = folder / "ports.json"

    def start(self) -> float:
        """Start it; return the seconds until it answered."""
        self.ports.unlink(missing_ok=True)
        free = [word for name in ("--http-port", "--https-port", "--proxy-port") for word in (name, "0")]
        places = ["--data", str(self.folder / "org.sqlite"), "--port-file", str(self.ports)]
        begun = time.perf_counter()
        with open(self.folder / "log", "ab") as log:
            command = [sys.executable, "-m", "sandbox.salesforce", *places, *free]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603 - this package itself
        while not self.ports.is_file():
            if self.process.poll() is not None:
                raise RuntimeError((self.folder / "log").read_text()[-2000:])
            time.sleep(_POLL_SECONDS)
        seconds = time.perf_counter() - begun
        self.http = http.client.HTTPConnection("127.0.0.1", json.loads(self.ports.read_text())["http"], timeout=600)
        settings = Settings.from_environment(data=self.folder)
        pair = base64.b64encode(f"{settings.admin_id}:{settings.admin_secret}".encode()).decode()
        self.headers = {"Authorization": f"Basic {pair}"}
        token = self.json("POST", "/services/oauth2/token?grant_type=client_credentials")["access_token"]
        self.headers = {"Authorization": f"Bearer {token}"}
        return seconds

    def stop(self) -> None:
        """End it."""
        self.http.close()
        self.process.terminate()
        self.process.wait()

    def cpu(self) -> float:
        """Return the processor seconds the server has used."""
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)

    def send(
        self, method: str, path: str, body: bytes | None = None, kind: str = "application/json"
    ) -> tuple[Any, bytes]:
        """Send a request; return headers and body."""
        path = path if path.startswith("/services/") else f"/services/data/v62.0{path}"
        self.http.request(method, path, body, {**self.headers, "Content-Type": kind})
        response = self.http.getresponse()
        content = response.read()
        if response.status >= 300:
            raise RuntimeError(f"{method} {path}: {response.status} {content[:500]!r}")
        return response.headers, content

    def json(self, method: str, path: str, body: Any = None) -> Any:
        """Send and get JSON."""
        return json.loads(self.send(method, path, None if body is None else json.dumps(body).encode())[1])

    def ended(self, path: str) -> dict[str, Any]:
        """Wait for a job."""
        while (info := self.json("GET", path))["state"] in ("UploadComplete", "InProgress"):
            time.sleep(_POLL_SECONDS)
        if info["state"] != "JobComplete" or info.get("numberRecordsFailed"):
            raise RuntimeError(f"the job ended badly: {info}")
        return dict(info)

    def ingest(self, obj: str, operation: str, data: bytes, **more: str) -> None:
        """Run an ingest job to its end."""
        path = (
            f"/jobs/ingest/{self.json('POST', '/jobs/ingest', {'object': obj, 'operation': operation, **more})['id']}"
        )
        self.send("PUT", f"{path}/batches", data, "text/csv")
        self.json("PATCH", path, {"state": "UploadComplete"})
        self.ended(path)


@contextmanager
def measured(server: Server, what: str, count: int, unit: str = "records") -> Iterator[None]:
    """Print how fast `count` went."""
    cpu, begun = server.cpu(), time.perf_counter()
    yield
    spent, seconds = server.cpu() - cpu, time.perf_counter() - begun
    print(
        f"{what:<34} {count:>9,} {unit:<8} {seconds:7.2f} s {count / seconds:>10,.0f}/s"
        f" {spent:7.2f} s cpu {count / max(spent, 0.001):>10,.0f}/cpu-s",
        flush=True,
    )


def _chunks(records: int) -> Iterator[range]:
    for start in range(0, records, _JOB):
        yield range(start, min(records, start + _JOB))


def run(server: Server, records: int) -> None:
    """Measure everything once."""
    server.start()
    fields = "Name,Phone,BillingCity,BillingCountryCode,AnnualRevenue"
    uploads = [
        "\n".join([fields, *(f"Company {n},+31 20 {n},Amsterdam,NL,{n}.5" for n in chunk)]).encode()
        for chunk in _chunks(records)
    ]
    with measured(server, "Bulk insert (5 fields)", records):
        for upload in uploads:
            server.ingest("Account", "insert", upload)
    some = min(records, 100_000)
    known = _bulk_query(server, f"SELECT Id FROM Account LIMIT {some}")[1:-1]
    update = "\n".join(["Id,Phone,AnnualRevenue", *(f"{line},+31 10 {n},{n}.25" for n, line in enumerate(known))])
    with measured(server, "Bulk update (2 fields)", some):
        server.ingest("Account", "update", update.replace('"', "").encode())
    known = known[: some // 10]
    for turn in ("creating", "updating"):
        rows = "".join(f"NL01:{n},{known[n % len(known)]},true\n" for n in range(some))
        with measured(server, f"Bulk upsert, {turn}, 3 roll-ups", some):
            server.ingest(
                "ERP_Account__c",
                "upsert",
                f"Key__c,Account__c,Active__c\n{rows}".replace('"', "").encode(),
                externalIdFieldName="Key__c",
            )
    with measured(server, "Bulk query (7 fields)", records):
        lines = _bulk_query(server, f"SELECT Id, SystemModstamp, {fields.replace(',', ', ')} FROM Account")
    if len(lines) != records + 2:
        raise RuntimeError(f"{len(lines) - 2} records of {records}")
    pages = min(50, records // 2000)
    with measured(server, "REST pages of 2,000 (5 fields)", pages, "pages"):
        soql = f"SELECT Id, Name, Phone, BillingCity, AnnualRevenue FROM Account LIMIT {pages * 2000}"
        following: str | None = f"/query?q={quote(soql)}"
        while following:
            following = msgspec.json.decode(server.send("GET", following)[1], type=_Page).nextRecordsUrl
    server.stop()
    print(f"{'opened again in':<34} {server.start():>9.2f} s")
    server.stop()


def _bulk_query(server: Server, soql: str) -> list[str]:
    path = f"/jobs/query/{server.json('POST', '/jobs/query', {'operation': 'query', 'query': soql})['id']}"
    server.ended(path)
    content, locator = "", ""
    while locator != "null":
        headers, page = server.send("GET", f"{path}/results?maxRecords=250000&locator={locator}")
        text = page.decode()
        content += text if not content else text[text.index("\n") + 1 :]
        locator = headers["Sforce-Locator"]
    return content.split("\n")


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.salesforce.bench", description=__doc__.split("\n")[0])
    parser.add_argument("--records", type=int, default=1_000_000, metavar="N", help="accounts (default: %(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="salesforce-bench-") as folder:
        server = Server(Path(folder))
        try:
            run(server, max(options.records, 4000))
        finally:
            if server.process.poll() is None:
                server.process.kill()
    print(f"load of the machine at the end: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
