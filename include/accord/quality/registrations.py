"""Whether a tax registration could have been issued: format and check digits, by python-stdnum
(https://arthurdejong.org/python-stdnum/), which follows what the tax authorities publish."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from stdnum.util import NumberValidationModule

_MARK = "\x1f"
# An EIN has no check digit: in a well-formed one only the prefix can be wrong, so that one of each prefix is asked about.
# https://www.irs.gov/businesses/small-businesses-self-employed/how-eins-are-assigned-and-valid-ein-prefixes
_EIN = r"^[0-9]{2}-?[0-9]{7}$"


def could_be_issued(countries: pa.ChunkedArray, numbers: pa.ChunkedArray) -> pa.Array:
    """For each row, whether `numbers` is well-formed in `countries` (ISO 3166-1 alpha-2); null where either is missing or the
    country's form is unknown. Each different registration is looked at once."""
    joined = pc.binary_join_element_wise(countries, _one_of_each_prefix(countries, numbers), _MARK).combine_chunks()
    coded = pc.dictionary_encode(joined)
    verdicts = [_valid(*text.split(_MARK, 1)) for text in coded.dictionary.to_pylist()]
    return pa.array(verdicts, pa.bool_()).take(coded.indices)


def _one_of_each_prefix(countries: pa.ChunkedArray, numbers: pa.ChunkedArray) -> pa.ChunkedArray:
    """`numbers`, every well-formed EIN replaced by the same one for each prefix."""
    ein = pc.and_(pc.equal(countries, "US"), pc.match_substring_regex(numbers, _EIN))
    prefix = pc.utf8_slice_codeunits(numbers, 0, 2)
    return pc.if_else(pc.fill_null(ein, False), pc.binary_join_element_wise(prefix, "1234567", ""), numbers)


def _valid(country: str, number: str) -> bool | None:
    form = _form(country)
    if form is None:
        return None
    if country == "JP":
        number = number.strip().upper().removeprefix("T")  # an invoice issuer's number is T and the corporate number
    try:
        return form.is_valid(number)
    except (ValueError, IndexError, KeyError):  # what no check can digest nobody issued
        return False


@cache
def _form(country: str) -> NumberValidationModule | None:
    from stdnum.util import get_cc_module

    return get_cc_module("us", "ein") if country == "US" else get_cc_module(country.lower(), "vat")
