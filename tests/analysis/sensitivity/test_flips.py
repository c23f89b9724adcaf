"""Which priors change a conclusion, by hand: changed, unchanged, or undecided within the error."""

import numpy as np
import pandas as pd
import pytest

from mscpool.analysis.sensitivity.flips import flips
from mscpool.analysis.sensitivity.prior_map import prior_grid
from mscpool.analysis.sensitivity.questions import Question, questions
from mscpool.models.direction import Direction
from mscpool.models.priors.catalogue import CATALOGUE
from mscpool.models.priors.sets import DEFAULT

EXCEEDS = {"o": Question(0.3)}


def _flat_map(probability):
    """A map of two priors for one disease, at distances one and two."""
    return pd.DataFrame(
        {
            "outcome": "o", "disease": "d", "mu": [1.0, 2.0], "tau_scale": [0.5, 0.5],
            "distance": [1.0, 2.0], "probability": probability, "mcse": 0.01,
        }
    )  # fmt: skip


def _under(probability, other, mcse=0.001):
    return pd.DataFrame(
        {
            "set": ["reference", "other"], "outcome": "o", "disease": "d",
            "probability": [probability, other], "mcse": mcse,
        }
    )  # fmt: skip


def test_a_change_within_its_error_is_no_flip():
    found = flips(_flat_map([0.94, 0.80]), _under(0.99, 0.97), EXCEEDS, 0.95).iloc[0]
    assert found["concluded"] == "yes"
    assert found["nearest_mu"] == 2.0
    assert found["changed_by"] == ""
    assert "None of the other priors compared changes it." in found["sentence"]


@pytest.mark.parametrize(
    ("reference", "other", "concluded", "verdict"),
    [
        (0.99, 0.98, "yes", "unchanged"),
        (0.99, 0.90, "yes", "changed"),
        (0.99, 0.941, "yes", "undecided"),  # below 0.95, and yet within two errors of it
        (0.953, 0.99, "undecided", "undecided"),
        (0.60, 0.80, "no", "unchanged"),
        (0.60, np.nan, "no", "undecided"),
    ],
)
def test_the_same_under_every_prior_is_said_beyond_two_errors_only(
    reference, other, concluded, verdict
):
    by_set = _under(reference, other, mcse=0.005)
    row = flips(_flat_map([0.99, 0.99]), by_set, EXCEEDS, 0.95).iloc[0]
    assert (row["concluded"], row["verdict"]) == (concluded, verdict)
    assert (row["changed_by"] == "other") == (verdict == "changed")
    if verdict == "undecided":
        assert row["open_under"] in ("other", "reference")
        assert "None of the other priors compared changes it" not in row["sentence"]


def test_an_undecided_conclusion_has_no_nearest_prior_that_changes_it():
    row = flips(_flat_map([0.90, 0.90]), _under(0.953, 0.99, 0.005), EXCEEDS, 0.95).iloc[0]
    assert np.isnan(row["distance"])
    assert "may or may not be shown to exceed" in row["sentence"]


def test_no_prior_in_the_catalogue_is_an_answer_where_all_were_asked():
    everyone = pd.DataFrame(
        {"set": list(CATALOGUE), "outcome": "o", "disease": "d", "probability": 0.99, "mcse": 0.0}
    )
    found = flips(_flat_map([0.99, 0.99]), everyone, EXCEEDS, 0.95).iloc[0]
    assert "No prior in the catalogue changes it. No prior of the grid does." in found["sentence"]


def test_a_harm_is_asked_whether_it_stays_below():
    asked = questions("usual", ("improvement", "serious_ae", "response"))
    assert asked["improvement"] == asked["response"] == Question(0.3)
    assert asked["serious_ae"] == Question(0.1, Direction.BELOW)
    assert asked["serious_ae"].direction.probability(np.array(0.04)) == 0.96
    found = flips(
        _flat_map([0.94, 0.8]), _under(0.99, 0.5), {"o": Question(0.1, Direction.BELOW)}, 0.95
    )
    assert "the rate stays below 0.1" in found["sentence"].iloc[0]
    assert found["changed_by"].iloc[0] == "other"


def test_sets_that_change_the_conclusion_are_named():
    found = flips(_flat_map([0.99, 0.99]), _under(0.99, 0.5), EXCEEDS, 0.95).iloc[0]
    assert found["changed_by"] == "other"
    assert np.isnan(found["nearest_mu"])
    assert "This changes under Other. No prior of the grid does." in found["sentence"]


def test_parts_of_the_map_that_cannot_be_judged_are_told():
    found = flips(_flat_map([0.99, np.nan]), _under(0.99, 0.98), EXCEEDS, 0.95).iloc[0]
    assert found["covered"] == 0.5
    assert "50% of it is decided" in found["sentence"]


def test_distance_of_priors_counts_standard_deviations_of_mu_and_doublings_of_tau():
    grid = prior_grid(DEFAULT, "improvement", True)
    distance = grid.distance()
    i, j = np.flatnonzero(grid.mu == 1.5)[0], np.flatnonzero(grid.tau_scale == 2)[0]
    assert distance[i, j] == pytest.approx(np.hypot(1, 1))
    assert distance.min() == pytest.approx(0, abs=1e-9)
