"""A renewal is sales' from the moment it is created."""

from accord.objects.definition import Owner
from accord.objects.renewal import RENEWAL
from accord.systems.salesforce.mappings.renewal import RENEWAL as WRITING


def test_everything_is_written_once_and_nothing_after() -> None:
    assert RENEWAL.sent_by(Owner.ERP, creating=True) == frozenset(WRITING.fields) == {f.name for f in RENEWAL.fields}
    assert RENEWAL.sent_by(Owner.ERP, creating=False) == frozenset()
