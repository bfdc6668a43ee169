"""Runs compiled queries: first pages, further pages by locator, counts."""

import json
import secrets
import sqlite3
import time
from collections import OrderedDict, defaultdict
from pathlib import Path
from typing import Any

from sandbox.salesforce import ids
from sandbox.salesforce.clock import Clock
from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.schema.permissions import Actor
from sandbox.salesforce.soql.compiler import Compiler
from sandbox.salesforce.soql.plan import LARGEST_AGGREGATE, Compiled
from sandbox.salesforce.soql.records import renderer
from sandbox.salesforce.store import Store

BATCH = 2000
SMALLEST_BATCH = 200
LOCATOR_SECONDS = 2 * 86_400.0
_LOCATOR_PREFIX = "01g"


class Queries:
    """Answers the query, queryAll and queryMore calls of REST."""

    def __init__(self, store: Store, clock: Clock, folder: Path) -> None:
        self.store, self.clock, self.folder = store, clock, folder
        self._cached: OrderedDict[str, list[str]] = OrderedDict()

    def compile(self, actor: Actor, text: str, *, deleted: bool) -> Compiled:
        """Compile a query for a user."""
        return Compiler(text, self.store.schema, actor, self.clock.now().date(), deleted=deleted).compile()

    def run(self, actor: Actor, text: str, base: str, *, deleted: bool = False, batch: int = BATCH) -> dict[str, Any]:
        """Run a query and return its first page as REST answers it.

        Args:
            actor: Who asks.
            text: The SOQL.
            base: ``/services/data/vX``.
            deleted: Whether deleted records count too (queryAll).
            batch: Records per page, 200 to 2000.

        Raises:
            ApiError: As Salesforce refuses the query.
        """
        plan = self.compile(actor, text, deleted=deleted)
        with self.store.snapshot() as db:
            if plan.counting:
                return {"totalSize": db.execute(*plan.counted()).fetchone()[0], "done": True, "records": []}
            if plan.aggregate:
                rows = db.execute(*plan.totals()).fetchall()
                if len(rows) > LARGEST_AGGREGATE:
                    raise ApiError(
                        400,
                        "EXCEEDED_ID_LIMIT",
                        "Aggregate query does not support queryMore(). Use LIMIT to "
                        "restrict the results to a single batch",
                    )
                record = renderer(plan, base)
                return {"totalSize": len(rows), "done": True, "records": [record(row) for row in rows]}
            found = [row[0] for row in db.execute(*plan.ids())]
            size = max(SMALLEST_BATCH, min(batch, BATCH))
            result: dict[str, Any] = {"totalSize": len(found), "done": len(found) <= size}
            if not result["done"]:
                locator = self._keep(found, text, deleted)
                result["nextRecordsUrl"] = f"{base}/query/{locator}-{size}"
            result["records"] = self._records(db, plan, found[:size], base)
        return result

    def more(self, actor: Actor, cursor: str, base: str, batch: int = BATCH) -> dict[str, Any]:
        """Return a further page: `cursor` is ``<locator>-<first record>`` out of a nextRecordsUrl."""
        locator, _, start = cursor.rpartition("-")
        path = self.folder / f"{locator}.json"
        if not start.isdigit() or not locator.isalnum() or not path.is_file():
            raise ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        kept = json.loads(path.read_text(encoding="utf-8"))
        found = self._cached.get(locator) or self._load(locator)
        first, size = int(start), max(SMALLEST_BATCH, min(batch, BATCH))
        if first > len(found):
            raise ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        plan = self.compile(actor, kept["query"], deleted=kept["deleted"])
        result: dict[str, Any] = {"totalSize": len(found), "done": first + size >= len(found)}
        if not result["done"]:
            result["nextRecordsUrl"] = f"{base}/query/{locator}-{first + size}"
        with self.store.snapshot() as db:
            result["records"] = self._records(db, plan, found[first : first + size], base)
        return result

    def _records(self, db: sqlite3.Connection, plan: Compiled, wanted: list[str], base: str) -> list[dict[str, Any]]:
        record = renderer(plan, base)
        packed = json.dumps(wanted)
        rows = db.execute(plan.page(), (packed,)).fetchall()
        records = [record(row) for row in rows]
        for nested in plan.children:
            inner = renderer(nested.plan, base, 1)
            sql, values = nested.sql()
            groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
            for row in db.execute(sql, [*values, packed]):
                groups[row[0]].append(inner(row))
            for row, parent in zip(rows, records, strict=True):
                group = groups.get(row[0])
                parent[nested.name] = group and {"totalSize": len(group), "done": True, "records": group}
        return records

    def forget(self, *, older_than: float = 0.0) -> None:
        """Remove the cursors made more than so many seconds ago."""
        limit = time.time() - older_than
        for path in self.folder.glob("*"):
            if path.stat().st_mtime <= limit:
                path.unlink(missing_ok=True)
        self._cached.clear()

    # The result set is the list of ids; it lives in a file, so that a restart or another thread can go on with it.
    def _keep(self, found: list[str], text: str, deleted: bool) -> str:
        self.folder.mkdir(parents=True, exist_ok=True)
        locator = ids.make(_LOCATOR_PREFIX, secrets.randbelow(62**9))
        (self.folder / f"{locator}.ids").write_text("".join(found), encoding="ascii")
        (self.folder / f"{locator}.json").write_text(json.dumps({"query": text, "deleted": deleted}), encoding="utf-8")
        self._remember(locator, found)
        return locator

    def _load(self, locator: str) -> list[str]:
        text = (self.folder / f"{locator}.ids").read_text(encoding="ascii")
        found = [text[at : at + 18] for at in range(0, len(text), 18)]
        self._remember(locator, found)
        return found

    def _remember(self, locator: str, found: list[str]) -> None:
        self._cached[locator] = found
        while len(self._cached) > 10:
            self._cached.popitem(last=False)
