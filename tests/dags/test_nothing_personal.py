"""Nothing personal leaves the gates: values are seeded that fail every kind of rule, and every output is searched for them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

import pytest
from fastapi.routing import APIRoute

from accord.cli import _parser
from accord.hub import reviews
from accord_airflow.operators import QualityDigestOperator
from accord_airflow.runtime import opened
from tests.dags.console import Browsers, Console, browser, console
from tests.dags.test_running import Ran
from tests.dags.test_service_levels import Declare, declare, mail_to, mailbox
from tests.dags.world import World
from tests.services import Mailbox

if TYPE_CHECKING:
    from airflow.sdk import DAG

__all__ = ["browser", "console", "declare", "mailbox"]

NAME, MAIL, PHONE, TAX, IBAN = (
    "Zebulon Quackenbush",
    "zq.marker@example.com",
    "+31205550777",
    "NL999888777B66",
    "NL91ABNA0417164300",
)
MARKS = (NAME, "Quackenbush", MAIL, PHONE, TAX, IBAN)
GATES = ("source", "canonical")


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
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    metadata: None,
) -> None:
    declare(mail=mail_to(mailbox))
    seed(world)
    ran = Ran(dags["customer__salesforce_to_erp"])
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
        yield from pages()
        yield from commands()
        for table in ("gate_result", "gate_verdict", "finding", "review", "exception", "audit", "run", "notice"):
            yield f"the hub's {table}", json.dumps(world.hub(f"SELECT * FROM {table}"), default=str)  # noqa: S608 - named above

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
