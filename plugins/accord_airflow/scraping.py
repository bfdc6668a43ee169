"""/accord/metrics: what a scraper reads, by a token of its own. A scraper has no login, so this route is not behind the console's."""

from __future__ import annotations

import hmac
import logging
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from accord.errors import Stop
from accord_airflow.runtime import opened

PATH = "/metrics"
CONNECTION = "accord_metrics"

log = logging.getLogger(__name__)


def metrics(request: Request) -> Response:
    """The figures, to who sends `Authorization: Bearer <password of connection accord_metrics>`.

    401 without the right token; 404 where no token is configured, the cure in the log.
    """
    scheme, _, offered = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not offered:
        return _refused()
    from accord.metrics.openmetrics import exposition

    with opened() as accord:
        try:
            token = accord.connection(CONNECTION).password
        except Stop:
            token = ""
        if not token:
            log.warning(
                "Somebody asks for metrics, and no token is configured. Add the connection %s with a long random password under "
                "Admin → Connections, or set AIRFLOW_CONN_%s, and give it to the scraper.",
                CONNECTION,
                CONNECTION.upper(),
            )
            return PlainTextResponse("Metrics are not configured.\n", HTTPStatus.NOT_FOUND)
        if not hmac.compare_digest(offered.strip().encode(), token.encode()):
            return _refused()
        body, content_type = exposition(accord.hub, request.headers.get("accept", ""))
    return Response(body, headers={"Content-Type": content_type})


def _refused() -> Response:
    return PlainTextResponse(
        "Send the token of metrics.\n", HTTPStatus.UNAUTHORIZED, headers={"WWW-Authenticate": "Bearer"}
    )
