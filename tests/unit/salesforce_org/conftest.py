"""An org in this process, without sockets, and clients that call it as a request would."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from sandbox.salesforce.bulk import worker
from sandbox.salesforce.fronts.messages import Answer, Call
from sandbox.salesforce.fronts.routes import Router
from sandbox.salesforce.org import Org, Settings

METADATA = Path(__file__).resolve().parents[3] / "include" / "salesforce_metadata"


class Api:
    """A signed-in client of an org."""

    def __init__(self, org: Org, client: str) -> None:
        self.org, self.router = org, Router(org)
        self.headers = {"authorization": f"Bearer {org.new_token(client)}"}

    def send(self, method: str, url: str, body: Any = None, **headers: str) -> Answer:
        """Send a request; paths are below /services/data/v62.0 unless they start with /services/ or /sandbox/."""
        parts = urlsplit(url)
        path = parts.path if parts.path.startswith(("/services/", "/sandbox/")) else f"/services/data/v62.0{parts.path}"
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        call = Call(
            method=method,
            path=path,
            query=dict(parse_qsl(parts.query)),
            headers={**self.headers, **named},
            body=raw,
            origin="https://org.example",
        )
        return self.router(call)[0]

    def create(self, obj: str, **values: Any) -> str:
        """Create a record and return its id."""
        answer = self.send("POST", f"/sobjects/{obj}", values)
        assert answer.status == 201, answer.data
        return str(answer.data["id"])

    def refused(self, method: str, url: str, body: Any = None) -> tuple[int, str]:
        """Send a request that is refused; return HTTP status and error code."""
        answer = self.send(method, url, body)
        assert answer.status >= 300, answer.data
        return answer.status, answer.data[0]["errorCode"]

    def run(self, soql: str, *, deleted: bool = False) -> dict[str, Any]:
        """Run a query; return its answer."""
        actor = self.org.session(self.headers["authorization"][7:])
        assert actor is not None
        return self.org.queries.run(actor, soql, "/services/data/v62.0", deleted=deleted)

    def column(self, soql: str, *, deleted: bool = False) -> list[Any]:
        """Run a query for one field; return its values."""
        records = self.run(soql, deleted=deleted)["records"]
        return [next(value for key, value in record.items() if key != "attributes") for record in records]


@pytest.fixture(scope="session")
def new_org(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data file of an org nobody has used: making its tables takes longer than most tests."""
    made = Org(Settings(data=tmp_path_factory.mktemp("org") / "org.sqlite", metadata=METADATA))
    made.open()
    made.close()
    return made.settings.data


@pytest.fixture
def org(tmp_path: Path, new_org: Path) -> Iterator[Org]:
    data = tmp_path / "org.sqlite"
    shutil.copyfile(new_org, data)
    made = Org(Settings(data=data, metadata=METADATA))
    made.open()
    yield made
    made.close()


@pytest.fixture
def admin(org: Org) -> Api:
    return Api(org, org.settings.admin_id)


@pytest.fixture
def api(org: Org) -> Api:
    """The integration user."""
    return Api(org, org.settings.client_id)


@pytest.fixture
def working(org: Org) -> Iterator[None]:
    """The org's Bulk workers, running."""
    workers = worker.start(org)
    yield
    for one in workers:
        one.stop()
