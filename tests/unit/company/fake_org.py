"""An org in memory, with the calls the loader makes: it gives ids, refuses what it is told to, and counts writes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sandbox.company.org import Org


class FakeOrg(Org):
    def __init__(self) -> None:
        self.records: dict[str, dict[str, Any]] = {}
        self.writes: list[tuple[str, Mapping[str, Any]]] = []
        self.refuses: dict[str, str] = {}
        self.breaks_after: int | None = None

    def query(self, soql: str) -> Iterator[dict[str, Any]]:
        kind = re.search(r"FROM (\w+)", soql)
        prefix = re.search(r"(\w+) LIKE '(.*)%'", soql)
        assert kind
        assert prefix
        for record in list(self.records.values()):
            owner = record if kind[1] == "Account" else self.records[record.get("AccountId", record["Id"])]
            if record["attributes"]["type"] == kind[1] and str(owner.get(prefix[1], "")).startswith(prefix[2]):
                yield {"ParentId": None, "FirstName": None} | record

    def create(self, records: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
        for record in records:
            self._break()
            reason = self.refuses.get(str(record.get("Name") or record.get("LastName")))
            if reason:
                yield {"success": False, "errors": [{"statusCode": reason, "message": "no"}]}
                continue
            self.writes.append(("create", record))
            number = f"{len(self.records):018}"
            self.records[number] = {**record, "Id": number}
            yield {"success": True, "id": number, "errors": []}

    def update(self, records: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
        for record in records:
            self._break()
            self.writes.append(("update", record))
            self.records[record["id"]].update(record)
            yield {"success": True, "id": record["id"], "errors": []}

    def _break(self) -> None:
        if self.breaks_after is not None and len(self.writes) >= self.breaks_after:
            raise ConnectionError

    def accounts(self, key: str = "AccountNumber") -> dict[str, dict[str, Any]]:
        return {one[key]: one for one in self.records.values() if one["attributes"]["type"] == "Account"}
