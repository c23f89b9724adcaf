"""Rates by year against the public engine on the studies of the time, and against plain sums."""

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from mscpool.analysis.fitting.fit import fit
from mscpool.analysis.fitting.summary import rates
from mscpool.analysis.sensitivity.cumulative import (
    conclusions_since,
    rates_by_year,
    true_since,
    years_of,
)
from mscpool.analysis.sensitivity.questions import questions
from mscpool.data.evidence import load_evidence
from mscpool.models.exact.outcomes import exact_model
from mscpool.models.priors.sets import DEFAULT

#: Both sides are integrated to within a ten-thousandth of a spread.
ERROR = 2e-4


def grown(evidence, threshold="usual"):
    asked = questions(threshold, evidence.outcome_names)
    model = exact_model(evidence)
    return rates_by_year(model, DEFAULT, years_of(evidence), asked, 0.95)


@pytest.mark.parametrize("year", [2018, 2023])
def test_each_year_is_the_fit_of_the_studies_until_then(year):
    evidence = load_evidence(outcomes=("improvement", "death"))
    table = grown(evidence)
    years = years_of(evidence)
    until = evidence.select(drop=tuple(study for study, when in years.items() if when > year))
    wanted = rates(_exact(until))
    for name, own in table.groupby("outcome"):
        last = own[own["year"] <= year]["year"].max()
        found = own[own["year"] == last].set_index("disease")
        alone = wanted[(wanted["outcome"] == name) & (wanted["quantity"] == "rate")]
        alone = alone.set_index("disease").loc[found.index]
        for column in ("mean", "sd", "q2.5", "q50", "q97.5", "studies", "patients"):
            np.testing.assert_allclose(
                found[column].astype(float), alone[column].astype(float), atol=ERROR
            )
        assert list(found["evidence"]) == list(alone["evidence"])


def _exact(evidence):
    return fit(evidence, engine="exact", draws=10, seed=1)


ONE = pd.DataFrame(
    {"study": list("abc"), "events": [3, 7, 9], "n": [9, 10, 14], "year": [2004, 2001, 2009]}
)


def by_sums(rows, threshold):
    """Mean rate and probability above a threshold, summed over mu, sigma and study effects."""
    mu, z = np.linspace(-9, 9, 401), np.linspace(-7, 7, 71)
    total = np.zeros(len(mu))
    for sigma in (np.arange(60) + 0.5) * 3.2 / 60:
        p = special.expit(mu[:, None] + sigma * z)
        own = stats.norm.pdf(mu, 0, 1.5) * stats.halfnorm.pdf(sigma, 0, 0.5)
        for y, n in zip(rows["events"], rows["n"], strict=True):
            own = own * ((p**y * (1 - p) ** (n - y)) @ stats.norm.pdf(z))
        total += own
    rate = special.expit(mu)
    return rate @ total / total.sum(), total[rate > threshold].sum() / total.sum()


def test_one_disease_by_year_is_that_of_plain_sums():
    threshold = float(special.expit(0.0225))  # midway between two nodes of the sums
    table = grown(load_evidence(ONE), threshold).set_index("year")
    assert list(table.index) == [2001, 2004, 2009]
    for year, row in table.iterrows():
        mean, above = by_sums(ONE[ONE["year"] <= year], threshold)
        assert row["mean"] == pytest.approx(mean, abs=ERROR)
        assert row["probability"] == pytest.approx(above, abs=5e-4)


def test_a_nested_outcome_grows_with_the_one_it_lies_within():
    frame = pd.DataFrame(
        {
            "study": ["a", "a", "b", "b"], "outcome": ["improvement", "remission"] * 2,
            "events": [6, 2, 9, 5], "n": [10, 10, 12, 12], "year": [2001, 2001, 2003, 2003],
        }
    )  # fmt: skip
    table = grown(load_evidence(frame))
    first = rates(_exact(load_evidence(frame[frame["year"] == 2001])))
    wanted = first[(first["outcome"] == "remission") & (first["quantity"] == "rate")]["q50"]
    found = table[(table["outcome"] == "remission") & (table["year"] == 2001)]["q50"]
    assert float(found.iloc[0]) == pytest.approx(float(wanted.iloc[0]), abs=ERROR)
    assert list(table[table["outcome"] == "remission"]["year"]) == [2001, 2003]


def test_years_are_read_of_folders_and_of_single_tables():
    assert years_of(load_evidence())["cheng2022"] == 2022
    assert years_of(load_evidence(ONE)) == {"a": 2004, "b": 2001, "c": 2009}
    assert years_of(load_evidence(ONE.drop(columns="year"))) == {}
    odd = ONE.assign(year=["2004.0", "2001²", "2009.5"])
    assert years_of(load_evidence(odd)) == {"a": 2004}


@pytest.mark.parametrize(
    ("concluded", "since"),
    [
        (["yes", "yes", "yes"], 2001),
        (["no", "yes", "yes"], 2004),
        (["yes", "no", "yes"], 2009),
        (["yes", "undecided", "yes"], 2009),
        (["yes", "yes", "no"], None),
        (["no"], None),
        ([], None),
    ],
)
def test_a_conclusion_holds_from_the_year_after_which_it_is_always_drawn(concluded, since):
    assert true_since(concluded, [2001, 2004, 2009][: len(concluded)]) == since


def test_a_conclusion_that_was_lost_is_told_apart():
    table = pd.DataFrame(
        {
            "outcome": ["x"] * 6,
            "disease": ["d"] * 3 + ["e"] * 3,
            "year": [1, 2, 3] * 2,
            "concluded": ["yes", "no", "yes", "no", "no", "yes"],
        }
    )
    lost, kept = conclusions_since(table, ["outcome", "disease"]).to_dict("records")
    assert (lost["since"], lost["first"], lost["lost"]) == (3, 1, True)
    assert (kept["since"], kept["first"], kept["lost"]) == (3, 3, False)
