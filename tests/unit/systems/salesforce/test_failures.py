"""Errors are typed by recovery, and what is stored of them holds no record value."""

import pytest

from accord.categories import Category
from accord.errors import Recovery
from accord.systems.salesforce.failures import Fault, answer, bulk_fault, faults_in, outcome


@pytest.mark.parametrize(
    ("code", "recovery", "category"),
    [
        ("UNABLE_TO_LOCK_ROW", Recovery.RETRY, Category.LOCKED),
        ("REQUEST_LIMIT_EXCEEDED", Recovery.RETRY, Category.OUTAGE),
        ("DUPLICATE_VALUE", Recovery.REJECT, Category.DUPLICATE_KEY),
        ("STRING_TOO_LONG", Recovery.REJECT, Category.TOO_LONG),
        ("REQUIRED_FIELD_MISSING", Recovery.REJECT, Category.MISSING_VALUE),
        ("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", Recovery.REJECT, Category.INVALID_VALUE),
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION", Recovery.REJECT, Category.REFUSED),
        ("ENTITY_IS_DELETED", Recovery.REJECT, Category.REFERENCE_UNKNOWN),
        ("INSUFFICIENT_ACCESS_OR_READONLY", Recovery.HOLD, Category.NOT_PERMITTED),
        ("INVALID_FIELD_FOR_INSERT_UPDATE", Recovery.HOLD, Category.NOT_PERMITTED),
        ("A_CODE_OF_NEXT_YEAR", Recovery.REJECT, Category.REFUSED),
    ],
)
def test_codes(code, recovery, category):
    found = outcome((Fault(code=code, message="x"),), native="a01")
    assert (found.outcome, found.category, found.native) == (recovery, category, "a01")
    assert found.message
    assert code in (found.answer or "")


SECRET = "Jansen & Zonen"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("STRING_TOO_LONG", f"Legal Name: data value too large: {SECRET} (max length=10)"),
        ("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", f"Risk: bad value for restricted picklist field: {SECRET}"),
        ("INVALID_EMAIL_ADDRESS", f"Email: invalid email address: {SECRET}"),
        ("JSON_PARSER_ERROR", f"Cannot deserialize instance of currency from VALUE_STRING value {SECRET}"),
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION", f"The name {SECRET} is reserved"),
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "The name 'somebody else' or \"a third\" is reserved"),
        ("A_CODE_OF_NEXT_YEAR", f"something about {SECRET}"),
    ],
)
def test_answers_hold_no_value(code, message):
    text = answer(Fault(code=code, message=message, fields=("Name",)), [SECRET, None, 12])
    assert text.startswith(code)
    assert text.endswith("[Name]")
    for value in (SECRET, "somebody else", "a third"):
        assert value not in text


def test_an_answer_keeps_ids_and_field_names():
    fault = Fault(
        code="DUPLICATE_VALUE", message="duplicate value found: Key__c duplicates value on record with id: a01X"
    )
    assert answer(fault) == f"DUPLICATE_VALUE: {fault.message}"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --",
            Fault(
                code="REQUIRED_FIELD_MISSING", message="Required fields are missing: [LastName]", fields=("LastName",)
            ),
        ),
        (
            "UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record:--",
            Fault(code="UNABLE_TO_LOCK_ROW", message="unable to obtain exclusive access to this record"),
        ),
        (
            "STRING_TOO_LONG:Name: a\nb:Name, X --",
            Fault(code="STRING_TOO_LONG", message="Name: a\nb", fields=("Name", "X")),
        ),
        ("INVALID something else", Fault(code="INVALID", message="")),
        ("", Fault(code="UNKNOWN", message="")),
    ],
)
def test_errors_of_result_files(text, fault):
    assert bulk_fault(text) == fault


def test_errors_of_every_shape():
    rest = [{"errorCode": "INVALID_FIELD", "message": "m", "fields": ["A"]}]
    saved = [{"statusCode": "INVALID_FIELD", "message": "m", "fields": ["A"]}]
    assert faults_in(rest) == faults_in(saved) == (Fault(code="INVALID_FIELD", message="m", fields=("A",)),)
    assert faults_in({"error": "invalid_client", "error_description": "d"})[0].code == "invalid_client"
    assert faults_in("nonsense") == ()
