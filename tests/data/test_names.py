"""How studies and outcomes are called."""

import pandas as pd
import pytest

from mscpool.data.names import (
    counted_words,
    outcome_in_text,
    outcome_short,
    outcome_words,
    spaced,
    study_labels,
)
from mscpool.data.outcomes import OUTCOMES


def test_a_study_without_letters_is_told_apart_from_counts():
    studies = pd.DataFrame({"study": ["2", "2019-1", "é"], "label": ["", None, "x 3"]})
    labels = study_labels(studies)
    assert labels == {"2": "study 2", "2019-1": "study 2019-1", "é": "x 3"}


@pytest.mark.parametrize(
    "own",
    [
        "Improvement",
        "improved",
        "Any AE",
        "any_adverse_event",
        "Serious_ae",
        "Death within 12 months",
    ],
)
@pytest.mark.parametrize("said", [outcome_words, counted_words, outcome_short, outcome_in_text])
def test_an_outcome_of_ones_own_is_never_called_as_a_known_one_is(own, said):
    assert said(own).casefold() not in {said(known).casefold() for known in OUTCOMES}
    assert spaced(own) in said(own)


def test_an_outcome_of_ones_own_that_reads_like_none_has_no_marks():
    assert outcome_words("skin_response") == "Skin response"
    assert outcome_in_text("skin_response") == "skin response"
