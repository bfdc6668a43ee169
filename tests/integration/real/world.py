"""The real things around one test: an org over HTTP, Tryton, the legacy ERP behind its tables, a hub. A test says what people
do in them and runs flows; Airflow is left out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from accord.batch import Staging
from accord.flows import Flow, flow
from accord.hub.reconciliations import differences_of
from accord.pipeline.flow_run import run_flow
from accord.pipeline.reconcile import reconcile
from accord.pipeline.runs import Params, RunKind
from accord.ports import System
from accord.runtime import Accord
from accord.settings import Connection, connection_from_environment
from accord.systems import open_system
from accord.systems.interface_tables.adapter import InterfaceTables
from accord.systems.interface_tables.session import Session
from sandbox.erp.server import Erp
from sandbox.stack import connections
from sandbox.stack.postgres import Server
from tests.integration.real import watching
from tests.salesforce_org import Org, RestSession

CUSTOMERS = flow("customer__salesforce_to_erp")
TRYTON_ACCOUNTS = flow("customer_account__tryton_to_salesforce")
LEGACY_ACCOUNTS = flow("customer_account__legacy_to_salesforce")

LEASE = timedelta(seconds=1)
Found = dict[str, tuple[str, str, list[str]]]  # key → (class, outcome, fields)


class QuickTables(InterfaceTables):
    """The adapter with less patience: its server ends a statement after a second, so nothing takes effect much later."""

    longest_request = timedelta(seconds=1.5)


def open_quickly(name: str, connection: Connection) -> System:
    """The real adapters."""
    return QuickTables(name, Session(connection)) if name == "legacy" else open_system(name, connection)


def build(environment: Mapping[str, str], folder: Path, **knobs: Any) -> Accord:
    """A composition root over the connections in `environment`, as one process has it."""
    usual: dict[str, Any] = {"lease": LEASE, "retries": 2, "backoff": 0.05}
    return Accord(
        connection_of=lambda name: connection_from_environment(name, environment),
        staging=Staging(f"file://{folder}/staging"),
        reports=f"{folder}/reports",
        open_system=open_quickly,
        **usual | knobs,
    )


@dataclass(slots=True)
class RealWorld:
    """Everything one test needs. The org and the legacy ERP are its own; Tryton also holds other tests' customers."""

    org: Org
    erp: Erp
    server: Server
    number: int
    hub: str
    legacy: str
    folder: Path
    people: RestSession
    bodies: dict[str, dict[str, Any]] = field(default_factory=dict)
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    _offset: int = (
        -120
    )  # of the org's clock, in seconds: what is behind can be put on, where waiting for the next second takes one
    _kept: tuple[tuple[Mapping[str, str], Mapping[str, Any]], Accord] | None = None
    _runs: int = 0
    _notes: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.org.clock(self._offset)
        self.bodies = connections.of(self.server, self.erp, self.org.http)
        self.bodies["accord_hub"]["schema"], self.bodies["accord_legacy"]["schema"] = self.hub, self.legacy
        self.bodies["accord_legacy"]["extra"] = {"request_timeout_s": 1, "lock_timeout_s": 1}  # see QuickTables
        self.bodies["accord_tryton"]["extra"] |= {"request_timeout_s": 20, "longest_request_s": 3}
        self.bodies["accord_salesforce"]["extra"] |= {"longest_request_s": 1, "bulk_poll_s": 0.1, "retry_wait_s": 0.05}
        self.forget()

    def be_patient(self) -> None:
        """For loads whose requests take longer than those of three customers."""
        self.bodies["accord_legacy"]["extra"] = {}

    # ------------------------------------------------------------------------------------------------- people at work
    def account(self, name: str, *, entities: str = "NL01", **values: Any) -> str:
        """Sales creates an account; gives its id. Names carry the test's number: Tryton has other tests' customers too."""
        usual = {
            "Name": f"{name} {self.number}",
            "CurrencyIsoCode": "USD" if "US01" in entities else "EUR",
            "Legal_Entities__c": entities,
            "BillingCountryCode": "NL",
            "BillingCity": "Delft",
        }
        return self.people.create("Account", **usual | values)

    def change(self, record: str, sobject: str = "Account", **values: Any) -> None:
        """Sales changes a record, in another second than it was last changed."""
        self.next_second(record, sobject)
        answer = self.people.patch(f"/sobjects/{sobject}/{record}", json=values)
        assert answer.status_code == 204, answer.text

    def next_second(self, record: str, sobject: str) -> None:
        """It is another second than that of a record's last change: Salesforce tells no less apart."""
        stamp = self.people.soql(f"SELECT SystemModstamp FROM {sobject} WHERE Id = '{record}'")[0]["SystemModstamp"]  # noqa: S608 - ours
        while self._a_second_on()[:19] <= stamp[:19]:
            pass

    def _a_second_on(self) -> str:
        self._offset += 1
        return self.org.clock(self._offset)

    def delete(self, record: str, sobject: str = "Account") -> None:
        answer = self.people.delete(f"/sobjects/{sobject}/{record}")
        assert answer.status_code == 204, answer.text

    def shown(self, record: str, *fields: str) -> tuple[Any, ...]:
        """Fields of an account as Salesforce shows them."""
        row = self.people.soql(f"SELECT {', '.join(fields)} FROM Account WHERE Id = '{record}'")[0]  # noqa: S608 - ours
        return tuple(row[name] for name in fields)

    def status(self, record: str) -> tuple[str | None, str | None]:
        """Sync status and last error."""
        status, error = self.shown(record, "ERP_Sync_Status__c", "ERP_Error__c")
        return status, error

    # ------------------------------------------------------------------------------------------------------ the flows
    @property
    def environment(self) -> dict[str, str]:
        """The connections, as a process is given them."""
        return {f"AIRFLOW_CONN_{name.upper()}": json.dumps(body) for name, body in self.bodies.items()}

    def accord(self, **knobs: Any) -> Accord:
        """The process that runs flows. It is kept, as logging in anew takes longer than most runs; one with other `knobs` or
        other connections than before is another."""
        wanted = (self.environment, knobs)
        if self._kept is None or self._kept[0] != wanted:
            self.rest()
            self._kept = (wanted, build(self.environment, self.folder, **knobs))
        return self._kept[1]

    def rest(self) -> None:
        """The process ends: the next one logs in anew and knows nothing."""
        if self._kept is not None:
            self._kept[1].close()
            self._kept = None

    def interval(self) -> tuple[datetime, datetime]:
        """A data interval that holds all that was done so far, and what the run itself will do to the accounts."""
        now = datetime.now(UTC)
        return now - timedelta(minutes=10), now + timedelta(minutes=1)

    def run(
        self,
        which: Flow = CUSTOMERS,
        *,
        kind: RunKind = RunKind.SCHEDULED,
        engine_run: str | None = None,
        params: Params | None = None,
        **knobs: Any,
    ) -> dict[str, Any]:
        """Run a flow as its schedule would, in another second of the org than the one before."""
        self._runs += 1
        self._a_second_on()
        return run_flow(
            self.accord(**knobs),
            which,
            kind=kind,
            engine_run=engine_run or f"run {self._runs}",
            params=params,
            interval=self.interval(),
        )

    def reconciled(self, which: Flow, target: str, *keys: str) -> tuple[dict[str, Any], Found]:
        """Hold both sides against each other, of `keys` or of everything; the summary and what was found."""
        accord = self.accord()
        summary = reconcile(accord, which, target=target, keys=keys, who="somebody")
        rows = differences_of(accord.hub, summary["reconciliation"])
        return summary, {row["key"]: (row["class"], row["outcome"], row["fields"]) for row in rows}

    def read_from_the_beginning(self, *flows: Flow) -> None:
        """Flows that read from their watermark start at this test's beginning: Tryton holds other tests' records too."""
        for which in flows:
            with psycopg.connect(self.server.dsn(self.hub)) as session:
                session.execute(
                    "INSERT INTO flow (name, declaration, watermark) VALUES (%s, '{}', %s) "
                    "ON CONFLICT (name) DO UPDATE SET watermark = excluded.watermark",
                    (which.name, self.began + which.overlap),
                )

    def accounts_back(self, which: Flow, **more: Any) -> dict[str, Any]:
        """Run a customer_account flow over what this test did, though Tryton holds more."""
        return self.run(which, kind=RunKind.MANUAL, params=Params(since=self.began, **more))

    # ----------------------------------------------------------------------------------------------- what was written
    def forget(self) -> None:
        """Count writes from now on."""
        self._notes = {name: watching.now(dsn) for name, dsn in self._watched().items()}
        self.org.calls(clear=True)

    def written(self, where: str) -> Counter[tuple[str, str, str]]:
        """Rows written to an ERP's database since `forget`."""
        return watching.noted(self._watched()[where], self._notes[where])

    def org_writes(self) -> list[str]:
        """Requests that change something in the org, since `forget`; people's included."""
        return [
            f"{call['method']} {call['path']}"
            for call in self.org.calls()
            if call["method"] != "GET"
            and not any(part in call["path"] for part in ("/oauth2/", "/jobs/query", "/sandbox/"))
        ]

    def nothing_written(self) -> bool:
        """Whether no system was written since `forget`."""
        return not (self.written("tryton") or self.written("legacy") or self.org_writes())

    def _watched(self) -> dict[str, str]:
        return {"tryton": self.server.dsn(self.erp.database), "legacy": self.server.dsn(self.legacy)}

    # -------------------------------------------------------------------------------------------------------- the hub
    def rows(self, query: str, *arguments: Any) -> list[dict[str, Any]]:
        """What the hub answers."""
        with psycopg.connect(self.server.dsn(self.hub), row_factory=dict_row) as session:
            return session.execute(query.encode(), arguments).fetchall()

    def exceptions(self) -> dict[str, list[dict[str, Any]]]:
        """Open exceptions by the key they are about."""
        found: dict[str, list[dict[str, Any]]] = {}
        for row in self.rows("SELECT * FROM exception WHERE state <> 'closed' ORDER BY id"):
            found.setdefault(row["key"], []).append(row)
        return found

    def watermark(self, which: Flow = CUSTOMERS) -> datetime | None:
        found = self.rows("SELECT watermark FROM flow WHERE name = %s", which.name)
        return found[0]["watermark"] if found else None


def counts(summary: Mapping[str, Any], target: str) -> dict[str, int]:
    """How a run's records fared in one target, by bucket."""
    return dict(summary["targets"][target]["counts"])
