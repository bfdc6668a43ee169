"""The real ERP from its template: what it holds, who may do what, and finance's work."""

from __future__ import annotations

import datetime as dt
import socket
import subprocess
import sys
import threading
import uuid
from decimal import Decimal
from pathlib import Path

import psutil
import pytest

from sandbox.erp import server as erp_server
from sandbox.erp.finance import decide, finance
from sandbox.erp.rpc import Client, TrytonError
from sandbox.erp.server import Erp
from sandbox.stack import postgres
from sandbox.stack.errors import PortTaken
from sandbox.stack.postgres import Server
from sandbox.stack.processes import Processes
from tests.parties import buys_from
from tests.stack import TestStack

pytestmark = pytest.mark.timeout(900)  # the first time on a machine the template is made


@pytest.fixture(scope="module")
def erp(stack: TestStack) -> Erp:
    """Tryton with nothing in it but the sample company."""
    return stack.fresh_erp("erp_server")


@pytest.fixture(scope="module")
def accord(erp: Erp) -> Client:
    """The integration user's session."""
    return erp.client("accord")


def create(client: Client, count: int, country: str = "NL") -> dict[str, int]:
    """New customers of the Dutch company: code → id."""
    where = client.call("model.country.country.search", [("code", "=", country)])[0]
    codes = [f"test-{uuid.uuid4().hex[:12]}" for _ in range(count)]
    address = ("create", [{"country": where, "invoice": True}])
    usual = {"addresses": [address], "relations": buys_from(client, "NL01")}
    values = [{"code": code, "name": code} | usual for code in codes]
    return dict(zip(codes, client.call("model.party.party.create", values), strict=True))


def test_the_legal_entities_are_set_up(accord: Client) -> None:
    fields = ["party.code", "party.name", "currency.code"]
    companies = accord.call("model.company.company.search_read", [], 0, None, [("id", "ASC")], fields)
    assert [(c["party."]["code"], c["party."]["name"], c["currency."]["code"]) for c in companies] == [
        ("NL01", "Meridian Instruments B.V.", "EUR"),
        ("GB01", "Meridian Instruments Ltd.", "GBP"),
    ]
    assert accord.context["company"] == companies[0]["id"]


@pytest.mark.parametrize(
    ("model", "names"),
    [
        ("account.invoice.payment_term", {"Immediate", "NET14", "NET30", "NET60"}),
        ("account.tax.rule", {"Domestic", "EU reverse charge", "Export"}),
        ("party.relation.type", {"is parent of", "is subsidiary of", "is customer of", "sells to"}),
        ("party.category", {"Credit hold", "NL01", "GB01"}),
        ("account.tax", {"VAT 21%", "VAT 9%", "UK VAT 20%", "UK VAT 0% zero-rated"}),
        ("stock.location", {"Rotterdam", "Leeds"}),
        ("product.price_list", {"Standard EUR", "Partner EUR", "Export USD", "Standard GBP", "Distributor GBP"}),
    ],
)
def test_what_customers_refer_to_is_there(accord: Client, model: str, names: set[str]) -> None:
    rows = accord.call(f"model.{model}.search_read", [("name", "in", sorted(names))], 0, None, None, ["name"])
    assert {row["name"] for row in rows} == names


def test_countries_subdivisions_and_currencies_are_complete(accord: Client) -> None:
    assert accord.call("model.country.country.search_count", []) > 240
    assert accord.call("model.country.subdivision.search_count", []) > 4000
    assert accord.call("model.currency.currency.search_count", [("code", "in", ["EUR", "USD", "GBP"])]) == 3


def test_books_are_open_today(erp: Erp) -> None:
    today = dt.datetime.now(tz=dt.UTC).date()
    domain = [("start_date", "<=", today), ("end_date", ">=", today), ("state", "=", "open")]
    assert erp.client("finance").call("model.account.period.search_count", domain) == 2  # one in each company


@pytest.mark.parametrize(
    ("field", "value"),
    [("credit_limit_amount", Decimal(1)), ("customer_tax_rule", 1), ("customer_payment_term", 1)],
)
def test_the_integration_user_may_not_write_what_finance_owns(accord: Client, field: str, value: object) -> None:
    (party,) = create(accord, 1).values()
    with pytest.raises(TrytonError, match="not allowed to access"):
        accord.call("model.party.party.write", [party], {field: value})


def test_the_integration_user_may_not_delete_or_post(accord: Client) -> None:
    (party,) = create(accord, 1).values()
    with pytest.raises(TrytonError, match="not allowed to access"):
        accord.call("model.party.party.delete", [party])
    with pytest.raises(TrytonError, match="not allowed to access"):
        accord.call("model.account.move.create", [{}])
    assert accord.call("model.account.move.line.search_count", []) >= 0


def test_a_wrong_login_is_refused(erp: Erp) -> None:
    with pytest.raises(TrytonError, match="HTTP 401"):
        Client(erp.url, erp.database).login("nobody-of-that-name", "wrong")


def test_eight_callers_at_once_create_one_customer_per_code(erp: Erp) -> None:
    code = f"test-{uuid.uuid4().hex[:12]}"
    made: list[int] = []
    refused: list[str] = []

    def caller() -> None:
        client = erp.client("accord")
        try:
            made.extend(client.call("model.party.party.create", [{"code": code, "name": "one of eight"}]))
        except TrytonError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=caller) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert len(refused) == 7
    assert all("must be unique" in words for words in refused)


def test_finance_treats_every_new_customer_once(erp: Erp, accord: Client) -> None:
    customers = create(accord, 30) | create(accord, 5, "US") | create(accord, 5, "DE")
    today = dt.datetime.now(tz=dt.UTC).date()
    assert finance(erp, today) >= 40
    fields = ["code", "write_date", "receivable", "receivable_today", "credit_limit_amount"]
    fields += ["customer_payment_term.name", "customer_tax_rule.name", "categories.name"]

    def look() -> list[dict[str, object]]:
        rows: list[dict[str, object]] = accord.call("model.party.party.read", sorted(customers.values()), fields)
        return sorted(rows, key=lambda row: str(row["code"]))

    first = look()
    for row in first:
        decision = decide(str(row["code"]))
        assert row["credit_limit_amount"] == decision.limit
        assert row["customer_payment_term."]["name"] == decision.term  # type: ignore[index]
        assert row["receivable"] == sum((amount for _, amount in decision.items), Decimal(0))
        assert bool(row["categories."]) == decision.hold
    assert {row["customer_tax_rule."]["name"] for row in first} == {"Domestic", "Export"}  # type: ignore[index]
    assert any(row["receivable_today"] for row in first)  # something is overdue
    moves = erp.client("finance").call("model.account.move.search_count", [])
    assert finance(erp, today + dt.timedelta(days=3)) == 0
    assert look() == first
    assert erp.client("finance").call("model.account.move.search_count", []) == moves


def test_finance_interrupted_after_posting_does_not_post_again(erp: Erp, accord: Client) -> None:
    code = next(code for code in (f"again-{number}" for number in range(50)) if decide(code).items)
    accord.call("model.party.party.create", [{"code": code, "name": code, "relations": buys_from(accord, "NL01")}])
    finance(erp)
    adviser = erp.client("finance")
    (party,) = adviser.call("model.party.party.search", [("code", "=", code)])
    adviser.call("model.party.party.write", [party], {"credit_limit_amount": None})  # as if the last step never ran
    assert finance(erp) == 1
    (row,) = accord.call("model.party.party.read", [party], ["receivable", "credit_limit_amount"])
    assert row["receivable"] == sum((amount for _, amount in decide(code).items), Decimal(0))
    assert row["credit_limit_amount"] == decide(code).limit


def test_it_is_found_running_and_not_started_again(stack: TestStack, erp: Erp) -> None:
    keeper = Processes(erp.home)
    before = {one.name: one.pid for one in keeper.status()}
    assert (
        erp_server.ensure_running(erp.home, stack.postgres(), shared=stack.shared, database=erp.database, workers=1)
        == erp
    )
    assert {one.name: one.pid for one in keeper.status()} == before


def test_two_postgres_homes_do_not_meet(tmp_path: Path, postgres_server: Server) -> None:
    keeper = Processes(tmp_path)
    try:
        other = postgres.ensure_running(tmp_path, careless=True, free_port=True)
        assert other.port != postgres_server.port
        assert not other.exists("erp_server")
        assert other.create_database("only_here") is True
        assert other.create_database("only_here") is False
        assert other.create_database("copy", template="only_here") is True
        other.dump("copy", tmp_path / "copy.dump")
        other.restore(tmp_path / "copy.dump", "restored")
        assert other.exists("restored")
        assert not other.exists("restored__half")
        assert not postgres_server.exists("only_here")
    finally:
        keeper.stop_all()
    assert postgres_server.exists("postgres")


def test_postgres_survives_a_kill_and_a_stale_lock_file(tmp_path: Path) -> None:
    keeper = Processes(tmp_path)
    stranger = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    try:
        server = postgres.ensure_running(tmp_path, careless=True, free_port=True)
        server.create_database("kept")
        leader = psutil.Process(keeper.status()[0].pid)
        family = [leader, *leader.children(recursive=True)]
        leader.kill()
        psutil.wait_procs(family, timeout=20)
        lock = tmp_path / "postgres" / "data" / "postmaster.pid"
        lines = lock.read_text().splitlines()
        lock.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")  # the id now belongs to another program
        assert postgres.ensure_running(tmp_path, careless=True, free_port=True).exists("kept")
    finally:
        keeper.stop_all()
        stranger.kill()
        stranger.wait()


def test_a_half_made_data_folder_is_made_again(tmp_path: Path) -> None:
    half = tmp_path / "postgres" / "data.half"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("15\n")
    keeper = Processes(tmp_path)
    try:
        assert postgres.ensure_running(tmp_path, careless=True, free_port=True).exists("postgres")
    finally:
        keeper.stop_all()
    assert not half.exists()


def test_a_taken_port_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        monkeypatch.setenv("ACCORD_PORT_POSTGRES", str(other.getsockname()[1]))
        with pytest.raises(PortTaken, match=r"\(postgres\) is already in use .*ACCORD_PORT_POSTGRES"):
            postgres.ensure_running(tmp_path, careless=True)
    assert not any(one.running for one in Processes(tmp_path).status())
