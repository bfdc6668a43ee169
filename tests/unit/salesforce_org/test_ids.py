"""Record ids. The pair of 15 and 18 characters is Salesforce's own example (Help, "how to convert 15 digit ids")."""

import itertools

import pytest

from sandbox.salesforce import ids


def test_suffix_of_a_published_id() -> None:
    assert ids.normalize("001D000000IRFma") == "001D000000IRFmaIAH"


@pytest.mark.parametrize("text", ["001D000000IRFmaIAH", "001d000000irfmaiah", "001D000000IRFMAIAH"])
def test_18_characters_are_safe_in_any_case(text: str) -> None:
    assert ids.normalize(text) == "001D000000IRFmaIAH"


@pytest.mark.parametrize("text", ["", "001", "001D000000IRFmaIA", "001D000000IRFm!", "001D000000IRFmaIA9", "x" * 19])
def test_what_is_no_id(text: str) -> None:
    assert ids.normalize(text) is None


def test_made_ids_are_unique_even_without_case_and_in_order() -> None:
    made = [ids.make("001", number) for number in itertools.chain(range(1, 5000), range(62**8, 62**8 + 100))]
    assert len({one.lower() for one in made}) == len(made)
    assert made == sorted(made)
    assert all(ids.normalize(one) == ids.normalize(one[:15]) == one for one in made)
