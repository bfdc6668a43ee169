"""How values travel over Tryton's JSON-RPC: decimals and dates as tagged objects.

Source: trytond/protocols/jsonrpc.py of Tryton 8.2, as seen on the wire.
"""

from __future__ import annotations

import base64
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

_MOMENT = ("year", "month", "day", "hour", "minute", "second", "microsecond")


def encoded(body: Any) -> bytes:
    """`body` as JSON. Instants must have a zone; they travel as UTC."""
    return json.dumps(body, default=_tagged, separators=(",", ":")).encode()


def decoded(text: str | bytes) -> Any:
    """The value of a JSON text; decimals are Decimal, instants have the zone UTC. Raises ValueError."""
    return json.loads(text, object_hook=_untagged)


def _tagged(value: object) -> dict[str, Any]:
    if isinstance(value, Decimal):
        return {"__class__": "Decimal", "decimal": str(value)}
    if isinstance(value, datetime):
        moment = value.astimezone(UTC)
        return {"__class__": "datetime"} | {part: getattr(moment, part) for part in _MOMENT}
    if isinstance(value, date):
        return {"__class__": "date", "year": value.year, "month": value.month, "day": value.day}
    raise TypeError(f"{type(value).__name__} can't travel over JSON-RPC")


def _untagged(value: dict[str, Any]) -> Any:
    match value.get("__class__"):
        case "Decimal":
            return Decimal(value["decimal"])
        case "date":
            return date(value["year"], value["month"], value["day"])
        case "datetime":
            year, month, day, hour, minute, second, micro = (value[part] for part in _MOMENT)
            return datetime(year, month, day, hour, minute, second, micro, tzinfo=UTC)
        case "timedelta":
            return timedelta(seconds=value["seconds"])
        case "bytes":
            return base64.b64decode(value["base64"])
    return value
