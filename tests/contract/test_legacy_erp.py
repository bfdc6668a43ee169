"""The legacy ERP's side of the interface tables, and what the adapter makes of it: codes, versions, adoption, locks, breaks."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import sql

from accord.errors import SchemaDrift, Unavailable
from accord.matching import _LEGAL_FORMS, normalized_code, normalized_name
from accord.objects import CUSTOMER
from accord.settings import Connection
from accord.systems import open_system
from accord.systems.interface_tables.adapter import InterfaceTables
from accord.systems.interface_tables.contract import CODES
from sandbox.erp.legacy.install import finance, install
from tests.contract.legacy import ask
from tests.contract.legacy import legacy as legacy
from tests.contract.legacy import legacy_dsn as legacy_dsn
from tests.contract.target_suite import AWKWARD
from tests.fakes import FakeSending
from tests.tables import EARLY, by_key, changes, wanted


@pytest.fixture
def target(legacy: Connection) -> Iterator[InterfaceTables]:
    target = open_system("legacy", legacy)
    yield target
    target.close()


def customer(**values: Any) -> dict[str, Any]:
    name = uuid.uuid4().hex
    return {"key": f"salesforce:{name}", "name": f"Customer {name}", "country": "US", "currency": "USD"} | values


def send(target: InterfaceTables, *rows: dict[str, Any], sending: Any = None) -> dict[str, dict[str, Any]]:
    return by_key(target.send(CUSTOMER, changes(CUSTOMER, rows), sending or FakeSending()))


def sent(target: InterfaceTables, row: dict[str, Any]) -> dict[str, Any]:
    answer = send(target, row)[row["key"]]
    assert answer["outcome"] == "applied", answer
    return row | {"native": answer["native"]}


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"name": None}, "FIELD_MISSING"),
        ({"country": None}, "FIELD_MISSING"),
        ({"name": "N" * 121}, "FIELD_TOO_LONG"),
        ({"website": "w" * 256}, "FIELD_TOO_LONG"),
        ({"country": "SX"}, "COUNTRY_UNKNOWN"),
        ({"currency": "usd"}, "CURRENCY_UNKNOWN"),
        ({"addresses": [{"role": "bill_to", "country": "BQ"}]}, "COUNTRY_UNKNOWN"),
        ({"addresses": [{"role": "home"}]}, "ROLE_UNKNOWN"),
        ({"addresses": [{"role": "bill_to", "city": "c" * 41}]}, "FIELD_TOO_LONG"),
        ({"contacts": [{"id": "salesforce:1", "last_name": None}]}, "FIELD_MISSING"),
        ({"contacts": [{"id": "salesforce:1", "last_name": "x", "email": "e" * 81}]}, "FIELD_TOO_LONG"),
        ({"native": "L-1"}, "CUSTOMER_UNKNOWN"),
        ({"parent": "salesforce:nobody"}, "PARENT_UNKNOWN"),
        ({"parent": "salesforce:nobody", "parent__native": "L-1"}, "PARENT_UNKNOWN"),
    ],
)
def test_each_fault_has_its_code(target: InterfaceTables, values: dict[str, Any], code: str) -> None:
    row, good = customer(**values), customer()
    outcomes = send(target, row, good)
    answer = outcomes[row["key"]]
    assert answer["answer"].partition(":")[0] == code
    assert (answer["outcome"], answer["category"]) == (CODES[code].outcome, CODES[code].category)
    assert outcomes[good["key"]]["outcome"] == "applied"


def test_a_closed_customer_can_not_be_changed(target: InterfaceTables, legacy_dsn: str) -> None:
    row = sent(target, customer())
    ask(legacy_dsn, "UPDATE erp.customer SET closed = true WHERE customer_number = %s", row["native"])
    for again in (row | {"phone": "1"}, row | {"gone": True}):
        assert send(target, again)[row["key"]]["category"] == "refused by the system"


def test_an_older_version_never_replaces_a_newer_one(target: InterfaceTables) -> None:
    row = sent(target, customer(version=EARLY, phone="new"))
    older = row | {"version": EARLY - timedelta(seconds=1), "phone": "old"}
    reread = row | {"read_at": EARLY - timedelta(seconds=1), "phone": "old"}
    for stale in (older, reread, older | {"gone": True}):
        answer = send(target, stale)[row["key"]]
        assert (answer["outcome"], answer["category"]) == ("retry", "being written by another run")
    (held,) = target.read_back(CUSTOMER, wanted([(row["key"], row["native"])])).to_pylist()
    assert (held["phone"], held["gone"]) == ("new", False)


def test_a_customer_the_erp_already_had_is_adopted(target: InterfaceTables, legacy_dsn: str) -> None:
    ((number,),) = ask(
        legacy_dsn,
        "INSERT INTO erp.customer (name, country, currency) VALUES ('Old', 'US', 'USD') RETURNING customer_number",
    )
    row = sent(target, customer(native=number))
    assert row["native"] == number
    (held,) = target.read_back(CUSTOMER, wanted([(row["key"], None)])).to_pylist()
    assert (held["native"], held["name"], held["legal_name"]) == (number, row["name"], None)
    other = customer(native=number)
    assert send(target, other)[other["key"]]["category"] == "duplicate key"


def test_without_a_legal_name_it_is_the_name_sales_uses(target: InterfaceTables) -> None:
    row = sent(target, customer())
    (held,) = target.read_back(CUSTOMER, wanted([(row["key"], row["native"])])).to_pylist()
    assert held["legal_name"] == row["name"]


def test_nobody_is_above_himself(target: InterfaceTables) -> None:
    top = sent(target, customer())
    leaf = sent(target, customer(parent=top["key"], parent__native=top["native"]))
    loop = top | {"parent": leaf["key"], "parent__native": leaf["native"]}
    assert send(target, loop)[top["key"]]["category"] == "hierarchy loop"
    one, two = customer(), customer()
    one["parent"], two["parent"] = two["key"], one["key"]
    assert {a["category"] for a in send(target, one, two).values()} == {"hierarchy loop"}
    selfish = customer()
    selfish["parent"] = selfish["key"]
    assert send(target, selfish)[selfish["key"]]["category"] == "hierarchy loop"


def test_a_chain_arrives_in_any_order(target: InterfaceTables, legacy_dsn: str) -> None:
    chain = [customer()]
    for _ in range(30):
        chain.append(customer(parent=chain[-1]["key"]))
    outcomes = send(target, *reversed(chain))
    assert {a["outcome"] for a in outcomes.values()} == {"applied"}


def test_posting_a_batch_twice_is_harmless(legacy_dsn: str) -> None:
    batch, ref = uuid.uuid4().hex, f"salesforce:{uuid.uuid4().hex}"
    insert = (
        "INSERT INTO inbound.customer (batch, external_ref, action, name, country, currency) "
        "VALUES (%s, %s, 'upsert', 'N', 'US', 'USD')"
    )
    ask(legacy_dsn, insert, batch, ref)
    ask(legacy_dsn, "CALL inbound.post_customers(%s)", batch)
    ask(legacy_dsn, "UPDATE erp.customer SET phone = 'since' WHERE external_ref = %s", ref)
    ask(legacy_dsn, "CALL inbound.post_customers(%s)", batch)
    assert ask(legacy_dsn, "SELECT phone FROM erp.customer WHERE external_ref = %s", ref) == [("since",)]
    assert ask(
        legacy_dsn, "SELECT status, answered_number IS NOT NULL FROM inbound.customer WHERE batch = %s", batch
    ) == [("accepted", True)]
    assert ask(legacy_dsn, "SELECT count(*) FROM erp.customer WHERE external_ref = %s", ref) == [(1,)]
    with pytest.raises(psycopg.errors.UniqueViolation):  # the same request again is refused by its key
        ask(legacy_dsn, insert, batch, ref)


def test_answered_requests_leave_nothing_behind(target: InterfaceTables, legacy_dsn: str) -> None:
    send(target, customer(contacts=[{"id": "salesforce:1", "last_name": "Doe"}]), customer(name=None))
    tables = ("inbound.customer_contact", "inbound.customer_address")
    assert [ask(legacy_dsn, f"SELECT count(*) FROM {t}") for t in tables] == [[(0,)], [(0,)]]  # noqa: S608 - our words
    assert ask(legacy_dsn, "SELECT count(*) FROM inbound.customer WHERE status <> 'accepted'") == [(0,)]


def test_what_other_work_holds_may_pass_later(legacy: Connection, legacy_dsn: str) -> None:
    target = open_system("legacy", replace(legacy, extra={"lock_timeout_s": 0.2}))
    row = sent(target, customer())
    with psycopg.connect(legacy_dsn) as holder:
        holder.execute("SELECT FROM erp.customer WHERE customer_number = %s FOR UPDATE", [row["native"]])
        answer = send(target, row | {"phone": "1"})[row["key"]]
        assert (answer["outcome"], answer["category"]) == ("retry", "tables locked")
    assert send(target, row | {"phone": "1"})[row["key"]]["outcome"] == "applied"
    target.close()


_END_ALL = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"


class Cutter(FakeSending):
    """Ends the adapter's connection before the n-th request."""

    def cut(self, dsn: str, before: int) -> Cutter:
        self.dsn, self.before = dsn, before
        return self

    def before_request(self) -> None:
        FakeSending.before_request(self)
        if self.requests == self.before:
            ask(self.dsn, _END_ALL)


@pytest.mark.parametrize("before", [1, 2])
def test_a_connection_that_breaks_before_posting_leaves_nothing(
    target: InterfaceTables, legacy_dsn: str, before: int
) -> None:
    sent(target, customer())  # connected
    row = customer()
    try:
        outcome = send(target, row, sending=Cutter().cut(legacy_dsn, before))[row["key"]]["outcome"]
    except Unavailable:
        outcome = "unavailable"
    assert outcome in ("unavailable", "unknown", "applied")
    count = ask(legacy_dsn, "SELECT count(*) FROM erp.customer WHERE external_ref = %s", row["key"])
    assert count == [(1 if outcome == "applied" else 0,)]
    sent(target, row)
    assert ask(legacy_dsn, "SELECT count(*) FROM erp.customer WHERE external_ref = %s", row["key"]) == [(1,)]


def test_text_the_database_can_not_store_is_rejected_alone(target: InterfaceTables) -> None:
    bad = [customer(phone="a\x00b"), customer(contacts=[{"id": "salesforce:1", "last_name": "a\x00b"}])]
    good = customer()
    outcomes = send(target, *bad, good)
    assert [outcomes[r["key"]]["category"] for r in bad] == ["invalid value"] * 2
    assert outcomes[good["key"]]["outcome"] == "applied"
    assert list(outcomes) == [r["key"] for r in (*bad, good)]


def test_a_missing_column_is_drift_with_a_cure(target: InterfaceTables, legacy_dsn: str) -> None:
    sent(target, customer())
    with psycopg.connect(legacy_dsn, autocommit=True) as owner:
        owner.execute("ALTER TABLE inbound.customer RENAME COLUMN website TO site")
        try:
            with pytest.raises(SchemaDrift, match=r"interface-tables\.md"):
                send(target, customer())
            found = {c.subject: c for c in target.check({})}
            assert found["legacy: inbound.customer"].found == "lacks website"
            assert found["legacy: inbound.customer"].cure
        finally:
            owner.execute("ALTER TABLE inbound.customer RENAME COLUMN site TO website")


def test_a_missing_right_is_named(legacy: Connection, legacy_dsn: str) -> None:
    role = f"reader_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(legacy_dsn, autocommit=True) as owner:
        owner.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'test'").format(sql.Identifier(role)))
        grant = sql.SQL("GRANT USAGE ON SCHEMA inbound, outbound TO {}").format(sql.Identifier(role))
        owner.execute(grant)
        target = open_system("legacy", replace(legacy, login=role, password="test"))
        try:
            with pytest.raises(SchemaDrift, match="Grant"):
                send(target, customer())
            checks = [c for c in target.check({}) if not c.ok]
            assert any("GRANT" in c.cure for c in checks)
        finally:
            target.close()
            owner.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(role)))
            owner.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def test_finance_works_once_and_the_same_for_the_same_customer(target: InterfaceTables, legacy_dsn: str) -> None:
    rows = [sent(target, customer(key=f"salesforce:finance{n}")) for n in range(60)]
    finance(legacy_dsn)
    query = (
        "SELECT c.external_ref, a.payment_terms, a.credit_limit, a.on_hold, "
        "(SELECT count(*) FROM erp.ledger_item i WHERE i.customer_number = a.customer_number AND due < current_date) "
        "FROM erp.account a JOIN erp.customer c USING (customer_number) WHERE c.external_ref LIKE 'salesforce:finance%%' ORDER BY 1"
    )
    first = ask(legacy_dsn, query)
    assert len(first) == len(rows)
    assert len({r[1] for r in first}) > 2
    assert {bool(r[4]) for r in first} == {True, False}  # some are overdue
    before = ask(legacy_dsn, "SELECT max(changed_at) FROM outbound.customer_account")
    assert finance(legacy_dsn) == 0
    install(legacy_dsn)
    assert ask(legacy_dsn, query) == first
    assert ask(legacy_dsn, "SELECT max(changed_at) FROM outbound.customer_account") == before


def test_an_item_falls_due_without_anybody_touching_it(target: InterfaceTables, legacy_dsn: str) -> None:
    row = sent(target, customer())
    item = (
        "INSERT INTO erp.ledger_item (customer_number, company, document, posted, due, amount, open_amount, changed_at) "
        "VALUES (%s, 'US01', 'D', current_date - 40, (now() AT TIME ZONE 'UTC')::date - 1, 9, 9, now() - interval '40 days')"
    )
    ask(legacy_dsn, "ALTER TABLE erp.customer DISABLE TRIGGER stamp")
    ask(
        legacy_dsn,
        "UPDATE erp.customer SET changed_at = now() - interval '50 days' WHERE customer_number = %s",
        row["native"],
    )
    ask(legacy_dsn, "ALTER TABLE erp.customer ENABLE TRIGGER stamp")
    ask(legacy_dsn, item, row["native"])
    midnight = datetime.combine(datetime.now(UTC).date(), datetime.min.time(), UTC)
    ask(legacy_dsn, "ALTER TABLE erp.account DISABLE TRIGGER stamp")
    ask(
        legacy_dsn,
        "UPDATE erp.account SET changed_at = now() - interval '50 days' WHERE customer_number = %s",
        row["native"],
    )
    ask(legacy_dsn, "ALTER TABLE erp.account ENABLE TRIGGER stamp")
    number = row["native"]
    for view in ("customer_account_change", "customer_account"):
        query = f"SELECT max(changed_at) FROM outbound.{view} WHERE customer_number = %s"  # noqa: S608 - our words
        assert ask(legacy_dsn, query, number) == [(midnight,)]


NAMES = (
    *AWKWARD.values(), "Acme B.V.", "ACME  bv", "Société Générale S.A.", "Straße & Söhne GmbH", "S.A.", "Co", "  ", "---", "3M Co.",
    "A.B.C. Ltd", "Ünïcödé", "Ελλάς ΑΕ", "Zürich", "ﬁne ﬁsh", "Ⅷ Ltd", "Ａｃｍｅ", "x_y z", "No-Break\u00a0Space", "İstanbul",
    *sorted(_LEGAL_FORMS),
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_the_erp_and_accord_agree_on_what_a_name_is(legacy_dsn: str, name: str) -> None:
    assert ask(legacy_dsn, "SELECT erp.search_name(%s)", name) == [(normalized_name(name),)]


@pytest.mark.parametrize("code", ["NL 0044.95.445-B01", "de1", " ", "12-34", "ß1", "١٢"])
def test_the_erp_and_accord_agree_on_what_a_code_is(legacy_dsn: str, code: str) -> None:
    assert ask(legacy_dsn, "SELECT coalesce(erp.search_code(%s), '')", code) == [(normalized_code(code),)]
