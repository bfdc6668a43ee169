"""Writing through sObject Collections: at most 200 records a call, each with its own result.

REST API Developer Guide, "sObject Collections".
"""

from __future__ import annotations

import requests

from accord.errors import InDoubt, Retry, Stop
from accord.ports import Sending
from accord.systems.results import applied, unanswered
from accord.systems.salesforce.client import Client
from accord.systems.salesforce.failures import Refused, faults_in
from accord.systems.salesforce.payload import CREATED, Group, as_json
from accord.systems.salesforce.replies import UNSENT, Once, Refusal, Replies, stop_on_drift

CALL = 200  # records
_UNREADABLE = frozenset({"JSON_PARSER_ERROR"})  # one record's value makes the whole call unreadable


def write_collections(client: Client, group: Group, sending: Sending, *, earlier: bool) -> Replies:
    """Send `group` call by call; one reply per key.

    After a call without an answer, or when Salesforce goes away, the rest is left unsent. Raises what the first call
    raises when nothing has been sent yet, neither here nor `earlier`.
    """
    replies: Replies = {}
    waiting = [group.part(first, CALL) for first in range(0, len(group), CALL)]
    while waiting:
        call = waiting.pop(0)
        before = Once(sending.before_request)
        try:
            replies |= _read(call, _write(client, call, before))
        except Refused as refused:
            if not {fault.code for fault in refused.faults} & _UNREADABLE:
                if earlier or replies:
                    return _unsent(replies, [call, *waiting])
                raise
            if len(call) > 1:
                half = len(call) // 2
                waiting[:0] = [call.part(0, half), call.part(half, len(call) - half)]
            else:
                replies[call.keys[0]] = Refusal(faults=refused.faults, values=tuple(call.values(0)))
        except InDoubt:
            if not before.passed and not (earlier or replies):
                raise
            if before.passed:
                replies |= {key: unanswered(_native(call, at)) for at, key in enumerate(call.keys)}
                return _unsent(replies, waiting)
            return _unsent(replies, [call, *waiting])
        except (Retry, Stop):
            if earlier or replies:
                return _unsent(replies, [call, *waiting])
            raise
        if not earlier:
            stop_on_drift(replies)
    return replies


def _write(client: Client, call: Group, before: Once) -> requests.Response:
    path = "/composite/sobjects"
    if call.deletes:
        ids = {"ids": ",".join(call.ids.to_pylist()), "allOrNone": "false"}
        return client.change("DELETE", path, before=before, params=ids)
    if call.by == CREATED:
        method = "POST"
    else:
        method, path = "PATCH", path + ("" if call.by == "Id" else f"/{call.sobject}/{call.by}")
    headers = {"Content-Type": "application/json; charset=UTF-8"}
    return client.change(method, path, before=before, data=as_json(call), headers=headers)


def _read(call: Group, answer: requests.Response) -> Replies:
    try:
        entries = answer.json()
    except ValueError:
        entries = None
    if not isinstance(entries, list) or len(entries) != len(call):
        return {key: unanswered(_native(call, at)) for at, key in enumerate(call.keys)}
    return {
        key: applied(entry["id"])
        if entry.get("success")
        else Refusal(faults=faults_in(entry.get("errors", [])), values=tuple(call.values(at)))
        for at, (key, entry) in enumerate(zip(call.keys, entries, strict=True))
    }


def _native(call: Group, at: int) -> str | None:
    return str(call.ids[at].as_py()) if call.by == "Id" else None


def _unsent(replies: Replies, calls: list[Group]) -> Replies:
    return replies | {key: UNSENT for call in calls for key in call.keys}
