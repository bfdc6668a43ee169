"""The summary says in plain words what came in and what became of it."""

from datetime import date
from typing import Any

from accord.hub.processes import QUOTE_TO_CASH
from sandbox.demo.summary import Waiting, agreement, lines, on_their_way, recurring

TO_ERP = {
    "flow": "customer__salesforce_to_erp",
    "extracted": 1320,
    "released": 2,
    "amounts": {},
    "targets": {
        "tryton": {"counts": {"applied": 1200, "quarantined": 20, "unchanged": 102}, "amounts": {}},
        "legacy": {"counts": {"excluded": 1322}, "amounts": {}},
    },
    "also": {"tryton": 5, "legacy": 0},
}
BACK = {
    "flow": "customer_account__tryton_to_salesforce",
    "extracted": 3,
    "released": 0,
    "amounts": {"EUR": "12345.600000"},
    "targets": {"salesforce": {"counts": {"applied": 3}, "amounts": {"applied": {"EUR": "12345.600000"}}}},
    "also": {"salesforce": 0},
}


def test_records_and_amounts_of_every_target_are_told() -> None:
    told = list(lines([TO_ERP, BACK], []))
    assert told[0] == "customer__salesforce_to_erp: 1,320 records extracted from salesforce, 2 released"
    assert "      1,200 written     tryton" in told
    assert "         20 quarantined tryton" in told
    assert "          5 written to tryton by the scheduled run of the same time" in told
    assert "      1,322 excluded    legacy" in told
    assert told[-2].endswith("3 records extracted from tryton, 12,345.60 EUR")
    assert told[-1].split() == ["3", "written", "salesforce,", "12,345.60", "EUR"]


def test_what_waits_is_told_with_its_reason_and_what_to_do() -> None:
    group = Waiting(
        records=4,
        flow="customer__salesforce_to_erp",
        category="missing value",
        queue="sales operations",
        target="",
        message="country is missing",
    )
    told = list(lines([], [group]))
    assert told[1:] == [
        "Waiting for a person or another record:",
        "          4 missing value: country is missing",
        "            sales operations: Fill in the field in Salesforce; the next run takes it.",
    ]


def test_a_reason_that_is_only_the_remedy_is_told_once() -> None:
    remedy = "Shorten the value in Salesforce; the next run takes it."
    group = Waiting(
        records=2,
        flow="customer__salesforce_to_erp",
        category="value too long",
        queue="sales operations",
        target="legacy",
        message=remedy,
    )
    told = list(lines([], [group]))
    assert told[-2:] == ["          2 value too long (legacy)", f"            sales operations: {remedy}"]


class Org:
    """An org that answers with sums."""

    def __init__(self, **sums: float) -> None:
        self.sums = sums

    def query(self, soql: str) -> list[dict[str, object]]:
        invoices = "FROM ERP_Invoice__c" in soql
        return [{"CurrencyIsoCode": code, "total": total} for code, total in self.sums.items()] if invoices else []


def test_both_sides_are_held_against_each_other_by_currency() -> None:
    summaries = [
        {"flow": "invoice__tryton_to_salesforce", "amounts": {"EUR": "10.10", "GBP": "5.00"}},
        {"flow": "invoice__legacy_to_salesforce", "amounts": {"EUR": "0.20"}},
    ]
    _, *told = agreement(Org(EUR=10.299999999999999, GBP=5.01, USD=1), summaries)  # type: ignore[arg-type]
    assert [" ".join(line.split()) for line in told] == [
        "invoices 10.30 EUR in the ERPs = 10.30 EUR in Salesforce",
        "invoices 5.00 GBP in the ERPs ≠ 5.01 GBP in Salesforce",
        "invoices 0.00 USD in the ERPs ≠ 1.00 USD in Salesforce",
    ]


def test_where_orders_stand() -> None:
    places = [{"records": 1200, "step": "created", "status": "held"}]
    assert list(on_their_way(QUOTE_TO_CASH, places)) == ["Orders from commitment to cash:", "      1,200 created, held"]
    assert list(on_their_way(QUOTE_TO_CASH, [])) == []


class Subscribed:
    """An org with one contract line, and what the ERPs told of it."""

    def __init__(self, told: float) -> None:
        self.told = told

    def query(self, soql: str) -> list[dict[str, Any]]:
        if "SUM(ARR__c)" in soql:
            return [{"CurrencyIsoCode": "EUR", "total": self.told}, {"CurrencyIsoCode": "GBP", "total": None}]
        return [
            {
                "Quantity__c": 3, "Unit_Price__c": 9.995, "Billing_Period__c": "Monthly", "Start_Date__c": "2026-01-01",
                "End_Date__c": "2026-12-31", "Contract__r": {"CurrencyIsoCode": "EUR"},
            }
        ]  # fmt: skip


def test_arr_by_the_lines_is_held_against_what_the_erps_told() -> None:
    for told, verdict in ((359.88, "="), (359.89, "≠")):
        (line,) = recurring(Subscribed(told), date(2026, 5, 1))  # type: ignore[arg-type]
        assert line.split() == [
            "ARR",
            str(told),
            "EUR",
            "in",
            "the",
            "ERPs",
            verdict,
            "359.88",
            "EUR",
            "by",
            "Salesforce's",
            "lines",
        ]
