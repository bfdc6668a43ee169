"""15- and 18-character ids."""

import pytest

from accord.errors import Stop
from accord.systems.salesforce.ids import long_id


# pairs from Salesforce's own documentation and examples
@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("001A0000006Vm9r", "001A0000006Vm9rIAC"),
        ("00530000004t8yS", "00530000004t8ySAAQ"),
        ("0" * 15, "0" * 15 + "AAA"),
    ],
)
def test_long_form(short, full):
    assert long_id(short) == full
    assert long_id(full) == full


@pytest.mark.parametrize("text", ["", "001", "001A0000006Vm9r'", "001A0000006Vm9rIA", "001A0000006Vm9é"])
def test_what_is_no_id(text):
    with pytest.raises(Stop, match="Give a record's"):
        long_id(text)
