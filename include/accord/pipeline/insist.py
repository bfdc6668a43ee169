"""Until every record of a dispatch is answered: what may pass is sent again, what stayed without an answer is read back.

record locked, outage, …   a few times, after pauses that double
tables locked              nothing is wrong with the records: again and again, as long as some of them get through
no answer                  read back once the request can't take effect any more; what is not there goes again
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from accord.categories import Category
from accord.errors import Recovery, SystemShut, Unavailable
from accord.hub.dispatches import OpenDispatch
from accord.objects.definition import BusinessObject
from accord.pipeline import recover
from accord.ports import Target
from accord.records import RESULTS
from accord.runtime import Accord

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Insisting:
    """The rest of a dispatch's sending. `patience`: seconds without progress after which locked tables are waited for no more."""

    accord: Accord
    run: int
    target: Target
    definition: BusinessObject
    sending: OpenDispatch
    patience: float

    def until_answered(self, changes: pa.Table, answers: pa.Table) -> pa.Table:
        """The last answer to each of `changes`, which were sent once and answered by `answers`. Raises TakenOver, and what reading back
        raises: the dispatch is in doubt then."""
        tries, waiting, until = 0, changes.num_rows, time.monotonic() + self.patience
        while True:
            answers = self._resolve_unknown(changes, answers)
            retry = answers.filter(pc.equal(answers["outcome"], Recovery.RETRY))
            if retry.num_rows < waiting:
                waiting, until = retry.num_rows, time.monotonic() + self.patience
            again = retry if tries < self.accord.retries else _crowded_out(retry, patient=time.monotonic() < until)
            if not again.num_rows:
                return answers
            log.info("run %d → %s: %d record(s) may pass, sent again", self.run, self.target.name, again.num_rows)
            self._wait(self._pause(tries))
            tries += 1
            rows = changes.filter(pc.is_in(changes["key"], again["key"].combine_chunks()))
            rest = answers.filter(pc.invert(pc.is_in(answers["key"], again["key"].combine_chunks())))
            try:
                answers = pa.concat_tables([rest, self.target.send(self.definition, rows, self.sending)])
            except (Unavailable, SystemShut) as error:
                log.info("run %d → %s: %s", self.run, self.target.name, error)
                until = time.monotonic()  # who waits for it is parked, not kept here

    def _pause(self, tries: int) -> float:
        """Seconds before the next try: doubling up to a part of the lease, and spread, as those who got into each other's way would
        do it again."""
        longest = max(self.accord.backoff, self.accord.lease.total_seconds() / 4)
        return float(min(self.accord.backoff * 2**tries, longest) * (0.5 + self.accord.rules.spread()))

    def _resolve_unknown(self, changes: pa.Table, answers: pa.Table) -> pa.Table:
        """Rows without an answer: once their request can't take effect any more, what is there counts; the others go again."""
        unknown = answers.filter(pc.equal(answers["outcome"], Recovery.UNKNOWN))
        if not unknown.num_rows:
            return answers
        self._wait(self.target.longest_request.total_seconds())
        sent = changes.filter(pc.is_in(changes["key"], unknown["key"].combine_chunks()))
        natives = dict(zip(sent["key"].to_pylist(), sent["native"].to_pylist(), strict=True))
        there = recover.found_equal(self.accord, self.target, self.definition, sent, natives)
        rows = [
            row
            | (
                {"outcome": Recovery.APPLIED, "native": there[row["key"]]}
                if row["key"] in there
                else {"outcome": Recovery.RETRY}
            )
            for row in unknown.to_pylist()
        ]
        log.info(
            "run %d → %s: %d without answer, %d of them had arrived", self.run, self.target.name, len(rows), len(there)
        )
        known = answers.filter(pc.not_equal(answers["outcome"], Recovery.UNKNOWN))
        return pa.concat_tables([known, pa.Table.from_pylist(rows, schema=RESULTS)])

    def _wait(self, seconds: float) -> None:
        """Wait without losing the lease."""
        until = time.monotonic() + seconds
        step = max(0.05, self.accord.lease.total_seconds() / 4)
        while (left := until - time.monotonic()) > 0:
            self.sending.before_request()
            time.sleep(min(left, step))


def _crowded_out(retry: pa.Table, *, patient: bool) -> pa.Table:
    """Those of the answers that only other work was in the way of; none without patience."""
    crowded = pc.fill_null(pc.equal(retry["category"], Category.TABLES_LOCKED), False)
    return retry.filter(pc.and_(crowded, patient))
