"""The local Salesforce org in the place of the one in memory: people's edits are REST calls, its clock is the story's, its
database notes what Accord wrote, and it drops connections, refuses and breaks off by itself."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from accord.objects.definition import BusinessObject, Owner
from accord.ports import Selection, Sending, Sink, Source
from tests.fakes import Write
from tests.faults.simulator.org_orders import Orders
from tests.faults.simulator.real import Held, RealTarget
from tests.faults.simulator.schedule import Edit
from tests.faults.simulator.stage import Stage
from tests.faults.simulator.systems import Counting, State, here, read_in_turns
from tests.salesforce_org import VERSION, Org, RestSession

# People and Accord use different versions of the API: so a fault is told whom to meet.
ACCORDS_VERSION = "64.0"
_ACCORD = rf"/services/data/v{ACCORDS_VERSION}/"
_READING = _ACCORD + r"(query|sobjects/\w+/describe)"
_WRITING = _ACCORD + "composite/"
_ANY = rf"({_ACCORD}|/services/oauth2/token)"
_PEOPLE = rf"/services/data/v{VERSION}/sobjects/"
_ANSWERS = {
    "drop before commit": "drop_before",
    "drop after commit": "drop_after",
    "locked": "lock_rows",
    "unavailable": "unavailable",
}
_CUT = 20  # bytes of an answer that breaks off
_SAID = (
    "SELECT Id, IsDeleted, MasterRecordId, Name, Phone, Website, ParentId, Legal_Entities__c FROM Account ORDER BY Id"
)
_BILLED = "SELECT Key__c, Status__c, Number__c, Account__c, Total__c, Open_Balance__c FROM ERP_Invoice__c"
_BILLED_LINES = "SELECT Key__c, Invoice__r.Key__c FROM ERP_Invoice_Line__c"
_FIELDS = {
    "name": "Name",
    "phone": "Phone",
    "website": "Website",
    "country": "BillingCountryCode",
    "currency": "CurrencyIsoCode",
}


@contextmanager
def fault(org: Org, stage: Stage, what: str, kind: str, **rule: Any) -> Iterator[None]:
    """A rule while something is done; how often it was met counts as `what` happened."""
    number = org.fault(kind, **rule)
    try:
        yield
    finally:
        met = [one["applied"] for one in org.faults() if one["id"] == number]
        stage.happened[what] += sum(met)
        if met:  # else everything was set right meanwhile
            org.control("DELETE", f"faults/{number}")


class OrgSource:
    """The org's accounts and orders: what people do to them, and how Accord reads them."""

    name, side = "salesforce", Owner.SALESFORCE

    def __init__(
        self, *, org: Org, people: RestSession, adapter: Source, stage: Stage, skew: float, orders: Orders
    ) -> None:
        self.org, self.people, self.adapter, self.stage, self.skew = org, people, adapter, stage, skew
        self.orders = orders
        self.gave: Counter[tuple[str, str]] = Counter()
        self.stall = 0.0
        self.hiccups: list[tuple[str, int]] = []
        self._ids: dict[str, str] = {}
        self._rows: dict[str, dict[str, Any]] = {}
        self._outage: int | None = None
        self._at: datetime | None = None
        stage.clocks.append(self._follow)
        self._follow()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.adapter, name)  # what else a source is asked

    def _follow(self) -> None:
        """The org's clock, which tells seconds, is the story's."""
        at = self.stage.clock(self.skew).replace(microsecond=0)
        if at != self._at:
            self.org.stand(at)
            self._at = at

    # ------------------------------------------------------------------------------------------------- people
    def native(self, name: str) -> str | None:
        """The id of the record the story calls `name`; None while it was never there."""
        return self._ids.get(name)

    def tell(self, edit: Edit) -> list[tuple[str, State]]:
        """Somebody does it, if the org lets them; what it says of which accounts from now on, others' included: a merge, or a parent
        that goes, changes more than one."""
        record = self._ids.get(edit.native)
        do = self._order if edit.object == "order" else self._account
        late = int(min(edit.late, self._seconds_since_change(edit.object, record)))
        rule = {"path": _PEOPLE, "method": "POST|PATCH|DELETE", "value": late, "times": 1}
        if late > 0:
            with fault(self.org, self.stage, "late commit", "late_commit", **rule):
                do(edit, record)
        else:
            do(edit, record)
        return list(self.orders.changed() if edit.object == "order" else self._changed())

    def _seconds_since_change(self, name: str, record: str | None) -> float:
        """A record's modifications are stamped in the order they are committed in."""
        if record is None:
            return float("inf")
        places = (("Order", "Id"), ("OrderItem", "OrderId")) if name == "order" else (("Account", "Id"),)
        queries = (f"SELECT SystemModstamp FROM {sobject} WHERE {id_} = '{record}'" for sobject, id_ in places)  # noqa: S608 - ours
        stamps = [row["SystemModstamp"] for query in queries for row in self.people.soql(query, deleted=True)]
        return (self.stage.clock(self.skew) - datetime.fromisoformat(max(stamps))).total_seconds() - 1

    def _order(self, edit: Edit, order: str | None) -> None:
        if order is not None:
            if refusal := self.orders.amend(order, edit):
                self.stage.note(f"Salesforce refuses {edit.native}: {refusal}")
        elif "number" in edit.values:
            customer = self._ids.get(edit.values["customer"].partition(":")[2])
            if customer:  # nobody orders who is not there yet
                self._ids[edit.native] = self.orders.create(customer, edit)

    def _account(self, edit: Edit, account: str | None) -> None:
        values = {_FIELDS[name]: value for name, value in edit.values.items() if name in _FIELDS}
        if "legal_entities" in edit.values:
            values["Legal_Entities__c"] = ";".join(edit.values["legal_entities"])
        if "parent" in edit.values:
            parent = self._ids.get((edit.values["parent"] or "").partition(":")[2], "")
            values["ParentId"] = parent if self._live(parent) else None
        gone = edit.values.get("gone")
        if account is None:
            if "name" in edit.values:
                self._ids[edit.native] = self.people.create("Account", **values)
        elif gone is False:
            if not self._live(account) and not self._rows[account]["MasterRecordId"]:  # nobody takes a merge back
                self.org.undelete(account)
        elif not self._live(account):
            return  # nobody changes what is gone
        elif gone and "merged_into" in edit.values:
            master = self._ids.get(edit.values["merged_into"].partition(":")[2], "")
            if self._live(master):
                self.org.merge(master, account)
        elif gone:
            assert self.people.delete(f"/sobjects/Account/{account}").status_code == 204
        else:
            answer = self.people.patch(f"/sobjects/Account/{account}", json=values)
            if not answer.ok:
                self.stage.note(f"Salesforce refuses {edit.native}: {answer.text}")
                assert answer.json()[0]["errorCode"] == "CIRCULAR_DEPENDENCY", answer.text

    def _live(self, account: str) -> bool:
        return account in self._rows and not self._rows[account]["IsDeleted"]

    def _changed(self) -> Iterator[tuple[str, State]]:
        for row in self.people.soql(_SAID, deleted=True):
            if self._rows.get(row["Id"]) != row:
                self._rows[row["Id"]] = row
                yield (
                    f"salesforce:{row['Id']}",
                    {
                        "gone": row["IsDeleted"],
                        "name": row["Name"],
                        "phone": row["Phone"],
                        "website": row["Website"],
                        "parent": row["ParentId"] and f"salesforce:{row['ParentId']}",
                        "legal_entities": (row["Legal_Entities__c"] or "").split(";"),
                    },
                )

    # ------------------------------------------------------------------------------------------------ reading
    def extract(self, definition: BusinessObject, selection: Selection, sink: Sink) -> datetime:
        def read(counting: Counting) -> datetime:
            if not self.hiccups:
                return self.adapter.extract(definition, selection, counting)
            kind, times = self.hiccups.pop(0)
            rule = {"path": _READING, "times": times, "after": self.stage.random.randint(0, 4), "value": _CUT}
            with fault(self.org, self.stage, f"reading meets {kind}", kind, **rule):
                return self.adapter.extract(definition, selection, counting)

        root, *_ = self.adapter.roots(definition)
        return read_in_turns(self, definition, Counting(sink, root, here(), pages=True), read)

    @property
    def down(self) -> bool:
        """Whether it answers Accord."""
        return self._outage is not None

    @down.setter
    def down(self, down: bool) -> None:
        if down and self._outage is None:
            self._outage = self.org.fault("unavailable", path=_ANY)
        elif not down and self._outage is not None:
            self.org.control("DELETE", f"faults/{self._outage}")
            self._outage = None

    def set_right(self) -> None:
        """Nothing is the matter with it any more."""
        self.hiccups.clear()
        self.org.clear_faults()


@dataclass(slots=True, kw_only=True)
class OrgTarget(RealTarget):
    """The org, which loses answers, locks records and goes away by itself."""

    org: Org

    def _connect(self) -> None:
        """It says so itself."""

    def _met(self, answer: str, definition: BusinessObject, changes: pa.Table, sending: Sending) -> pa.Table:
        if answer not in _ANSWERS:
            return RealTarget._met(self, answer, definition, changes, sending)
        with fault(self.org, self.stage, answer, _ANSWERS[answer], path=_WRITING, times=1):
            return self._send(definition, changes, sending)


class Ledger:
    """What the org itself says of invoices, and what its database notes of everything the integration user writes."""

    def __init__(self, org: Org, people: RestSession) -> None:
        self._people = people
        self._notes = sqlite3.connect(
            org.folder / "org.sqlite", isolation_level=None, check_same_thread=False, timeout=60
        )
        self._watch(org.username)
        self._seen = 0
        self._made: list[str] = []  # what came into being and has not been told yet

    def empty(self) -> None:
        """Nothing is noted, and the first account and order of the org get the ids they had in every story before."""
        self._made.clear()
        self._notes.execute("DELETE FROM watch_note")
        self._notes.execute("DELETE FROM _sequence WHERE name IN ('001', '801', '802')")

    def held(self) -> Held:
        lines = Counter(row["Invoice__r"]["Key__c"] for row in self._people.soql(_BILLED_LINES))
        return {
            "invoice": {
                row["Key__c"]: _invoice(row)
                | {"gone": row["Status__c"] == "Cancelled", "lines": ["line"] * lines[row["Key__c"]]}
                for row in self._people.soql(_BILLED)
            }
        }

    def noted(self, keys: Sequence[str], dispatch: int) -> Iterator[Write]:
        """As the protocol has it. An invoice without its lines, whose sending broke off in between, has not been told yet: that it is sent
        again is what must happen."""
        query = "SELECT id, object, created, fields FROM watch_note WHERE id > ? ORDER BY id"
        for number, name, created, fields in self._notes.execute(query, [self._seen]).fetchall():
            self._seen = number
            row = json.loads(fields)
            key = row["Key__c"] if name == "invoice" else f"salesforce:{row['Id']}"
            if created:
                self._made.append(key)
            if name == "invoice" and not self._has_lines(row["Id"]):
                continue
            told = {} if row.get("Status__c") == "Cancelled" else row | (_invoice(row) if name == "invoice" else {})
            made = self._made.count(key)
            self._made = [one for one in self._made if one != key]
            for n in range(max(made, 1)):
                yield Write(object=name, key=key, native=row["Id"], created=n < made, fields=told, dispatch=dispatch)

    def close(self) -> None:
        self._notes.close()

    def _has_lines(self, invoice: str) -> bool:
        query = "SELECT 1 FROM ERP_Invoice_Line__c WHERE Invoice__c = ? AND IsDeleted = 0 LIMIT 1"
        return self._notes.execute(query, [invoice]).fetchone() is not None

    def _watch(self, username: str) -> None:
        """Triggers, as the ERPs' databases have them; what people and the org itself change is not noted."""
        (user,) = self._notes.execute("SELECT Id FROM User WHERE Username = ?", [username]).fetchone()
        self._notes.execute(
            "CREATE TABLE IF NOT EXISTS watch_note (id INTEGER PRIMARY KEY AUTOINCREMENT, object, created, fields)"
        )
        status = ("Id", "ERP_Sync_Status__c", "ERP_Error__c")
        for sobject, name, columns in (("ERP_Invoice__c", "invoice", None), ("Account", "customer_status", status)):
            there = [row[1] for row in self._notes.execute(f"PRAGMA table_info({sobject})")]
            named = columns or [one for one in there if one not in _STAMPS]
            values = ", ".join(f"'{one}', NEW.{one}" for one in named)
            for event, created in (("INSERT", 1), ("UPDATE", 0)):
                self._notes.execute(
                    f"CREATE TRIGGER IF NOT EXISTS watch_{sobject}_{event} AFTER {event} ON {sobject} "  # noqa: S608 - names of ours
                    f"WHEN NEW.LastModifiedById = '{user}' BEGIN INSERT INTO watch_note (object, created, fields) "
                    f"VALUES ('{name}', {created}, json_object({values})); END"
                )


_STAMPS = frozenset({"CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById", "SystemModstamp"})


def _invoice(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "key": row["Key__c"],
        "number": row["Number__c"],
        "customer": f"salesforce:{row['Account__c']}",
        "total": str(row["Total__c"]),
        "open_balance": str(row["Open_Balance__c"]),
    }
