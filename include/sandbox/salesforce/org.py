"""The org put together: schema, store, users, queries, writes, jobs. The only place that knows all parts."""

import hmac
import os
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from sandbox.salesforce import ids, seeding
from sandbox.salesforce.bulk.jobs import Jobs
from sandbox.salesforce.clock import Clock, stored
from sandbox.salesforce.errors import ApiError, RowError
from sandbox.salesforce.faults import Faults, Kind, Rule, row_error
from sandbox.salesforce.records.deleting import Deleting
from sandbox.salesforce.records.drafts import Draft, Operation, Reader
from sandbox.salesforce.records.saving import Saving
from sandbox.salesforce.schema import countries, formula, source_format, standard
from sandbox.salesforce.schema.model import Field, Object, Schema
from sandbox.salesforce.schema.permissions import Actor, Permissions
from sandbox.salesforce.seeding import CURRENCIES, ORGANIZATION_ID
from sandbox.salesforce.soql.running import LOCATOR_SECONDS, Queries
from sandbox.salesforce.store import Store

SESSION_SECONDS = 7200.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How an org is set up. `jwt_key` is the PEM file of the public key or certificate of JWT bearer sign-in."""

    data: Path
    metadata: Path | None = None
    client_id: str = "accord-integration"
    client_secret: str = "local-only-secret"  # noqa: S105 - a documented constant of a tool bound to loopback
    admin_id: str = "accord-admin"
    admin_secret: str = "local-only-admin-secret"  # noqa: S105 - as above
    username: str = "integration@accord.example"
    admin_username: str = "admin@accord.example"
    password: str = "local-only-password"  # noqa: S105 - as above; both users'
    jwt_key: Path | None = None
    api_limit: int = 100_000

    @staticmethod
    def from_environment(**values: Any) -> "Settings":
        """Return settings with the secrets of ``SANDBOX_SALESFORCE_*``, where set."""
        names = {
            "client_id": "CLIENT_ID",
            "client_secret": "CLIENT_SECRET",
            "admin_id": "ADMIN_CLIENT_ID",
            "admin_secret": "ADMIN_CLIENT_SECRET",
            "password": "PASSWORD",
        }
        found = {
            key: os.environ[f"SANDBOX_SALESFORCE_{name}"]
            for key, name in names.items()
            if os.environ.get(f"SANDBOX_SALESFORCE_{name}")
        }
        return Settings(**{**found, **values})


@dataclass(slots=True)
class Usage:
    """What has been used of the daily limits; in memory, a restart begins a new day."""

    requests: int = 0
    bulk_batches: int = 0
    ingest_jobs: int = 0
    query_jobs: int = 0
    calls: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=1000))


class Org:
    """One local Salesforce org."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.countries = countries.load()
        objects = standard.read(CURRENCIES, tuple(self.countries.names), self.countries.state_codes())
        self.sets: list[dict[str, Any]] = []
        if settings.metadata:
            objects = source_format.apply(objects, settings.metadata, CURRENCIES)
            self.sets = source_format.read_permission_sets(settings.metadata)
        self.schema = Schema(objects)
        formula.check(self.schema)
        self.clock = Clock()
        self.store = Store(settings.data, self.schema)
        files = settings.data.parent / (settings.data.stem + ".files")
        self.queries = Queries(self.store, self.clock, files / "locators")
        self.jobs = Jobs(self.store, self.clock, files / "jobs")
        self.faults = Faults()
        self.usage = Usage()
        self.actors: dict[str, Actor] = {}
        self.codes: dict[str, dict[str, Any]] = {}  # authorization codes not yet exchanged
        self._tokens: dict[str, tuple[str, float]] = {}
        self._lock = threading.Lock()

    def open(self) -> bool:
        """Open the data file; return whether the org is new."""
        new = self.store.open()
        self.queries.forget(older_than=LOCATOR_SECONDS)
        users = seeding.seed(self.store, self.clock.stamp(), self.settings.username, self.settings.admin_username)
        seeding.assign(self.store, self.clock.stamp(), users, self.sets)
        seeding.price_book(self.store, self.clock.stamp(), users)
        self._actor(self.settings.client_id, users["integration"], self.settings.username, Permissions(self.sets))
        self._actor(self.settings.admin_id, users["admin"], self.settings.admin_username, Permissions(admin=True))
        self._tokens = {
            row[0]: (row[1], row[2])
            for row in self.store.connection.execute("SELECT token, client, expires FROM _token")
        }
        return new

    def close(self) -> None:
        """Close the data file."""
        self.store.close()

    def _actor(self, client: str, user_id: str, username: str, permissions: Permissions) -> None:
        self.actors[client] = Actor(user_id=user_id, username=username, client=client, permissions=permissions)

    @property
    def admin(self) -> Actor:
        """The administrator."""
        return self.actors[self.settings.admin_id]

    def new_token(self, client: str) -> str:
        """Open a session for a connected app and return its access token."""
        token = f"{ORGANIZATION_ID[:15]}!AQ{secrets.token_urlsafe(48)}"
        expires = time.time() + SESSION_SECONDS
        with self.store.write() as db:
            db.execute("DELETE FROM _token WHERE expires < ?", (time.time(),))
            db.execute("INSERT INTO _token VALUES (?, ?, ?)", (token, client, expires))
        self._tokens[token] = (client, expires)
        return token

    def new_refresh_token(self, client: str) -> str:
        """Let a connected app open sessions again and again, until the token is revoked."""
        token = "5Aep" + secrets.token_urlsafe(60)
        with self.store.write() as db:
            db.execute("INSERT INTO _refresh VALUES (?, ?)", (token, client))
        return token

    def refreshed(self, token: str) -> Actor | None:
        """Return the user of a refresh token, or None if it is unknown or revoked."""
        row = self.store.connection.execute("SELECT client FROM _refresh WHERE token = ?", (token,)).fetchone()
        return self.actors.get(row[0]) if row else None

    def by_password(self, username: str, password: str) -> Actor | None:
        """Return the user who signs in so. A security token after the password is allowed, as from unknown networks."""
        right = hmac.compare_digest(password[: len(self.settings.password)].encode(), self.settings.password.encode())
        return next((a for a in self.actors.values() if right and a.username.lower() == username.lower()), None)

    def session(self, token: str) -> Actor | None:
        """Return the user of a token, or None if it is unknown or expired."""
        client, expires = self._tokens.get(token, ("", 0.0))
        return self.actors.get(client) if expires > time.time() else None

    def revoke(self, token: str | None = None) -> None:
        """End one session or refresh token, or all sessions."""
        with self.store.write() as db:
            if token is None:
                db.execute("DELETE FROM _token")
                self._tokens.clear()
            else:
                db.execute("DELETE FROM _token WHERE token = ?", (token,))
                db.execute("DELETE FROM _refresh WHERE token = ?", (token,))
                self._tokens.pop(token, None)

    def object(self, actor: Actor, name: str) -> Object:
        """Return an object the user may see.

        Raises:
            ApiError: 404, as Salesforce answers for addresses of unknown objects.
        """
        found = self.schema.object(name)
        if found is None or not actor.permissions.allows(found, "read"):
            raise ApiError(404, "NOT_FOUND", "The requested resource does not exist")
        return found

    def addressed(self, value: Any) -> tuple[Object, str]:
        """Return the object and the 18-character form of a record's id.

        Raises:
            ApiError: MALFORMED_ID.
        """
        record = ids.normalize(str(value or ""))
        obj = self.schema.by_prefix.get((record or "")[:3])
        if record is None or obj is None:
            raise ApiError(400, "MALFORMED_ID", f"malformed id {value}")
        return obj, record

    def row_rule(self, method: str, path: str) -> Rule | None:
        """Return the fault rule that spoils records of a request or job."""
        return self.faults.take(method, path, Kind.LOCK_ROWS, Kind.FAIL_ROWS)

    def _stamp(self, method: str, path: str) -> str:
        rule = self.faults.take(method, path, Kind.LATE_COMMIT)
        late = timedelta(seconds=float(rule.value or 0)) if rule else timedelta()
        return stored(self.clock.now() - late)

    def save(
        self,
        actor: Actor,
        obj: Object,
        operation: Operation,
        drafts: Sequence[Draft],
        *,
        place: tuple[str, str],
        external: Field | None = None,
        spoil: Rule | None = None,
        first: int = 1,
        duplicates: bool = False,
    ) -> None:
        """Insert, update or upsert records; the drafts tell what became of each.

        Args:
            actor: Who saves.
            obj: The object.
            operation: insert, update or upsert.
            drafts: The records.
            place: Method and path of the request, for fault rules.
            external: The field that identifies records of an upsert.
            spoil: A fault rule for single records.
            first: Number of the first record, for that rule.
            duplicates: Whether the client insists where a duplicate rule only alerts.
        """
        for number, draft in enumerate(drafts, first):
            error = row_error(spoil, number)
            if error:
                draft.errors = [error]
        with self.store.write() as db:
            stamp = self._stamp(*place)
            saving = Saving(
                self.store, db, self.countries, actor, obj, operation, external, stamp, duplicates=duplicates
            )
            saving.save(drafts)

    def delete(
        self,
        actor: Actor,
        records: Sequence[str],
        *,
        place: tuple[str, str],
        spoil: Rule | None = None,
        first: int = 1,
        obj: Object | None = None,
        hard: bool = False,
    ) -> list[RowError | None]:
        """Delete records given by id; return for each why not, or None. `obj` limits them to one object."""
        outcomes: list[RowError | None] = []
        with self.store.write() as db:
            deleting = Deleting(self.store, db, actor, self._stamp(*place))
            for number, text in enumerate(records, first):
                record = ids.normalize(text.strip())
                target = obj or self.schema.by_prefix.get((record or "")[:3])
                if target is None or not actor.permissions.allows(target, "read"):
                    outcomes.append(RowError("MALFORMED_ID", f"malformed id {text}"))
                    continue
                error = row_error(spoil, number) or deleting.check(target, record, "erase" if hard else "delete")
                if error is None and record:
                    deleting.erase(target, record) if hard else deleting.delete(target, record)
                outcomes.append(error)
        return outcomes

    def deleting(self, actor: Actor, work: Callable[[Deleting], Any]) -> Any:
        """Do something in one transaction: merge, undelete, empty the recycle bin."""
        with self.store.write() as db:
            return work(Deleting(self.store, db, actor, self.clock.stamp()))

    def merge(
        self,
        actor: Actor,
        obj: Object,
        master: str,
        losers: Sequence[str],
        values: Mapping[str, Any],
        place: tuple[str, str],
    ) -> dict[str, Any]:
        """Merge records into the master, which gets these values too; all of it or nothing.

        Raises:
            ApiError: The records can't be merged, or the user may not.
        """
        if not all(actor.permissions.allows(obj, action) for action in ("edit", "delete")):
            raise ApiError(403, "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")
        with self.store.write():
            result: dict[str, Any] = self.deleting(actor, lambda deleting: deleting.merge(obj, master, losers))
            if values:
                draft = Reader(self.schema, actor, obj, Operation.UPDATE).from_json([values])[0]
                draft.id = master
                self.save(actor, obj, Operation.UPDATE, [draft], place=place)
                if draft.errors:
                    raise ApiError(400, draft.errors[0].code, draft.errors[0].message)
        return result
