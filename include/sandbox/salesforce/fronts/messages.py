"""Requests and answers as the fronts see them, whether they came over a socket or inside a composite request."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from sandbox.salesforce.errors import ApiError

LOGIN_HOSTS = ("https://login.salesforce.com", "https://test.salesforce.com")
MY_DOMAIN = "https://local.my.salesforce.com"


@dataclass(slots=True, kw_only=True)
class Call:
    """One request. `headers` have lower-case names; `origin` is ``https://host:port`` as the client addressed it."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    origin: str = ""
    version: str = ""

    @property
    def base(self) -> str:
        """``/services/data/vX`` of this request."""
        return f"/services/data/v{self.version}"

    @property
    def duplicates(self) -> bool:
        """Whether the client insists on saving duplicates: ``Sforce-Duplicate-Rule-Header: allowSave=true``."""
        return "allowsave=true" in self.headers.get("sforce-duplicate-rule-header", "").lower().replace(" ", "")

    @property
    def place(self) -> tuple[str, str]:
        """Method and path, as fault rules match them."""
        return self.method, self.path

    @property
    def instance(self) -> str:
        """Where the org's records are: as the client addressed it, or the org's own name if that was a login host."""
        return MY_DOMAIN if self.origin in LOGIN_HOSTS else self.origin

    def json(self) -> Any:
        """Return the body as JSON.

        Raises:
            ApiError: JSON_PARSER_ERROR.
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            message = (
                str(error) if self.body else "The HTTP entity body is required, but this request has no entity body."
            )
            raise ApiError(400, "JSON_PARSER_ERROR", message) from error

    def record(self) -> dict[str, Any]:
        """Return the body as a JSON object."""
        value = self.json()
        if not isinstance(value, dict):
            raise ApiError(400, "JSON_PARSER_ERROR", "Unexpected JSON: an object is expected at [line:1, column:1]")
        return value

    def number(self, name: str, default: int) -> int:
        """Return a whole number of the query string."""
        text = self.query.get(name, "")
        if text and not text.isdigit():
            raise ApiError(400, "INVALID_PARAMETER", f"{name} must be a whole number")
        return int(text) if text else default


@dataclass(slots=True)
class Answer:
    """One answer: `data` goes out as JSON, `raw` as it is."""

    status: int = 200
    data: Any = None
    raw: bytes | None = None
    type: str = "application/json;charset=UTF-8"
    headers: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def refusal(error: ApiError) -> "Answer":
        """Return the answer an error stands for."""
        payload, headers = error.payload(), dict(error.headers)
        if isinstance(payload, bytes):
            return Answer(error.status, raw=payload, type="text/html", headers=headers)
        return Answer(error.status, payload, headers=headers)

    def content(self) -> bytes:
        """Return the body as bytes."""
        if self.raw is not None:
            return self.raw
        if self.data is None:
            return b""
        try:
            return msgspec.json.encode(self.data)
        except (UnicodeError, OverflowError):  # an answer that repeats what no UTF-8 or 64-bit number can hold
            return json.dumps(self.data, ensure_ascii=False).encode("utf-8", "surrogatepass")
