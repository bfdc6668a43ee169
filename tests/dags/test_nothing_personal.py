"""Nothing personal leaves the gates: values are seeded that fail every kind of rule, and every output is searched for them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import pytest
from fastapi.routing import APIRoute

from accord.cli import _parser
from accord.hub import reviews
from accord.metrics.values import measure
from accord_airflow.operators import ErpUpsertOperator, QualityDigestOperator
from accord_airflow.runtime import opened
from tests.dags.console import Browsers, Console, browser, console
from tests.dags.test_openlineage import told
from tests.dags.test_running import Ran
from tests.dags.test_scraping import token
from tests.dags.test_service_levels import KEY as PAGER
from tests.dags.test_service_levels import TOKEN as SLACK
from tests.dags.test_service_levels import Declare, declare, mail_to, mailbox, one_round
from tests.dags.world import World
from tests.receiver import SECRET, Receiver, receiver
from tests.services import Api, Mailbox, certificate, pagerduty_events, serving, slack

if TYPE_CHECKING:
    from airflow.sdk import DAG

__all__ = ["browser", "console", "declare", "mailbox", "receiver", "token"]

NAME, MAIL, PHONE, TAX, IBAN = (
    "Zebulon Quackenbush",
    "zq.marker@example.com",
    "+31205550777",
    "NL999888777B66",
    "NL91ABNA0417164300",
)
MARKS = (NAME, "Quackenbush", MAIL, PHONE, TAX, IBAN)
GATES = ("source", "canonical")
FLOW = "customer__salesforce_to_erp"


def seed(world: World) -> None:
    """Customers that fail rules of every kind, with values of a person in whatever field there is. Others are well: the batch goes on."""
    address = {
        "role": "bill_to",
        "street": f"{NAME} {IBAN}",
        "city": NAME * 9,
        "postal_code": PHONE * 9,
        "country": "NL",
    }
    contact = {
        "id": "salesforce:C1",
        "first_name": NAME,
        "last_name": NAME * 9,
        "email": MAIL * 9,
        "phone": PHONE * 9,
        "title": IBAN,
    }
    world.customer("long", name=NAME * 20, phone=PHONE * 9, website=f"{MAIL} {IBAN}" * 20, legal_name=NAME * 20)
    world.customer("vocabulary", name=NAME, country=NAME, currency=IBAN, legal_entities=[TAX, "NL01"])
    world.customer("tax", name=NAME, tax_registration=TAX, phone=PHONE, website=MAIL)
    world.customer("reference", name=NAME, parent="nobody")  # ids come from systems: nobody types them
    world.customer("parts", name=NAME, addresses=[address, address], contacts=[contact, contact])
    world.customer(
        "missing", name=None, country=None, phone=PHONE, contacts=[{**contact, "last_name": " ", "id": "salesforce:C2"}]
    )
    for number in range(8):
        world.customer(
            f"good{number}",
            name=NAME,
            phone=PHONE,
            contacts=[{**contact, "last_name": NAME, "email": MAIL, "phone": PHONE}],
        )


@dataclass(slots=True)
class Channels:
    """A channel of every kind but e-mail, each by its provider's own protocol, and what came out of it."""

    slack: Api
    pager: Api
    hook: Receiver

    @property
    def declared(self) -> dict[str, dict[str, Any]]:
        return {
            "team": {"conn_type": "slackwebhook", "host": f"{self.slack.url}/services", "password": SLACK},
            "pager": {"conn_type": "pagerduty_events", "host": self.pager.url, "password": PAGER},
            "hook": {"conn_type": "http", "host": self.hook.url, "password": SECRET},
        }

    def told(self) -> Iterator[tuple[str, str]]:
        for name, requests in (("slack", self.slack.requests), ("pagerduty", self.pager.requests)):
            assert len(requests) >= 4, name
            yield from ((f"{name} {path}", json.dumps(body)) for path, body in requests)
        assert len(self.hook.requests) >= 4
        yield from (("webhook", f"{request.headers} {request.body.decode()}") for request in self.hook.requests)


@pytest.fixture
def channels(tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Iterator[Channels]:
    pem = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    with serving(slack()) as team, serving(pagerduty_events(PAGER), pem) as pager:
        yield Channels(slack=team, pager=pager, hook=receiver)


def everything_is_late(world: World) -> None:
    """The flow's data, what waits in the queues, an order, a reconciliation."""
    for statement in (
        "UPDATE run SET kind = 'scheduled', started = started - interval '2 d'",
        "UPDATE flow SET watermark = now() - interval '2 d'",
        "UPDATE exception SET opened = now() - interval '90 d'",
        "INSERT INTO process (name, key, step, status, opened) SELECT 'quote_to_cash', key, 'committed', 'open', now() - interval '1 d'"
        " FROM exception LIMIT 1",
        "INSERT INTO reconciliation (flow, stream, mode, who, started) SELECT flow, stream, 'auto', 'ann', now() - interval '9 d'"
        " FROM dispatch JOIN run ON run.id = dispatch.run LIMIT 1",
    ):
        assert world.hub(f"{statement} RETURNING 1 AS done"), statement


def searched(outputs: Iterator[tuple[str, str]]) -> list[str]:
    """Where a mark was found."""
    found = []
    for place, text in outputs:
        plain = unescape(unquote(text)).casefold()
        found += [
            f"{place}: {mark}" for mark in MARKS if mark.casefold() in plain or mark.casefold() in text.casefold()
        ]
    return found


def test_nothing_personal_in_any_output(
    dags: dict[str, DAG],
    world: World,
    console: Console,
    browser: Browsers,
    declare: Declare,
    mailbox: Mailbox,
    channels: Channels,
    token: dict[str, str],
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
    metadata: None,
) -> None:
    declare(mail=mail_to(mailbox), **channels.declared)
    seed(world)
    ran = Ran(dags[FLOW])
    assert ran.state == "success"
    logged = "".join(capfd.readouterr())
    assert "pass with quarantine" in logged + caplog.text, "logs are searched"
    failing = world.hub("SELECT DISTINCT rule FROM gate_result WHERE failed > 0")
    assert len(failing) >= 12, "rules of every kind fail"
    assert json.dumps(world.hub("SELECT samples FROM gate_result")).count("characters)") >= 8, "samples are searched"

    with opened() as accord:
        number = len(reviews.reviews(accord.hub))
        assert number >= 12
        reviews.acknowledge(accord.hub, 1, who="ann")
        reviews.accept(accord.hub, 2, days=3, why="known", who="ann")
    assert QualityDigestOperator(task_id="mail").work({})["mails"] >= 1
    assert "Data quality this week" in mailbox.subjects[0]
    everything_is_late(world)
    assert one_round()["notices"] >= 4 * len(channels.declared)
    assert len(mailbox.mails) >= 5

    def outputs() -> Iterator[tuple[str, str]]:
        yield "the log", logged + caplog.text
        for task, _ in ran.tasks:
            for key in ("return_value", "gate_report"):
                yield f"XCom of {task}", repr(ran.handed_on(task, key))
        files = [path for path in Path(world.reports).rglob("*") if path.suffix in (".html", ".json")]
        assert {path.parts[len(world.reports.parts)] for path in files} == {"runs", "data_docs", "data_docs_results"}
        yield from ((str(path), path.read_text()) for path in files)
        yield from (
            (f"the mail to {mail['To']}", mail.as_string() + mailbox.text(n)) for n, mail in enumerate(mailbox.mails)
        )
        yield from channels.told()
        yield "metrics", figures()
        yield from lineage()
        yield from pages()
        yield from commands()
        for table in (
            "gate_result",
            "gate_verdict",
            "finding",
            "review",
            "exception",
            "audit",
            "run",
            "notice",
            "alert",
            "kpi_value",
        ):
            yield f"the hub's {table}", json.dumps(world.hub(f"SELECT * FROM {table}"), default=str)  # noqa: S608 - named above

    def figures() -> str:
        with opened() as accord:
            measure(accord.hub)
        page = browser().get("metrics", headers=token).text
        assert page.count("\naccord_") > 20
        return page

    def lineage() -> Iterator[tuple[str, str]]:
        """What the run's extraction and loads tell OpenLineage."""
        chunks = [chunk for target in ("tryton", "legacy") for chunk in ran.handed_on(f"compare_{target}")]
        assert chunks
        yield "lineage of the extraction", json.dumps(told(dags[FLOW].task_dict["extract"], tmp_path))
        for number, chunk in enumerate(chunks):
            event = told(ErpUpsertOperator(task_id=f"load_{number}", chunk=chunk), tmp_path)
            assert event["outputs"]
            yield f"lineage of a load to {chunk['target']}", json.dumps(event)

    def pages() -> Iterator[tuple[str, str]]:
        somebody, seen = browser("admin"), 0
        (row,) = world.hub("SELECT engine_run FROM run")
        dag, _, run = row["engine_run"].partition("/")
        routes = [route.path for route in console.app.routes if isinstance(route, APIRoute) and "GET" in route.methods]
        for route in routes:
            numbers = range(1, number + 1) if "{number}" in route else (1,)
            route = route.replace("{dag}", dag).replace("{run}", quote(run))
            for place in sorted(
                {route.replace("{gate}", gate).replace("{number}", str(n)) for gate in GATES for n in numbers}
            ):
                if "{" not in place:
                    answer = somebody.get(place.removeprefix("/"))
                    seen += answer.status_code == 200
                    yield place, answer.text
        assert seen > 2 * number, "pages are searched"

    def commands() -> Iterator[tuple[str, str]]:
        words = [
            ["reviews", "gates"],
            ["reviews", "list"],
            *(["reviews", "show", str(n)] for n in range(1, number + 1)),
        ]
        words += [["reviews", "report", "1", gate] for gate in GATES] + [["reviews", "digest", "sales operations"]]
        for given in words:
            for more in ([], ["--json"]):
                asked = _parser().parse_args([*given, *more])
                with opened() as accord:
                    asked.command(accord, asked)
                told = capfd.readouterr().out
                assert told
                yield " ".join(given), told

    assert searched(outputs()) == []
    assert len(searched(iter([("x", f"a {NAME} b"), ("y", "zq.marker%40example.com"), ("z", "&#43;31205550777")]))) == 4
