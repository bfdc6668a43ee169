"""What a Salesforce connection may say, read once and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from accord.errors import Stop
from accord.settings import LOOPBACK, Connection

PERMISSION_SET = "Accord_Integration"  # include/salesforce_metadata deploys it
PERMISSION_CURE = (
    "Deploy include/salesforce_metadata to the org and assign the permission set "
    f"{PERMISSION_SET} to the integration user."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The settings of one Salesforce connection; secrets do not show in its repr.

    `request_timeout` seconds; `longest_request` the time after which no request can still take effect (Salesforce ends
    a request after ten minutes: REST API Developer Guide, "API request limits and allocations"); `bulk_threshold` rows
    above which Bulk API 2.0 is used; `bulk_wait` seconds a job is waited for; `retry_wait` seconds before a read is
    tried again, doubling; `verify` a CA bundle, or whether certificates are checked at all.
    """

    id: str
    login_url: str
    consumer_key: str = ""
    consumer_secret: str = field(default="", repr=False)
    private_key: str = field(default="", repr=False)
    private_key_file: str = ""
    user: str = ""
    audience: str = ""
    session_id: str = field(default="", repr=False)
    instance_url: str = ""
    api_version: str = ""
    request_timeout: float = 120
    longest_request: timedelta = timedelta(minutes=10)
    verify: bool | str = True
    bulk_threshold: int = 2000
    bulk_wait: float = 3600
    bulk_poll: float = 5
    read_attempts: int = 4
    retry_wait: float = 0.5

    @property
    def local(self) -> bool:
        """Whether the org is on this machine."""
        return urlsplit(self.instance_url or self.login_url).hostname in LOOPBACK


def options_of(connection: Connection) -> Options:
    """The options of `connection`. Raises Stop naming the setting that is missing or unusable."""
    extra = connection.extra
    options = Options(
        id=connection.id,
        login_url=_url(connection, extra),
        consumer_key=str(extra.get("consumer_key") or ""),
        consumer_secret=str(extra.get("consumer_secret") or ""),
        private_key=str(extra.get("private_key") or ""),
        private_key_file=str(extra.get("private_key_file") or extra.get("private_key_file_path") or ""),
        user=connection.login,
        audience=str(extra.get("audience") or ""),
        session_id=str(extra.get("session_id") or ""),
        instance_url=str(extra.get("instance_url") or "").rstrip("/"),
        api_version=_version(connection, str(extra.get("api_version") or extra.get("version") or "")),
        request_timeout=_number(connection, "request_timeout_s", 120),
        longest_request=timedelta(seconds=_number(connection, "longest_request_s", 600)),
        verify=_verify(extra.get("verify", True)),
        bulk_threshold=int(_number(connection, "bulk_threshold", 2000)),
        bulk_wait=_number(connection, "bulk_wait_s", 3600),
        bulk_poll=_number(connection, "bulk_poll_s", 5),
        read_attempts=max(1, int(_number(connection, "read_attempts", 4))),
        retry_wait=_number(connection, "retry_wait_s", 0.5),
    )
    for url in (options.login_url, options.instance_url):
        parts = urlsplit(url)
        if url and parts.scheme != "https" and parts.hostname not in LOOPBACK:
            raise Stop(
                f"The connection {connection.id} would send its token in the clear.", cure="Use an https:// URL."
            )
    return options


def _url(connection: Connection, extra: Mapping[str, Any]) -> str:
    if extra.get("login_url"):
        url = str(extra["login_url"])
    elif connection.host:
        scheme = connection.schema if connection.schema in ("http", "https") else "https"
        url = f"{scheme}://{connection.host}" + (f":{connection.port}" if connection.port else "")
    else:
        url = f"https://{extra.get('domain') or 'login'}.salesforce.com"
    return (url if "://" in url else f"https://{url}").rstrip("/")


def _version(connection: Connection, text: str) -> str:
    number = text.removeprefix("v")
    if not number:
        return ""
    try:
        return f"v{float(number):.1f}"
    except ValueError:
        raise Stop(
            f"api_version of {connection.id} is no version.", cure="Write it like v64.0 or leave it out."
        ) from None


def _number(connection: Connection, name: str, default: float) -> float:
    try:
        return float(connection.extra.get(name, default))
    except (TypeError, ValueError):
        raise Stop(f"{name} of the connection {connection.id} is not a number.", cure="Correct it.") from None


def _verify(value: Any) -> bool | str:
    if isinstance(value, str):
        return {"true": True, "false": False, "": True}.get(value.lower(), value)
    return bool(value)
