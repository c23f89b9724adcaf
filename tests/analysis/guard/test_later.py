"""Later studies predicted by a fit, against plain sums and against integration."""

import json
from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from mscpool.analysis.fitting.fit import fit
from mscpool.analysis.guard.later import COLUMNS, DRAWN, INTEGRATED, predict_later
from mscpool.data.evidence import load_evidence
from mscpool.models.exact.outcomes import exact_outcomes

FRAME = pd.DataFrame({"study": list("ab"), "events": [6, 9], "n": [10, 12]})
NESTED = pd.DataFrame(
    {
        "study": ["a", "a", "b", "b"], "outcome": ["improvement", "remission"] * 2,
        "events": [6, 2, 9, 5], "n": [10, 10, 12, 12],
    }
)  # fmt: skip


def rows(low, high, n, outcome="response", disease="all", arm=("msc",)):
    each = {"study": "new", "disease": disease, "outcome": outcome, "months": 6.0}
    return pd.DataFrame(
        [each | {"arm": a, "events_min": low, "events_max": high, "n": n} for a in arm]
    )


def predicted(later):
    evidence = load_evidence(FRAME)
    made = fit(evidence, engine="exact", draws=10, seed=3)
    return predict_later(made, exact_outcomes(evidence), later).iloc[0]


@cache
def counts_by_sums(n):
    """Probabilities of a new study's counts, summed over mu, sigma and every study's effect."""
    mu, z = np.linspace(-9, 9, 401), np.linspace(-7, 7, 71)
    total = np.zeros(n + 1)
    for sigma in (np.arange(60) + 0.5) * 3.2 / 60:
        p, weight = special.expit(mu[:, None] + sigma * z), stats.norm.pdf(z)
        own = stats.norm.pdf(mu, 0, 1.5) * stats.halfnorm.pdf(sigma, 0, 0.5)
        for y, size in zip(FRAME["events"], FRAME["n"], strict=True):
            own = own * ((p**y * (1 - p) ** (size - y)) @ weight)
        for count in range(n + 1):
            chance = special.comb(n, count) * p**count * (1 - p) ** (n - count)
            total[count] += own @ (chance @ weight)
    return total / total.sum()


def test_a_later_count_is_predicted_as_by_plain_sums():
    found = predicted(rows(4, 4, 14))
    counts = counts_by_sums(14)
    middle = counts[:4].sum() + counts[4] / 2
    assert found["method"] == INTEGRATED
    assert found["mid_p"] == pytest.approx(2 * min(middle, 1 - middle), abs=5e-4)
    assert found["expected"] == pytest.approx(counts @ np.arange(15), abs=5e-3)
    below = counts.cumsum()
    for name, p in (("q2.5", 0.025), ("q50", 0.5), ("q97.5", 0.975)):
        assert found[name] == np.flatnonzero(below >= p)[0]
    assert found["mid_p_mcse"] < 1e-4


def test_arms_are_added_up_and_bounds_stand_in_the_middle_of_what_they_allow():
    found = predicted(rows(2, 5, 7, arm=("msc_low", "msc_high")))
    counts = counts_by_sums(14)
    middle = (counts[:4].sum() + counts[:11].sum()) / 2
    assert (found["events_min"], found["events_max"], found["n"]) == (4, 10, 14)
    assert found["mid_p"] == pytest.approx(2 * min(middle, 1 - middle), abs=5e-4)


def test_draws_predict_what_integration_does_within_their_error():
    evidence = load_evidence(NESTED)
    made, integrated = fit(evidence, engine="exact", draws=1000, seed=3), exact_outcomes(evidence)
    for outcome in ("improvement", "remission"):
        later = rows(3, 3, 14, outcome)
        drawn, whole = (predict_later(made, each, later).iloc[0] for each in (None, integrated))
        assert (drawn["method"], whole["method"]) == (DRAWN, INTEGRATED)
        assert abs(drawn["mid_p"] - whole["mid_p"]) < 4 * drawn["mid_p_mcse"]
        assert 0 < drawn["mid_p_mcse"] < 0.03
        assert drawn["expected"] == pytest.approx(whole["expected"], abs=0.2)
        for name in ("q2.5", "q25", "q50", "q75", "q97.5"):
            assert abs(drawn[name] - whole[name]) <= 1


def test_what_the_fit_does_not_know_is_not_predicted():
    evidence = load_evidence(FRAME)
    made = fit(evidence, engine="exact", draws=10, seed=3)
    for later in (rows(1, 1, 9, "other"), rows(1, 1, 9, disease="another")):
        table = predict_later(made, None, later)
        assert table.empty
        assert list(table.columns) == list(COLUMNS)


def test_an_outcome_that_a_sampled_fit_knows_more_of_is_predicted_by_its_draws():
    frame = pd.DataFrame(
        {
            "study": ["a", "a", "b", "c"],
            "outcome": ["improvement", "remission", "improvement", "remission"],
            "events": [6, 2, 9, 4], "n": [10, 10, 12, 11],
        }
    )  # fmt: skip
    evidence = load_evidence(frame)
    integrated = exact_outcomes(evidence)
    assert list(integrated.model.fitted_alone) == ["improvement"]
    with pytest.warns(UserWarning, match="cannot be integrated|is fitted without"):
        made = fit(evidence, engine="exact", draws=10, seed=3)
    later = rows(3, 3, 15, "improvement")
    assert predict_later(made, integrated, later)["method"].item() == INTEGRATED
    config = json.loads(made.attrs["run_config"]) | {"engine": "nuts"}
    made.attrs["run_config"] = json.dumps(config)
    assert predict_later(made, integrated, later)["method"].item() == DRAWN
