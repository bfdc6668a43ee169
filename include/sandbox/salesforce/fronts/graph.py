"""Composite graphs: groups of requests, each group all or nothing, up to 500 requests in all.

Source: REST API Developer Guide, "Using Composite Graphs" and "Composite Graph Limits".
"""

import json
import re
from typing import Any

from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.fronts.composite import REFERENCE, Dispatch, all_or_none, check_names, halted
from sandbox.salesforce.fronts.messages import Answer, Call
from sandbox.salesforce.org import Org

MOST_GRAPHS = 75
MOST_NODES = 500
MOST_KINDS = 15  # of version, method and object
DEEPEST = 15  # nodes in a row that each refer to the one before
MOST_FAILURES = 14
_NODE = re.compile(r"/services/data/v(\d+\.0)/sobjects/(\w+)(/.*)?")
_METHODS = {"", "POST", "GET", "PATCH", "DELETE"}


def run(org: Org, call: Call, dispatch: Dispatch) -> Answer:
    """Answer ``POST /composite/graph``; `dispatch` answers one request of a graph."""
    graphs = call.record().get("graphs")
    if not isinstance(graphs, list) or not graphs or not all(isinstance(graph, dict) for graph in graphs):
        raise ApiError(400, "INVALID_INPUT", "graphs must be a list of graphs")
    names = [graph.get("graphId") for graph in graphs]
    if not all(isinstance(n, str) and re.match(r"[A-Za-z0-9]", n) for n in names) or len(set(names)) < len(names):
        raise ApiError(
            400, "INVALID_INPUT", "every graph needs a graphId of its own that begins with a letter or digit"
        )
    _check(graphs)
    answers: list[dict[str, Any]] = []
    failures = 0
    for graph in graphs:
        parts = graph["compositeRequest"]
        left = failures > MOST_FAILURES
        results = [halted(p["referenceId"]) for p in parts] if left else all_or_none(org, call, parts, dispatch)
        good = all(result["httpStatusCode"] < 300 for result in results)
        failures += not good
        response = {"compositeResponse": results}
        answers.append({"graphId": graph["graphId"], "graphResponse": response, "isSuccessful": good})
    return Answer(data={"graphs": answers})


def _check(graphs: list[dict[str, Any]]) -> None:
    kinds: set[tuple[str, str, str]] = set()
    count = deepest = 0
    for graph in graphs:
        parts = graph.get("compositeRequest")
        if not isinstance(parts, list) or not parts:
            raise ApiError(400, "INVALID_INPUT", "compositeRequest must be a list of requests")
        check_names(parts)
        depths: dict[str, int] = {}
        for part in parts:
            used = [depths.get(match[1], 0) for match in REFERENCE.finditer(json.dumps(part))]
            depths[part["referenceId"]] = 1 + max(used, default=0)
            node = _NODE.fullmatch(str(part.get("url", "")))
            method = str(part.get("method", "")).upper()
            if node is None or method not in _METHODS or re.search(r"/describe\b", node[3] or ""):
                raise ApiError(400, "INVALID_INPUT", f"{part.get('url')}: a graph's requests are for records only")
            kinds.add((node[1], method, node[2].lower()))
        count += len(parts)
        deepest = max(deepest, *depths.values())
    for what, found, most in (
        ("graphs", len(graphs), MOST_GRAPHS),
        ("nodes", count, MOST_NODES),
        ("different nodes", len(kinds), MOST_KINDS),
        ("nodes in a row", deepest, DEEPEST),
    ):
        if found > most:
            raise ApiError(400, "LIMIT_EXCEEDED", f"The maximum number of {what} is {most}: {found} were given")
