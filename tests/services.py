"""The services that alerts go to, on this machine: an SMTP server, and HTTP servers that answer as Slack's and PagerDuty's APIs do."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass(slots=True)
class Mailbox:
    """What the SMTP server took. `refuses`: an SMTP answer instead."""

    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    refuses: str = ""
    port: int = 0

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:
        if self.refuses:
            return self.refuses
        content = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content).encode()
        mail = message_from_bytes(content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.recipients += envelope.rcpt_tos
        return "250 Message accepted for delivery"

    @property
    def subjects(self) -> list[str]:
        return [str(mail["Subject"]) for mail in self.mails]

    def text(self, place: int = -1) -> str:
        """A mail's content, decoded."""
        part = self.mails[place].get_body(("html", "plain"))
        assert part is not None
        return str(part.get_content())


@contextmanager
def smtp() -> Iterator[Mailbox]:
    """An SMTP server on a free port."""
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    mailbox.port = controller.port
    try:
        yield mailbox
    finally:
        controller.stop()


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(slots=True)
class Api:
    """An HTTP API. `requests`: path and JSON of what came in; `answer` gives status and body for each."""

    answer: Callable[[str, dict[str, Any]], tuple[int, str]]
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    url: str = ""


@contextmanager
def serving(api: Api, certificate: Path | None = None) -> Iterator[Api]:
    """The API on a free port; over TLS with a `certificate` (a PEM file with its key)."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
            api.requests.append((self.path, body))
            status, text = api.answer(self.path, body)
            self.send_response(status)
            self.send_header("Content-Type", "application/json" if text.startswith("{") else "text/plain")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: Any) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    scheme = "http"
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme = "https"
    server.daemon_threads = True
    api.url = f"{scheme}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def slack() -> Api:
    """Incoming webhooks (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks): `ok`, or why not."""

    def answer(path: str, body: dict[str, Any]) -> tuple[int, str]:
        if path != "/services/T0/B0/token":
            return 404, "no_service"
        blocks = body.get("blocks", [])
        sizes = [len(block["text"]["text"]) for block in blocks]
        if not body.get("text") or not blocks or max(sizes) > 3000 or sizes[0] > 150:
            return 400, "invalid_blocks"
        return 200, "ok"

    return Api(answer)


def pagerduty_events(key: str) -> Api:
    """The Events API v2 (https://developer.pagerduty.com/docs/events-api-v2-overview): 202, or 400 for what it can't take."""

    def answer(path: str, body: dict[str, Any]) -> tuple[int, str]:
        action, payload = body.get("event_action"), body.get("payload") or {}
        good = path == "/v2/enqueue" and body.get("routing_key") == key and 0 < len(body.get("dedup_key", "")) <= 255
        if action == "trigger":
            good &= {"summary", "source", "severity"} <= payload.keys()
            good &= payload.get("severity") in ("critical", "error", "warning", "info")
        if not good or action not in ("trigger", "acknowledge", "resolve"):
            return 400, json.dumps({"status": "invalid event", "message": "Event object is invalid"})
        return 202, json.dumps({"status": "success", "message": "Event processed", "dedup_key": body["dedup_key"]})

    return Api(answer)


def certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 that nobody else trusts, with its key, in one PEM file."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path
