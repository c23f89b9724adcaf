"""A name of the user's makes a file's name that no system refuses, and no other name makes."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mscpool.data.file_names import file_name
from mscpool.data.outcomes import OUTCOMES

AWKWARD = [
    *("CR/PR", "cr/pr", "any ae", "any_ae", "any/ae", "Improvement", "improvement"),
    *("../../../esc", "..", ".", "", " ", "a.", "a ", "con", "CON", "com1", "nul", "nul.csv"),
    *("é", "e\u0301", "ß", "SS", "İ", "缓解", "\0", "a\nb", "\ud800", "x" * 61, "x" * 300),
    *("cr_pr", "a:b", "a\\b", '<b>"', "-rf", "~", "$HOME", "%2F"),
]


def names_of_files():
    return st.one_of(st.sampled_from(AWKWARD), st.text(max_size=80))


@given(names_of_files())
def test_a_name_is_safe_in_every_system(name):
    made = file_name(name)
    assert re.fullmatch(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?", made)
    assert len(made) <= 60
    assert not re.fullmatch(r"con|prn|aux|nul|(com|lpt)\d", made)
    assert unicodedata.normalize("NFD", made) == made


@given(names_of_files(), names_of_files())
def test_two_names_never_share_a_file(one, other):
    assert (file_name(one) == file_name(other)) == (one == other)


def test_awkward_names_are_all_apart():
    assert len({file_name(name).casefold() for name in AWKWARD}) == len(AWKWARD)


@pytest.mark.parametrize("name", OUTCOMES)
def test_outcomes_of_the_dictionary_keep_their_names(name):
    assert file_name(name) == name
