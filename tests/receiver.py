"""A webhook's receiver over real HTTP, which answers as it is told to and keeps what it got."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from accord.settings import Connection

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
HANG, DIE = "hang", "die"  # no answer in time; the connection ends without one
Answer = int | str | tuple[int, dict[str, str]]


def code_of(page: str) -> dict[str, Any]:
    """The names that a documentation page's Python defines."""
    text = (Path(__file__).resolve().parents[1] / "docs" / page).read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(block, names)  # noqa: S102 - our own page, which is what is tested
    return names


@dataclass(slots=True)
class Request:
    """What came in: headers in lower case, the body as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def events(self) -> list[dict[str, Any]]:
        found = json.loads(self.body)
        return found if isinstance(found, list) else [found]


@dataclass(slots=True)
class Receiver:
    """`answers` are used up first, then every request is taken. `before` is called with each request before its answer."""

    port: int = 0
    answers: list[Answer] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    before: Callable[[Request], object] = lambda _: None
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def events(self) -> list[dict[str, Any]]:
        """Everything that came in, taken or not, in order."""
        return [event for request in self.requests for event in request.events]

    def connection(self, name: str = "one", **extra: Any) -> Connection:
        """What its administrator would declare."""
        return Connection(
            id=f"accord_subscriber_{name}",
            host=extra.pop("url", self.url),
            password=SECRET,
            extra={"timeout_s": 1} | extra,
        )


@contextmanager
def running(receiver: Receiver) -> Iterator[Receiver]:
    """The receiver over HTTP on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            request = Request(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            receiver.requests.append(request)
            receiver.before(request)
            answer = receiver.answers.pop(0) if receiver.answers else 204
            if answer == HANG:
                receiver.released.wait(30)
            if isinstance(answer, str):
                self.close_connection = True
                return
            status, headers = answer if isinstance(answer, tuple) else (answer, {})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running(Receiver()) as receiver:
        yield receiver
