"""The summary says in plain words what came in and what became of it."""

from sandbox.demo.summary import Waiting, lines

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
