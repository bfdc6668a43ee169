"""The session with Tryton against a scripted server: logins, time-outs, and what each kind of trouble is called."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import pytest

from accord.errors import AccordError, BadCredentials, InDoubt, SchemaDrift, Stop, Unavailable
from accord.settings import Connection
from accord.systems.tryton.client import Conflict, Crowded, Refused, TrytonClient
from accord.systems.tryton.wire import decoded, encoded

METHOD = "model.party.party.search"
RIGHT = "right"


class Server(ThreadingHTTPServer):
    """Answers logins by itself, other calls from `script`: (status, body), or "drop", or "hang"."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script: list[Any] = []
        self.calls: list[dict[str, Any]] = []
        self.logins = 0
        self.date: datetime | None = None
        self.released = Event()


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        call = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if call["method"] == "common.db.login":
            self.server.logins += 1
            known = call["params"][1]["password"] == RIGHT
            return self.reply(200 if known else 401, {"result": [7, "token"]} if known else None)
        if call["method"] == "model.res.user.get_preferences":
            return self.reply(200, {"result": {"company": 1, "language": "nl"}})
        self.server.calls.append(call | {"auth": self.headers["Authorization"]})
        what = self.server.script.pop(0) if self.server.script else (200, {"result": [1]})
        if what == "drop":
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return None
        if what == "hang":
            self.server.released.wait(30)
            return None
        return self.reply(*what)

    def reply(self, status: int, body: Any) -> None:
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response_only(status)
        if self.server.date:
            self.send_header("Date", self.server.date.strftime("%a, %d %b %Y %H:%M:%S GMT"))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.released.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def open_client(server: Server) -> Iterator[Callable[..., TrytonClient]]:
    opened: list[TrytonClient] = []

    def open_client(password: str = RIGHT, **extra: Any) -> TrytonClient:
        where = Connection(
            id="erp", host="127.0.0.1", port=server.server_port, login="accord", password=password,
            extra={"database": "books"} | extra,
        )  # fmt: skip
        opened.append(TrytonClient(where))
        return opened[-1]

    yield open_client
    for client in opened:
        client.close()


def test_logs_in_once_and_passes_the_users_context(server: Server, open_client: Callable[..., TrytonClient]) -> None:
    client = open_client()
    assert client.call(METHOD, [], context={"company": 3}) == [1]
    client.call(METHOD, [])
    assert server.logins == 1
    assert server.calls[0]["params"] == [[], {"company": 3, "language": "en"}]
    assert server.calls[0]["auth"].startswith("Session ")


@pytest.mark.parametrize("status", [401, 403])
def test_an_ended_session_is_opened_again_and_the_call_repeated(
    server: Server, open_client: Callable[..., TrytonClient], status: int
) -> None:
    client = open_client()
    client.call(METHOD, [])
    server.script = [(status, None)]
    assert client.call(METHOD, []) == [1]
    assert server.logins == 2


@pytest.mark.parametrize(("status", "error"), [(401, BadCredentials), (403, SchemaDrift)])
def test_a_session_refused_again_is_not_tried_for_ever(
    server: Server, open_client: Callable[..., TrytonClient], status: int, error: type[AccordError]
) -> None:
    client = open_client()
    client.call(METHOD, [])
    server.script = [(status, None)] * 9
    with pytest.raises(error):
        client.call(METHOD, [])
    assert len(server.calls) == 3


def test_a_wrong_password(open_client: Callable[..., TrytonClient]) -> None:
    with pytest.raises(BadCredentials) as refused:
        open_client("wrong").call(METHOD, [])
    assert "wrong" not in str(refused.value)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((200, {"error": ["UserError", ["Text", "", None]]}), Refused),
        ((200, {"error": ["UserWarning", ["name", "Text", ""]]}), Refused),
        ((200, {"error": ["ConcurrencyException", ["Records were modified", ""]]}), Conflict),
        ((200, {"error": ["'nope'", ""]}), SchemaDrift),
        ((200, {"error": ["LoginException", ["", ""]]}), BadCredentials),
        ((429, None), Unavailable),
        ((503, None), Unavailable),
        ((503, b"<p>could not obtain lock on relation &#34;account_move_line&#34;</p>"), Crowded),
        ((503, b"<p>could not obtain lock on row in relation &#34;sale_sale&#34;</p>"), Conflict),
        ((503, b"<p>deadlock detected DETAIL: Process 1 waits</p>"), Crowded),
        ((500, None), InDoubt),
        ((502, None), InDoubt),
        ((404, None), Stop),
        ((200, b"<html>"), Stop),
        ("drop", InDoubt),
        ("hang", InDoubt),
    ],
)
def test_trouble_is_named_by_what_to_do(
    server: Server, open_client: Callable[..., TrytonClient], answer: Any, error: type[AccordError]
) -> None:
    client = open_client(request_timeout_s=0.5)
    client.call(METHOD, [])
    server.script = [answer]
    with pytest.raises(error) as raised:
        client.call(METHOD, [])
    assert type(raised.value) is error
    assert raised.value.cure
    assert client.call(METHOD, []) == [1]  # the next call goes through


def test_words_of_a_refusal_stay_out_of_the_message(server: Server, open_client: Callable[..., TrytonClient]) -> None:
    server.script = [
        (200, {"error": ["UserError", ['The Number "NL1" for party "Secret Ltd" is not valid.', "", None]]})
    ]
    with pytest.raises(Refused) as refused:
        open_client().call(METHOD, [])
    assert "Secret" not in str(refused.value)
    assert "Secret" in refused.value.text


def test_nobody_listens(server: Server) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        where = Connection(id="erp", host="127.0.0.1", port=free.getsockname()[1])
        with pytest.raises(Unavailable):
            TrytonClient(where).call(METHOD, [])


def test_the_servers_clock_counts_when_it_differs(server: Server, open_client: Callable[..., TrytonClient]) -> None:
    client = open_client()
    client.call(METHOD, [])
    assert abs(client.clock - datetime.now(UTC)) < timedelta(seconds=10)
    server.date = datetime(2020, 2, 2, 12, 0, 0, tzinfo=UTC)
    client.call(METHOD, [])
    assert client.clock == server.date


def test_a_call_given_up_may_take_effect_for_longer_than_the_time_out(open_client: Callable[..., TrytonClient]) -> None:
    assert open_client(request_timeout_s=3).longest == timedelta(seconds=6)
    assert open_client(request_timeout_s=3, longest_request_s=20).longest == timedelta(seconds=20)


def test_values_survive_the_wire() -> None:
    body = {
        "m": Decimal("10.10"),
        "d": date(2026, 2, 28),
        "t": datetime(2026, 1, 1, 1, 2, 3, 4, tzinfo=UTC),
        "n": [None, "é"],
    }
    assert decoded(encoded(body)) == body
    with pytest.raises(TypeError):
        encoded({"no": object()})
