"""What reports may show of a value: nothing a person could have been written into."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from accord.masking import outline
from accord.objects import CUSTOMER, OBJECTS
from accord.objects.definition import BusinessObject, Reference, Text
from accord.objects.invoice import INVOICE
from accord.objects.order import ORDER

WHO = "salesforce:Jan Jansen <jan@example.com> +31 6 1234"


@pytest.mark.parametrize(
    ("definition", "path", "value", "shown"),
    [
        (CUSTOMER, "country", "NL", "NL"),
        (CUSTOMER, "country", WHO, f"(text, {len(WHO)} characters)"),
        (CUSTOMER, "country", None, "(empty)"),
        (CUSTOMER, "legal_entities", ["NL01"], "NL01"),
        (CUSTOMER, "legal_entities", ["NL01", WHO], "(text)"),
        (CUSTOMER, "name", "Jan", "(text, 3 characters)"),
        (CUSTOMER, "phone", "+31", "(personal, 3 characters)"),
        (CUSTOMER, "parent", "salesforce:001A", "salesforce:001A"),
        (CUSTOMER, "parent", WHO, f"(text, {len(WHO)} characters)"),
        (CUSTOMER, "contacts", [{"last_name": "Jansen"}], "(1 part)"),
        (CUSTOMER, "addresses.role", "ship_to", "ship_to"),
        (CUSTOMER, "of_another_system", WHO, "(filled in)"),
        (INVOICE, "total", Decimal("12.50"), "(financial)"),
        (INVOICE, "due_date", date(2026, 1, 31), "2026-01-31"),
        (ORDER, "lines.quantity", Decimal("2"), "2"),
    ],
)
def test_what_is_shown(definition: BusinessObject, path: str, value: Any, shown: str) -> None:
    assert outline(definition, path, value) == shown


@pytest.mark.parametrize("definition", OBJECTS.values(), ids=str)
def test_a_person_s_name_is_never_shown_wherever_it_was_typed(definition: BusinessObject) -> None:
    texts = [path for path, field in definition.every_field() if isinstance(field.type, Text | Reference)]
    assert texts
    for path in texts:
        assert "Jan" not in outline(definition, path, WHO), path
