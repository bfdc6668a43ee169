"""The sockets: one org served over HTTP and HTTPS by one event loop, calls answered in threads."""

import asyncio
import contextlib
import json
import socket
import ssl
import time
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import anyio
import uvicorn
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sandbox.salesforce import certificate, proxy
from sandbox.salesforce.bulk import worker
from sandbox.salesforce.faults import Kind
from sandbox.salesforce.fronts.messages import Answer, Call
from sandbox.salesforce.fronts.routes import Router
from sandbox.salesforce.org import Org

_THREADS = 40
_PART = 1_048_576


class _Protocol(HttpToolsProtocol):
    """Uvicorn's HTTP protocol, with the connection in the scope so that a fault can cut it."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {"sandbox.transport": {"transport": self.transport}}


class _Name(bytes):
    """A header name that keeps its capitals through uvicorn, which lowers all: some clients look for ``Content-Type`` only."""

    def lower(self) -> bytes:
        return self

    def __eq__(self, other: object) -> bool:
        return super().lower() == other

    __hash__ = bytes.__hash__


class Application:
    """The ASGI application: request to `Call`, `Answer` to response, transport faults in between."""

    def __init__(self, org: Org) -> None:
        self.org = org
        self.router = Router(org)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        begun = time.perf_counter()
        try:
            body = await request.body()
        except ClientDisconnect:
            return
        call = Call(
            method=request.method,
            path=request.url.path,
            query=dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)),
            headers={key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]},
            body=body,
            origin=f"{scope['scheme']}://{request.headers.get('host', '127.0.0.1')}",
        )
        call.path = scope["path"]
        # Control calls are exempt, or a rule for every path could not be taken back.
        faulty = not call.path.startswith("/sandbox/") and self.org.faults.take
        if faulty and (late := faulty(call.method, call.path, Kind.LATENCY)):
            await asyncio.sleep(float(late.value or 0))
        if faulty and faulty(call.method, call.path, Kind.DROP_BEFORE):
            self._note(call, 0, "", begun)
            await _cut(scope, receive)
            return
        answer, client = await anyio.to_thread.run_sync(self.router, call)
        if faulty and faulty(call.method, call.path, Kind.DROP_AFTER):
            self._note(call, 0, client, begun)
            await _cut(scope, receive)
            return
        self._note(call, answer.status, client, begun)
        cut = faulty and faulty(call.method, call.path, Kind.TRUNCATE)
        await self._send(scope, send, answer, int(cut.value or 0) if cut else None)

    def _note(self, call: Call, status: int, client: str, begun: float) -> None:
        if call.path.startswith("/sandbox/") or call.path == "/":
            return
        self.org.usage.calls.append(
            {
                "at": self.org.clock.stamp(),
                "method": call.method,
                "path": call.path,
                "query": dict(call.query),
                "client": client,
                "status": status,
                "ms": round((time.perf_counter() - begun) * 1000, 2),
                "bytes": len(call.body),
                "call_options": call.headers.get("sforce-call-options"),
            }
        )

    async def _send(self, scope: Scope, send: Send, answer: Answer, cut: int | None) -> None:
        content = answer.content()
        # By the org's clock: clients take the instant a read began from it.
        headers = answer.headers | {"Date": formatdate(self.org.clock.now().timestamp(), usegmt=True)}
        if answer.status not in (204, 304):
            headers |= {"Content-Type": answer.type, "Content-Length": str(len(content))}
        named = [(_Name(name.encode()), value.encode("latin-1", "replace")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": named})
        if cut is not None:
            await send({"type": "http.response.body", "body": content[:cut], "more_body": True})
            scope["extensions"]["sandbox.transport"]["transport"].close()
            return
        # In parts: asyncio would copy a large body again and again while the client takes it.
        for at in range(0, len(content), _PART):
            await send({"type": "http.response.body", "body": content[at : at + _PART], "more_body": True})
        await send({"type": "http.response.body", "body": b""})


async def _cut(scope: Scope, receive: Receive) -> None:
    scope["extensions"]["sandbox.transport"]["transport"].abort()
    # Until uvicorn knows that the connection is gone; it would complain of the missing answer otherwise.
    await receive()


class _Quiet(uvicorn.Server):
    """A uvicorn server that leaves signals to us."""

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        """Do nothing."""
        yield


def listen(port: int) -> socket.socket:
    """Return a listening socket on 127.0.0.1; port 0 takes a free one.

    Raises:
        OSError: The port is taken; the message says so.
    """
    # With the protocol named, asyncio turns off Nagle's algorithm: every small answer would take 40 ms otherwise.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind(("127.0.0.1", port))
    except OSError as error:
        sock.close()
        raise OSError(
            f"port {port} of 127.0.0.1 is taken: stop what uses it or choose another port (0: any)"
        ) from error
    sock.listen(128)
    return sock


def _uvicorn(app: Application, files: tuple[Path, Path] | None) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        lifespan="off",
        http=_Protocol,
        date_header=False,
        server_header=False,
        timeout_graceful_shutdown=1,
        backlog=128,
    )
    config.load()
    if files:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*files)
        config.ssl = context
        config.ssl_certfile = str(files[0])  # makes the scheme of requests https
    return _Quiet(config)


async def serve(
    org: Org, *, http_port: int, https_port: int, proxy_port: int, port_file: Path | None, stop: asyncio.Event
) -> None:
    """Serve an open org until `stop` is set.

    Args:
        org: The org.
        http_port, https_port, proxy_port: Ports on 127.0.0.1; 0 takes a free one.
        port_file: Where to write the ports taken (JSON), once all answer.
        stop: Ends the server.
    """
    anyio.to_thread.current_default_thread_limiter().total_tokens = _THREADS
    files = certificate.ensure(org.settings.data.parent)
    app = Application(org)
    sockets = [listen(http_port), listen(https_port)]
    ports = [sock.getsockname()[1] for sock in sockets]
    servers = [_uvicorn(app, None), _uvicorn(app, files)]
    tunnel = await proxy.start(proxy_port, ports[1])
    workers = worker.start(org)
    running = [asyncio.create_task(server.serve(sockets=[sock])) for server, sock in zip(servers, sockets, strict=True)]
    try:
        while not all(server.started for server in servers):
            await asyncio.sleep(0.01)
        where = {
            "http": ports[0],
            "https": ports[1],
            "proxy": tunnel.sockets[0].getsockname()[1],
            "certificate": str(files[0]),
        }
        if port_file:
            temporary = port_file.with_name(port_file.name + ".part")
            temporary.write_text(json.dumps(where), encoding="utf-8")
            temporary.replace(port_file)
        print(
            f"Local Salesforce org: http://127.0.0.1:{where['http']} and https://127.0.0.1:{where['https']} "
            f"(proxy 127.0.0.1:{where['proxy']}, certificate {where['certificate']})",
            flush=True,
        )
        await stop.wait()
    finally:
        for server in servers:
            server.should_exit = True
        tunnel.close()
        await asyncio.gather(*running)
        for one in workers:
            await asyncio.to_thread(one.stop)
