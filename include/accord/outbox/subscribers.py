"""Subscribers: who is told of what, and where. Declared as data: a name in ACCORD_SUBSCRIBERS, the rest in its connection.

| Connection accord_subscriber_<name> | meaning |
|---|---|
| host | the whole URL, https:// (http:// on this machine only) |
| password | the secret, whsec_… |
| extra `previous_secret` | the secret before, while receivers change over: both sign |
| extra `objects`, `types` | lists of what it is told; everything when left out |
| extra `batch` | events per request, in CloudEvents' batch format; one by one when left out |
| extra `timeout_s` | seconds it has to answer, 10 when left out |
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from accord.errors import Stop
from accord.flows import FLOWS
from accord.objects import OBJECTS
from accord.outbox.events import EventType
from accord.outbox.signing import secret_key
from accord.settings import LOOPBACK, Connection

MOST_EVENTS = 1000  # of a request: well below a megabyte
LONGEST_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """One receiver. Its repr shows neither secret nor address, which may hold one."""

    name: str
    url: str = field(repr=False)
    keys: tuple[bytes, ...] = field(repr=False)  # the first is the current one
    objects: tuple[str, ...]
    types: tuple[str, ...]
    batch: int | None = None
    timeout_s: float = 10.0


def connection_id(name: str) -> str:
    """The connection of the subscriber `name`."""
    return f"accord_subscriber_{name}"


def subscriber(name: str, connection: Connection) -> Subscriber:
    """The subscriber a connection declares. Raises Stop for what can't be meant, naming no secret and no address."""
    known = {"previous_secret", "objects", "types", "batch", "timeout_s"}
    if unknown := connection.extra.keys() - known:
        raise _wrong(
            name, f"does not know {', '.join(sorted(unknown))}", f"Its extra may have {', '.join(sorted(known))}."
        )
    secrets = [connection.password, *filter(None, [connection.extra.get("previous_secret")])]
    told = tuple(dict.fromkeys(flow.object for flow in FLOWS.values()))
    return Subscriber(
        name=name,
        url=_url(name, connection.host),
        keys=tuple(secret_key(str(secret), of=f"subscriber {name}") for secret in secrets),
        objects=_some(name, connection.extra, "objects", OBJECTS) or told,
        types=_some(name, connection.extra, "types", [kind.value for kind in EventType]) or tuple(EventType),
        batch=int(_number(name, connection.extra, "batch", MOST_EVENTS)) or None,
        timeout_s=_number(name, connection.extra, "timeout_s", LONGEST_S) or 10.0,
    )


def _url(name: str, url: str) -> str:
    if checked_url(url) is None:
        raise _wrong(name, "has no usable address", "Give the whole URL, https://…, without a login, as its host.")
    return url


def checked_url(url: str) -> str | None:
    """An address that may be posted to: https, or http on this machine, without a login in it; None for any other."""
    try:
        place = urlsplit(url)
        good = (
            bool(place.hostname)
            and not place.username
            and (place.scheme == "https" or (place.scheme == "http" and place.hostname in LOOPBACK))
        )
    except ValueError:
        good = False
    return url if good else None


def _some(name: str, extra: Mapping[str, Any], what: str, known: Iterable[str]) -> tuple[str, ...]:
    asked = extra.get(what) or []
    known = list(known)
    if not isinstance(asked, list) or not set(map(str, asked)) <= set(known):
        raise _wrong(name, f"asks for {what} there are not", f"Its extra's `{what}` is a list of: {', '.join(known)}.")
    return tuple(asked)


def _number(name: str, extra: Mapping[str, Any], what: str, most: float) -> float:
    asked = extra.get(what)
    if asked is None:
        return 0
    if isinstance(asked, bool) or not isinstance(asked, int | float) or not 1 <= asked <= most:
        raise _wrong(name, f"has no usable `{what}`", f"Give a number from 1 to {most:g}.")
    return float(asked)


def _wrong(name: str, what: str, cure: str) -> Stop:
    return Stop(f"Subscriber {name} {what}.", cure=f"{cure} Connection: {connection_id(name)}.")
