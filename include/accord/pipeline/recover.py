"""Dispatches in doubt: what was claimed and perhaps sent is read back before anything is sent again."""

from __future__ import annotations

import logging
import time
from datetime import timedelta

import pyarrow as pa
import pyarrow.compute as pc

from accord.categories import Category, remedy
from accord.errors import Stop
from accord.hub.connection import only
from accord.hub.dispatches import (
    Dispatch,
    claims_of,
    open_of_stream,
    own_open,
    seconds_in_doubt,
    settle_dispatch,
    take_over,
)
from accord.hub.exceptions import Raised, raise_exceptions
from accord.objects import business_object
from accord.objects.definition import BusinessObject
from accord.pipeline.outcomes import OUTCOMES, outcomes, pictured, seeds
from accord.ports import Target
from accord.records import conform, content_hash
from accord.runtime import Accord

log = logging.getLogger(__name__)

_POLL = 0.5  # seconds between looks at a dispatch whose sender may still be at work


def recover_stream(accord: Accord, target_name: str, object_name: str, *, own_run: int) -> None:
    """Resolve every dispatch of a stream that nobody can still be sending; wait for those of `own_run`, whose sender is dead."""
    stream = accord.hub.stream(target_name, object_name)
    for dispatch in own_open(accord.hub, run=own_run, stream=stream):
        recover_waiting(accord, dispatch)
    for dispatch in open_of_stream(accord.hub, stream):
        recover_now(accord, dispatch)


def recover_waiting(accord: Accord, dispatch: Dispatch) -> None:
    """Wait until nothing of `dispatch` can still take effect, then resolve it."""
    target = accord.target(dispatch.target)
    while (left := seconds_in_doubt(accord.hub, dispatch, target.longest_request)) is not None:
        if left == 0 and recover_now(accord, dispatch):
            return
        time.sleep(min(left, _POLL) or _POLL)


def recover_now(accord: Accord, dispatch: Dispatch) -> bool:
    """Resolve `dispatch` if its sender can't be at work any more; whether it is settled now."""
    target = accord.target(dispatch.target)
    fence = take_over(accord.hub, dispatch, target.longest_request)
    if fence is None:
        return seconds_in_doubt(accord.hub, dispatch, timedelta()) is None
    if dispatch.remote and not target.remote_ended(dispatch.remote):
        log.info("dispatch %d: the job in %s has not ended yet", dispatch.id, dispatch.target)
        return False
    with accord.hub.session() as session:
        claimed = claims_of(session, dispatch)
        flow = str(only(session.execute("SELECT flow FROM run WHERE id = %s", (dispatch.run,)))["flow"])
    applied, results = _verify(accord, target, dispatch, {key: native for key, (native, _) in claimed.items()})
    raised = [
        Raised(
            kind="parked",
            key=key,
            category=Category.INTERRUPTED,
            target=dispatch.target,
            version=version,
            message=remedy(Category.INTERRUPTED, dispatch.target),
            dispatch=dispatch.id,
        )
        for key, (_, version) in sorted(claimed.items())
        if key not in applied
    ]
    with accord.hub.session() as session:
        settled = settle_dispatch(session, dispatch, fence, results, seeds=seeds(business_object(dispatch.object)))
        if settled:
            raise_exceptions(session, flow, dispatch.object, dispatch.run, raised)
    log.info("dispatch %d in doubt: %d had arrived, %d go again", dispatch.id, results.num_rows, len(raised))
    return True


def _verify(
    accord: Accord, target: Target, dispatch: Dispatch, claimed: dict[str, str | None]
) -> tuple[dict[str, str], pa.Table]:
    """(key → native, results) of what had arrived. When the file of what was sent is lost nothing can be verified: then all goes
    again, which every adapter declares to be harmless."""
    try:
        sent = accord.staging.read(dispatch.file)
    except Stop as error:
        log.warning("dispatch %d in doubt can't be verified: %s", dispatch.id, error)
        return {}, OUTCOMES.empty_table()
    sent = sent.filter(pc.is_in(sent["key"], pa.array(sorted(claimed), pa.string())))
    definition = business_object(dispatch.object)
    applied = found_equal(accord, target, definition, sent, claimed)
    arrived = pa.array([key in applied for key in sent["key"].to_pylist()], pa.bool_())
    return applied, outcomes(pictured(definition, target, sent.filter(arrived)), "applied", applied)


def found_equal(
    accord: Accord, target: Target, definition: BusinessObject, sent: pa.Table, claimed: dict[str, str | None]
) -> dict[str, str]:
    """key → native of the rows of `sent` that the target holds with just that content. Where the target can't tell whose id a
    parent has, the contents differ and the record goes again, which is harmless."""
    if not sent.num_rows:
        return {}
    natives = [claimed.get(k) or n for k, n in zip(sent["key"].to_pylist(), sent["native"].to_pylist(), strict=True)]
    wanted = pa.table({"key": sent["key"], "native": pa.array(natives, pa.string())})
    found = target.read_back(definition, wanted)
    names = _verified(definition, target)
    expected = conform(definition, target.collapse(definition, conform(definition, sent)))
    ours = dict(zip(expected["key"].to_pylist(), content_hash(definition, expected, names).to_pylist(), strict=True))
    theirs = zip(
        found["key"].to_pylist(),
        found["native"].to_pylist(),
        content_hash(definition, conform(definition, found), names).to_pylist(),
        strict=True,
    )
    return {key: native for key, native, digest in theirs if ours.get(key) == digest}


def _verified(definition: BusinessObject, target: Target) -> frozenset[str]:
    seeded = {f.name for f in definition.fields if f.seeded_by is not None}
    return target.keeps(definition) - seeded
