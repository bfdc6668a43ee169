"""Starts a local Salesforce org for a test, as a process of its own, and steers it.

>>> org = start_org(tmp_path)
>>> org.fault("unavailable", path=".*/query", times=1)
>>> org.stop()
"""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

_ROOT = Path(__file__).resolve().parents[1]
_START_SECONDS = 20.0
VERSION = "62.0"


@dataclass(slots=True, kw_only=True)
class Org:
    """A running local org. `certificate` is what clients must trust for HTTPS (REQUESTS_CA_BUNDLE)."""

    folder: Path
    options: list[str]
    http: str = ""
    https: str = ""
    proxy: str = ""
    certificate: Path = Path()
    client_id: str = "accord-integration"
    client_secret: str = "local-only-secret"
    admin_id: str = "accord-admin"
    admin_secret: str = "local-only-admin-secret"
    username: str = "integration@accord.example"
    process: subprocess.Popen[bytes] | None = None
    _session: requests.Session = field(default_factory=requests.Session)

    # ---------------------------------------------------------------------------------------------- starting, stopping
    def start(self) -> None:
        """Start the server on the org's data, on free ports, and wait until it answers."""
        ports = self.folder / "ports.json"
        ports.unlink(missing_ok=True)
        log = self.folder / "org.log"
        # Only what the server itself reads: the caller's own settings must not change the org.
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SANDBOX_SALESFORCE_")}
        environment["PYTHONPATH"] = str(_ROOT / "include")
        command = [
            sys.executable,
            "-m",
            "sandbox.salesforce",
            "--data",
            str(self.folder / "org.sqlite"),
            "--http-port",
            "0",
            "--https-port",
            "0",
            "--proxy-port",
            "0",
            "--port-file",
            str(ports),
            *self.options,
        ]
        with open(log, "ab") as output:
            self.process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
        deadline = time.monotonic() + _START_SECONDS
        while not ports.is_file():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"The local Salesforce org did not start:\n{log.read_text()[-3000:]}")
            time.sleep(0.02)
        found = json.loads(ports.read_text(encoding="utf-8"))
        self.http, self.https = f"http://127.0.0.1:{found['http']}", f"https://127.0.0.1:{found['https']}"
        self.proxy = f"http://127.0.0.1:{found['proxy']}"
        self.certificate = Path(found["certificate"])

    def stop(self) -> None:
        """End the server in good order."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the server at once, as a power cut would."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(20)
        self._session.close()

    def restart(self) -> None:
        """Stop and start again on the same data; the ports change."""
        self.stop()
        self.start()

    # --------------------------------------------------------------------------------------------------------- control
    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Call a control endpoint and return its JSON answer (None if it has none)."""
        response = self._session.request(method, f"{self.http}/sandbox/{path}", json=body, timeout=30)
        if not response.ok:
            raise RuntimeError(f"{method} /sandbox/{path}: {response.status_code} {response.text}")
        return response.json() if response.content else None

    def fault(
        self,
        kind: str,
        *,
        path: str = ".*",
        method: str = ".*",
        times: int | None = None,
        after: int = 0,
        value: Any = None,
    ) -> int:
        """Add a fault rule and return its number; the kinds are listed in the org's README."""
        rule = {"kind": kind, "match": {"method": method, "path": path}, "times": times, "after": after, "value": value}
        return int(self.control("POST", "faults", rule)["id"])

    def faults(self) -> list[dict[str, Any]]:
        """Return the rules with how often each matched and applied."""
        result: list[dict[str, Any]] = self.control("GET", "faults")
        return result

    def clear_faults(self) -> None:
        """Remove all fault rules."""
        self.control("DELETE", "faults")

    def calls(self, *, clear: bool = False) -> list[dict[str, Any]]:
        """Return the latest 1,000 calls, oldest first."""
        result: list[dict[str, Any]] = self.control("GET", "calls")
        if clear:
            self.control("DELETE", "calls")
        return result

    def merge(self, master: str, *losers: str, **values: Any) -> dict[str, Any]:
        """Merge records into the master."""
        result: dict[str, Any] = self.control("POST", "merge", {"master": master, "losers": losers, "values": values})
        return result

    def undelete(self, *ids: str) -> None:
        """Bring records back from the recycle bin."""
        self.control("POST", "undelete", {"ids": ids})

    def empty_bin(self) -> None:
        """Erase what is in the recycle bin: nothing tells of it any more."""
        self.control("POST", "empty_recycle_bin")

    def set_field(self, obj: str, field_name: str, *, read: bool, edit: bool) -> None:
        """Change the integration user's rights on a field."""
        self.control("POST", "permissions", {"object": obj, "field": field_name, "read": read, "edit": edit})

    def set_object(self, obj: str, *actions: str) -> None:
        """Change what the integration user may do with an object: create, read, edit, delete."""
        self.control("POST", "permissions", {"object": obj, "actions": actions})

    def reset_permissions(self) -> None:
        """Go back to the permission sets."""
        self.control("DELETE", "permissions")

    def clock(self, offset_seconds: float) -> str:
        """Shift the org's clock against the machine's; return its new time."""
        return str(self.control("POST", "clock", {"offset_seconds": offset_seconds})["now"])

    def stand(self, at: datetime) -> None:
        """Let the org's clock stand at an instant."""
        self.control("POST", "clock", {"at": at.isoformat()})

    def expire_sessions(self) -> None:
        """End all sessions: tokens in use become invalid."""
        self.control("DELETE", "sessions")

    def reset(self) -> None:
        """Empty the org, keep users and sessions."""
        self.control("POST", "reset")

    # ----------------------------------------------------------------------------------------------------------- calls
    def token(self, *, admin: bool = False) -> str:
        """Sign in by client credentials and return the access token."""
        pair = (self.admin_id, self.admin_secret) if admin else (self.client_id, self.client_secret)
        response = self._session.post(
            f"{self.http}/services/oauth2/token", data={"grant_type": "client_credentials"}, auth=pair, timeout=30
        )
        response.raise_for_status()
        return str(response.json()["access_token"])

    def refresh_token(self) -> str:
        """Let the administrator's app in by the web server flow and return its refresh token."""
        app = {"client_id": self.admin_id, "redirect_uri": "http://localhost/callback"}
        agreed = self._session.get(
            f"{self.http}/services/oauth2/authorize",
            params=app | {"response_type": "code", "scope": "api refresh_token"},
            allow_redirects=False,
            timeout=30,
        )
        [code] = parse_qs(urlsplit(agreed.headers["Location"]).query)["code"]
        response = self._session.post(
            f"{self.http}/services/oauth2/token",
            data=app | {"grant_type": "authorization_code", "code": code, "client_secret": self.admin_secret},
            timeout=30,
        )
        response.raise_for_status()
        return str(response.json()["refresh_token"])

    def session(self, *, admin: bool = False) -> "RestSession":
        """Return a signed-in HTTP session."""
        return RestSession(self, admin=admin)


class RestSession(requests.Session):
    """A signed-in session: paths are taken below ``/services/data/v62.0`` (or from the root, if they start there)."""

    def __init__(self, org: Org, *, admin: bool) -> None:
        super().__init__()
        self.base = org.http
        self.trust_env = False  # a proxy has no business there
        self.headers["Authorization"] = f"Bearer {org.token(admin=admin)}"

    def request(self, method: str, url: str, *args: Any, **options: Any) -> requests.Response:  # type: ignore[override]
        """Send a request."""
        path = url if url.startswith("/services/") else f"/services/data/v{VERSION}{url}"
        options.setdefault("timeout", 60)
        return super().request(method, self.base + path, *args, **options)

    def soql(self, text: str, *, deleted: bool = False) -> list[dict[str, Any]]:
        """Run a query through all its pages and return the records."""
        url, parameters = "/queryAll" if deleted else "/query", {"q": text}
        records: list[dict[str, Any]] = []
        while url:
            response = self.get(url, params=parameters)
            if not response.ok:
                raise RuntimeError(f"{response.status_code} {response.text}")
            page = response.json()
            records += page["records"]
            url, parameters = page.get("nextRecordsUrl", ""), {}
        return records

    def create(self, obj: str, **values: Any) -> str:
        """Create a record and return its id."""
        response = self.post(f"/sobjects/{obj}", json=values)
        if response.status_code != 201:
            raise RuntimeError(f"{response.status_code} {response.text}")
        return str(response.json()["id"])

    def ingest(self, obj: str, operation: str, data: str, **more: Any) -> dict[str, Any]:
        """Run a Bulk 2.0 ingest job to its end and return its info."""
        job = self.post("/jobs/ingest", json={"object": obj, "operation": operation, "lineEnding": "LF", **more})
        if not job.ok:
            raise RuntimeError(f"{job.status_code} {job.text}")
        path = f"/jobs/ingest/{job.json()['id']}"
        upload = self.put(f"{path}/batches", data=data.encode(), headers={"Content-Type": "text/csv"})
        closed = self.patch(path, json={"state": "UploadComplete"})
        if not (upload.ok and closed.ok):
            raise RuntimeError(f"{upload.status_code} {upload.text} {closed.status_code} {closed.text}")
        return self.ended(path)

    def ended(self, path: str, seconds: float = 60) -> dict[str, Any]:
        """Wait for a job to end and return its info."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            info: dict[str, Any] = self.get(path).json()
            if info["state"] in ("JobComplete", "Failed", "Aborted"):
                return info
            time.sleep(0.01)
        raise TimeoutError(f"{path} did not end within {seconds} s")


def start_org(
    folder: Path,
    *,
    load: tuple[Path, ...] = (),
    jwt_key: Path | None = None,
    metadata: Path | None = None,
    api_limit: int | None = None,
) -> Org:
    """Start an org whose data live in the folder (which may hold an earlier org's).

    Args:
        folder: Where data, certificate and log go.
        load: Files to load into a new org.
        jwt_key: Public key or certificate for JWT bearer sign-in.
        metadata: A Salesforce project; this repository's by default.
        api_limit: API requests a day.

    Raises:
        RuntimeError: The server did not start; the message ends with its log.
    """
    folder.mkdir(parents=True, exist_ok=True)
    options: list[str] = []
    for name, value in (("--jwt-key", jwt_key), ("--metadata", metadata), ("--api-limit", api_limit)):
        if value is not None:
            options += [name, str(value)]
    if load:
        options += ["--load", *map(str, load)]
    org = Org(folder=folder, options=options)
    org.start()
    return org
