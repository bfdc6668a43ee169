"""Which address leads to which function, and what happens around every call: sign-in, limits, errors."""

import logging
import re
from collections.abc import Callable
from functools import partial
from typing import Any

from sandbox.salesforce.bulk.jobs import INGEST, QUERY
from sandbox.salesforce.errors import ApiError, not_found
from sandbox.salesforce.faults import BEFORE, answer
from sandbox.salesforce.fronts import bulk, collections, composite, control, graph, info, oauth, rest, soap, tree, web
from sandbox.salesforce.fronts.messages import Answer, Call
from sandbox.salesforce.org import Org
from sandbox.salesforce.schema.permissions import Actor

_log = logging.getLogger("sandbox.salesforce")
Handler = Callable[..., Answer]
_DATA = re.compile(r"/services/data/v(\d+)\.0(?=/|$)")

# Addresses without sign-in: method -> function of (org, call, ...).
_OPEN: list[tuple[str, str, Handler]] = [
    ("GET", r"/", web.page),
    ("GET", r"/services/data", info.versions),
    ("POST", r"/services/oauth2/token", oauth.token),
    ("GET|POST", r"/services/oauth2/authorize", oauth.authorize),
    ("GET|POST", r"/services/oauth2/revoke", oauth.revoke),
    ("POST", r"/services/Soap/[uc]/(\d+\.0)(?:/\w+)?", soap.answer),
    ("GET", r"/sandbox/health", control.health),
    ("GET|POST|DELETE", r"/sandbox/faults(?:/(\d+))?", control.faults),
    ("GET|DELETE", r"/sandbox/calls", control.calls),
    ("POST", r"/sandbox/reset", control.reset),
    ("POST", r"/sandbox/merge", control.merge),
    ("POST", r"/sandbox/undelete", control.undelete),
    ("POST", r"/sandbox/empty_recycle_bin", control.empty_bin),
    ("POST|DELETE", r"/sandbox/permissions", control.permissions),
    ("GET|POST", r"/sandbox/clock", control.clock),
    ("DELETE", r"/sandbox/sessions", control.sessions),
]
# Addresses below /services/data/vX: function of (org, call, actor, ...).
_VERSIONED: list[tuple[str, str, Handler]] = [
    ("GET", r"", info.resources),
    ("GET", r"/sobjects", info.describe_global),
    ("GET", r"/limits", info.limits),
    ("GET", r"/limits/recordCount", info.record_count),
    ("GET", r"/(?:query|queryAll)", rest.query),
    ("GET", r"/(?:query|queryAll)/([\w-]+)", rest.query_more),
    ("POST", r"/composite/tree/(\w+)", tree.create),
    ("POST", r"/composite/sobjects", collections.create),
    ("PATCH", r"/composite/sobjects", collections.update),
    ("DELETE", r"/composite/sobjects", collections.delete),
    ("GET|POST", r"/composite/sobjects/(\w+)", collections.retrieve),
    ("PATCH", r"/composite/sobjects/(\w+)/(\w+)", collections.upsert),
    ("POST", r"/jobs/ingest", bulk.create_ingest),
    ("GET", r"/jobs/ingest", partial(bulk.listing, kind=INGEST)),
    ("PUT", r"/jobs/ingest/(\w+)/batches", bulk.upload),
    ("GET", r"/jobs/ingest/(\w+)/((?i:successfulResults|failedResults|unprocessedRecords))", bulk.results),
    ("POST", r"/jobs/query", bulk.create_query),
    ("GET", r"/jobs/query", partial(bulk.listing, kind=QUERY)),
    ("GET", r"/jobs/query/(\w+)/results", bulk.query_results),
    ("GET", r"/jobs/query/(\w+)/resultPages", bulk.result_pages),
    ("GET", r"/jobs/(ingest|query)/(\w+)", bulk.show),
    ("PATCH", r"/jobs/(ingest|query)/(\w+)", bulk.change_state),
    ("DELETE", r"/jobs/(ingest|query)/(\w+)", bulk.delete),
    ("GET", r"/sobjects/(\w+)/describe", info.describe_object),
    ("GET", r"/sobjects/(\w+)/(?:updated|deleted)", rest.changed),
    ("GET", r"/sobjects/(\w+)", info.basic),
    ("POST", r"/sobjects/(\w+)", rest.create),
    ("GET", r"/sobjects/(\w+)/(\w+)", rest.read),
    ("PATCH", r"/sobjects/(\w+)/(\w+)", rest.update),
    ("DELETE", r"/sobjects/(\w+)/(\w+)", rest.delete),
    ("GET", r"/sobjects/(\w+)/(\w+)/(.+)", rest.read_external),
    ("PATCH", r"/sobjects/(\w+)/(\w+)/(.+)", rest.upsert),
    ("DELETE", r"/sobjects/(\w+)/(\w+)/(.+)", rest.delete_external),
]


def _compiled(routes: list[tuple[str, str, Handler]]) -> list[tuple[frozenset[str], re.Pattern[str], Handler]]:
    return [
        (frozenset(methods.split("|")), re.compile(path + "/?" if path else "/?"), handler)
        for methods, path, handler in routes
    ]


class Router:
    """Answers calls for one org. Never raises: whatever goes wrong becomes an answer of Salesforce's shape."""

    def __init__(self, org: Org) -> None:
        self.org = org
        self._open, self._versioned = _compiled(_OPEN), _compiled(_VERSIONED)

    def __call__(self, call: Call) -> tuple[Answer, str]:
        """Answer a call; also return the name of the client that made it, if it signed in."""
        client = ""
        try:
            rule = self.org.faults.take(call.method, call.path, *BEFORE)
            if rule:
                raise answer(rule)
            if call.path.startswith("/services/data/v") or call.path.startswith(("/id/", "/services/oauth2/userinfo")):
                actor = self._actor(call)
                client = actor.client
                return self._signed_in(call, actor), client
            result = self._find(self._open, call, call.path or "/")
            return result(self.org, call), client
        except ApiError as error:
            return Answer.refusal(error), client
        except Exception:
            _log.exception("%s %s failed", call.method, call.path)
            return Answer(500, [{"message": "An unexpected error occurred", "errorCode": "UNKNOWN_EXCEPTION"}]), client

    def _actor(self, call: Call) -> Actor:
        scheme, _, token = call.headers.get("authorization", "").partition(" ")
        actor = self.org.session(token.strip()) if scheme.lower() in ("bearer", "oauth") else None
        if actor is None:
            raise ApiError(401, "INVALID_SESSION_ID", "Session expired or invalid")
        return actor

    def _signed_in(self, call: Call, actor: Actor) -> Answer:
        usage, limit = self.org.usage, self.org.settings.api_limit
        if not call.path.startswith("/services/data/"):
            return oauth.userinfo(self.org, call, actor)
        if usage.requests >= limit:
            raise ApiError(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
        usage.requests += 1
        try:
            result = self.inner(call, actor)
        except ApiError as error:
            result = Answer.refusal(error)
        result.headers["Sforce-Limit-Info"] = f"api-usage={usage.requests}/{limit}"
        return result

    def inner(self, call: Call, actor: Actor) -> Answer:
        """Answer a call below /services/data/vX for a user; also used for the parts of a composite request.

        Raises:
            ApiError: The call is refused.
        """
        match = _DATA.match(call.path)
        if not match or not info.OLDEST <= int(match[1]) <= info.NEWEST:
            raise not_found()
        call.version = f"{match[1]}.0"
        rest_of_path = call.path[match.end() :]
        if rest_of_path.rstrip("/") == "/composite":
            if call.method == "POST":
                return composite.run(self.org, call, lambda part: self.inner(part, actor))
            resources = ("sobjects", "tree", "batch", "graph")
            return Answer(data={name: f"{call.base}/composite/{name}" for name in resources})
        if rest_of_path.rstrip("/") == "/composite/batch" and call.method == "POST":
            return composite.batch(call, lambda part: self.inner(part, actor))
        if rest_of_path.rstrip("/") == "/composite/graph" and call.method == "POST":
            return graph.run(self.org, call, lambda part: self.inner(part, actor))
        return self._find(self._versioned, call, rest_of_path)(self.org, call, actor)

    @staticmethod
    def _find(routes: list[tuple[frozenset[str], re.Pattern[str], Handler]], call: Call, path: str) -> Handler:
        allowed: set[str] = set()
        for methods, pattern, handler in routes:
            match = pattern.fullmatch(path)
            if match and call.method in methods:
                groups: tuple[Any, ...] = tuple(g for g in match.groups() if g is not None)
                return lambda org, *rest_of: handler(org, *rest_of, *groups)
            if match:
                allowed |= methods
        if allowed:
            raise ApiError(
                405,
                "METHOD_NOT_ALLOWED",
                f"HTTP Method '{call.method}' not allowed. Allowed are {','.join(sorted(allowed))}",
                headers={"Allow": ",".join(sorted(allowed))},
            )
        raise not_found()
