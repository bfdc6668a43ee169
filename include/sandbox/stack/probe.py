"""Asking whether a server answers yet."""

from __future__ import annotations

from typing import Any

import requests


def answers(url: str, body: dict[str, Any] | None = None) -> bool:
    """Whether an HTTP request to a local server succeeds: GET, or POST when there is a JSON body."""
    with requests.Session() as http:
        http.trust_env = False  # a proxy from the environment has no business on the loopback address
        try:
            return http.request("GET" if body is None else "POST", url, json=body, timeout=30).ok
        except requests.RequestException:
            return False
