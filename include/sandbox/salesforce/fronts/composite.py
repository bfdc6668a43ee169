"""Composite and batch requests: up to 25 requests in one; in a composite, later ones use the answers of earlier ones."""

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.fronts.messages import Answer, Call
from sandbox.salesforce.org import Org

LARGEST = 25
REFERENCE = re.compile(r"@\{([\w]+)((?:\.\w+|\[\d+\])*)\}")
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")
_HALTED = [
    {
        "errorCode": "PROCESSING_HALTED",
        "message": "The transaction was rolled back since another operation in the same transaction failed.",
    }
]

Dispatch = Callable[[Call], Answer]


class _RollBack(Exception):
    pass


def _resolve(value: Any, answers: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        return {key: _resolve(item, answers) for key, item in value.items()}
    if isinstance(value, list):
        return [_resolve(item, answers) for item in value]
    if not isinstance(value, str):
        return value
    whole = REFERENCE.fullmatch(value)
    if whole:
        return _look_up(whole, answers)
    return REFERENCE.sub(lambda match: str(_look_up(match, answers)), value)


def _look_up(match: re.Match[str], answers: dict[str, Any]) -> Any:
    found = answers.get(match[1])
    try:
        for name, index in _STEP.findall(match[2]):
            found = found[name] if name else found[int(index)]  # type: ignore[index]
    except (KeyError, IndexError, TypeError):
        found = None
    if found is None:
        raise ApiError(
            400,
            "PROCESSING_HALTED",
            f"Invalid reference specified. No value for {match[1]}{match[2]} found in {match[1]}",
        )
    return found


def batch(call: Call, dispatch: Dispatch) -> Answer:
    """Answer ``/composite/batch``: up to 25 requests, each for itself; `dispatch` answers one of them."""
    body = call.record()
    parts = body.get("batchRequests")
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts) or not parts:
        raise ApiError(400, "INVALID_INPUT", "batchRequests must be a list of requests")
    if len(parts) > LARGEST:
        raise ApiError(400, "LIMIT_EXCEEDED", f"The maximum number of subrequests is {LARGEST}")
    results: list[dict[str, Any]] = []
    failed = False
    for part in parts:
        if failed and body.get("haltOnError") is True:
            halted = {"errorCode": "BATCH_PROCESSING_HALTED", "message": "Batch processing halted per request"}
            results.append({"statusCode": 412, "result": [halted]})
            continue
        url = "/services/data/" + str(part.get("url", "")).removeprefix("/services/data/")
        try:
            answer = dispatch(
                _call(call, {"method": part.get("method"), "url": url, "body": part.get("richInput")}, {})
            )
        except ApiError as error:
            answer = Answer.refusal(error)
        failed = failed or answer.status >= 300
        results.append({"statusCode": answer.status, "result": answer.data})
    return Answer(data={"hasErrors": failed, "results": results})


def run(org: Org, call: Call, dispatch: Dispatch) -> Answer:
    """Answer a composite request; `dispatch` answers one of its parts."""
    body = call.record()
    parts = body.get("compositeRequest")
    if not isinstance(parts, list) or not parts:
        raise ApiError(400, "INVALID_INPUT", "compositeRequest must be a list of requests")
    if len(parts) > LARGEST:
        raise ApiError(400, "LIMIT_EXCEEDED", f"The maximum number of subrequests is {LARGEST}")
    check_names(parts)
    whole = body.get("allOrNone") is True
    results = all_or_none(org, call, parts, dispatch) if whole else _each(call, parts, dispatch, stop=False)
    return Answer(data={"compositeResponse": results})


def all_or_none(org: Org, call: Call, parts: list[dict[str, Any]], dispatch: Dispatch) -> list[dict[str, Any]]:
    """Carry out the parts in one transaction; one that fails takes back the others."""
    results: list[dict[str, Any]] = []
    try:
        with org.store.write():
            results = _each(call, parts, dispatch, stop=True)
            if any(result["httpStatusCode"] >= 300 for result in results):
                raise _RollBack
    except _RollBack:
        for result in results:
            if result["httpStatusCode"] < 300:
                result |= halted(result["referenceId"])
    return results


def halted(name: str) -> dict[str, Any]:
    """Return the result of a part that was taken back or never carried out."""
    return {"body": _HALTED, "httpHeaders": {}, "httpStatusCode": 400, "referenceId": name}


def check_names(parts: list[Any]) -> None:
    """Refuse parts that can't be told apart.

    Raises:
        ApiError: A part is no object, or has no name of its own.
    """
    names = [part.get("referenceId") if isinstance(part, dict) else None for part in parts]
    if not all(isinstance(n, str) and re.fullmatch(r"\w+", n) for n in names) or len(set(names)) < len(names):
        raise ApiError(400, "INVALID_INPUT", "every request needs a referenceId of its own, of letters, digits and _")


def _each(call: Call, parts: list[dict[str, Any]], dispatch: Dispatch, *, stop: bool) -> list[dict[str, Any]]:
    answers: dict[str, Any] = {}
    results = []
    failed = False
    for part in parts:
        name = part["referenceId"]
        if failed and stop:
            results.append(halted(name))
            continue
        try:
            answer = dispatch(_call(call, part, answers))
        except ApiError as error:
            answer = Answer.refusal(error)
        failed = failed or answer.status >= 300
        if answer.status < 300:
            answers[name] = answer.data
        results.append(
            {"body": answer.data, "httpHeaders": answer.headers, "httpStatusCode": answer.status, "referenceId": name}
        )
    return results


def _call(outer: Call, part: dict[str, Any], answers: dict[str, Any]) -> Call:
    url = urlsplit(str(_resolve(part.get("url", ""), answers)))
    version = re.match(r"/services/data/v(\d+\.\d)/", url.path)
    if not version:
        raise ApiError(400, "INVALID_INPUT", "url must begin with /services/data/vX.0/")
    if re.search(r"/composite(/batch|/graph)?/?$", url.path):
        raise ApiError(400, "INVALID_INPUT", "composite requests can't be nested")
    headers = {str(k).lower(): str(v) for k, v in (part.get("httpHeaders") or {}).items()}
    body = _resolve(part.get("body"), answers)
    return Call(
        method=str(part.get("method") or "GET").upper(),
        path=unquote(url.path),
        query=dict(parse_qsl(url.query)),
        headers={"authorization": outer.headers.get("authorization", "")} | headers,
        body=b"" if body is None else json.dumps(body).encode(),
        origin=outer.origin,
        version=version[1],
    )
