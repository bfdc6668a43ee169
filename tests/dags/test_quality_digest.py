"""The weekly digest: by a real mail server, once per owner and week, to whom it concerns, and only when there is something to say."""

from __future__ import annotations

import pytest

from accord.categories import Queue
from accord.errors import Retry
from accord.flows import flow
from accord.hub import Hub, reviews
from accord_airflow.operators import QualityDigestOperator
from accord_airflow.runtime import opened
from tests.dags.test_service_levels import Declare, declare, mail_to, mailbox
from tests.dags.world import World
from tests.judging import judged
from tests.receiver import code_of
from tests.services import Mailbox

__all__ = ["declare", "mailbox"]

ORDERS = flow("order__salesforce_to_erp")
OTHERS = sorted(str(queue) for queue in Queue if queue is not Queue.FINANCE)


def work() -> dict[str, object]:
    done: dict[str, object] = QualityDigestOperator(task_id="mail").work({})
    return done


@pytest.fixture
def failing(world: World) -> Hub:
    """Finance has a rule that holds an order, one it accepted, and one that was settled."""
    with opened() as accord:
        judged(accord, ORDERS, "1", {"salesforce:SECRETKEY": ("1250.00", "EUR")}, warned=3)
        reviews.accept(accord.hub, 2, days=5, why="WORDS of ann", who="ann")
        reviews.assign(accord.hub, 1, to="bob", who="ann")
        reviews.comment(accord.hub, 1, text="WORDS of bob", who="bob")
        return accord.hub


def test_each_owner_is_mailed_once_a_week(failing: Hub, declare: Declare, mailbox: Mailbox) -> None:
    declare(
        mail=mail_to(mailbox), sales=mail_to(mailbox, owners=["sales operations"]), boss=mail_to(mailbox, escalation=1)
    )
    done = work()
    assert (done["mails"], sorted(done["nothing"])) == (1, OTHERS)  # type: ignore[call-overload]
    assert mailbox.subjects == ["[test] Data quality this week, finance: 1 open, 1 accepted, 0 settled"]
    assert mailbox.mails[0]["X-Accord-Digest"] == "finance"
    text = mailbox.text()
    for said in (
        "1 of 1 open came up this week; 1 held, 1,250.00 EUR at risk, counted for each rule that holds a record.",
        "order__salesforce_to_erp canonical: the total is the sum of the lines",
        "The customer would be invoiced another amount.",
        "1 held, 1,250.00 EUR",
        "bob",
        "accepted until",
        'href="https://airflow.example/accord/quality/"',
    ):
        assert said in text, said
    assert "SECRETKEY" not in text, "records are named behind the login only"
    assert "WORDS" not in text, "and so is what people wrote"

    again = work()
    assert (again["mails"], again["already"], len(mailbox.mails)) == (0, 1, 1)
    with failing.session() as session:
        session.execute("UPDATE digest SET week = week - 7")
    assert work()["mails"] == 1


def test_what_was_settled_this_week_is_told_and_nothing_is_not(
    failing: Hub, declare: Declare, mailbox: Mailbox
) -> None:
    declare(mail=mail_to(mailbox))
    with failing.session() as session:
        session.execute("UPDATE review SET closed = now(), accepted_until = NULL")
    work()
    assert mailbox.subjects == ["[test] Data quality this week, finance: 0 open, 0 accepted, 2 settled"]
    with failing.session() as session:
        session.execute("UPDATE review SET closed = now() - interval '8 days'")
        session.execute("DELETE FROM digest")
    done = work()
    assert (done["mails"], len(done["nothing"]), len(mailbox.mails)) == (0, 4, 1)  # type: ignore[arg-type]


def test_what_a_server_refuses_is_mailed_when_it_takes_it(failing: Hub, declare: Declare, mailbox: Mailbox) -> None:
    declare(mail=mail_to(mailbox))
    mailbox.refuses = "451 not now"
    with pytest.raises(Retry, match="Digests were not mailed: mail: smtp took nothing") as told:
        work()
    assert "127.0.0.1" not in str(told.value)
    mailbox.refuses = ""
    assert work()["mails"] == 1
    assert len(mailbox.mails) == 1


def test_an_owner_nobody_tells_is_named(failing: Hub, declare: Declare, mailbox: Mailbox) -> None:
    declare(sales=mail_to(mailbox, owners=["sales operations"]), wrong={"conn_type": "smtp"})
    with pytest.raises(Retry, match="Alert channel wrong names no address"):
        work()
    declare(sales=mail_to(mailbox, owners=["sales operations"]))
    assert work()["nobody"] == ["finance"]
    assert mailbox.mails == []


def test_the_page_s_example_is_a_dag() -> None:
    assert code_of("expectation-reports.md")["quality_by_mail"].task_ids == ["mail"]
