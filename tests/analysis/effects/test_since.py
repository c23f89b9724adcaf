"""Effects by year and of later studies: the public command again, and draws from the prior."""

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from mscpool.analysis.effects.effects import effects
from mscpool.analysis.effects.results import contrasts
from mscpool.analysis.effects.since import effects_by_year, predict_effects
from mscpool.analysis.effects.unseen import unseen_trials
from mscpool.analysis.sensitivity.unseen import EXTREME, NULL
from mscpool.data.controlled import controlled_rows
from mscpool.data.evidence import load_evidence

#: Both sides are integrated to within a ten-thousandth of a spread.
ERROR = 2e-4
TRIALS = [
    ("a", "x", 9, 20, 3, 20, 2001), ("b", "x", 12, 25, 6, 24, 2004),
    ("c", "y", 8, 16, 4, 15, 2004), ("d", "x", 14, 30, 6, 30, 2010),
]  # fmt: skip
YEARS = {row[0]: row[6] for row in TRIALS}


def evidence(trials, outcome="improvement"):
    rows = [
        {"study": s, "disease": d, "outcome": outcome, "arm": arm, "events": y, "n": n}
        for s, d, y1, n1, y0, n0, *_ in trials
        for arm, y, n in (("msc", y1, n1), ("control", y0, n0))
    ]
    return load_evidence(pd.DataFrame(rows))


def rows_of(trials, outcome="improvement"):
    return controlled_rows(evidence(trials, outcome)).rows


def effect_in(trials, disease, outcome="improvement"):
    table = contrasts(effects(evidence(trials, outcome), check=False))
    return table[(table["disease"] == disease) & (table["quantity"] == "effect")].iloc[0]


def test_each_year_is_what_the_command_gives_for_the_studies_until_then():
    table = effects_by_year(rows_of(TRIALS), ("x", "y"), "partial", YEARS, 0.95)
    assert list(table["year"]) == [2001, 2004, 2004, 2010, 2010]
    assert list(table["gained"]) == [True, True, True, True, False]
    for row in table.to_dict("records"):
        # The command does not know of a disease before it has a study.
        until = [each for each in TRIALS if each[6] <= row["year"]]
        if row["year"] == 2001:
            continue
        wanted = effect_in(until, row["disease"])
        for name in ("mean", "sd", "q2.5", "q50", "q97.5", "probability_benefit"):
            assert row[name] == pytest.approx(wanted[name], abs=ERROR)
        assert (row["studies"], row["patients"]) == (wanted["studies"], wanted["patients"])
        assert row["concluded"] == ("yes" if wanted["probability_benefit"] >= 0.95 else "no")


def test_studies_of_one_year_have_not_grown():
    table = effects_by_year(rows_of(TRIALS[1:3]), ("x", "y"), "partial", YEARS, 0.95)
    assert table.empty


def test_a_later_effect_is_predicted_as_by_weighted_draws():
    """One study before, and the treated count of the next given its total."""
    before, later = TRIALS[0], ("z", "y", 5, 18, 2, 17)
    rng = np.random.default_rng(4)
    size = 400_000
    mu, tau = rng.normal(0, 2, size), np.abs(rng.normal(0, 0.5, size))
    sigma, b = np.abs(rng.normal(0, 0.5, size)), rng.normal(0, 10, size)
    theta = mu + tau * rng.normal(size=(2, size))
    delta = theta + sigma * rng.normal(size=(2, size))
    _, _, y1, n1, y0, n0, _ = before
    treated, control = (special.expit(b + side * delta[0] / 2) for side in (1, -1))
    weights = stats.binom.pmf(y1, n1, treated) * stats.binom.pmf(y0, n0, control)
    chosen = rng.choice(size, 3000, p=weights / weights.sum())
    _, _, z1, m1, z0, m0 = later
    given = stats.nchypergeom_fisher(m1 + m0, m1, z1 + z0, np.exp(delta[1][chosen]))
    middle = (given.cdf(z1 - 1) + given.pmf(z1) / 2).mean()
    found = predict_effects(rows_of([before]), rows_of([later]), ("x", "y"), "partial").iloc[0]
    # 3000 draws know a mean of probabilities to 0.006, and their weights add half as much.
    assert found["mid_p"] == pytest.approx(2 * min(middle, 1 - middle), abs=0.04)
    assert found["expected"] == pytest.approx(given.mean().mean(), abs=0.1)
    low, high = np.quantile(delta[1][chosen], [0.025, 0.975])
    assert (found["q2.5"], found["q97.5"]) == pytest.approx((low, high), abs=0.35)
    assert found["raw"] == pytest.approx(np.log((5 / 13) / (2 / 15)))


def test_what_nothing_is_known_of_is_not_predicted():
    later = rows_of([("z", "y", 5, 18, 2, 17)], "any_ae")
    assert predict_effects(rows_of(TRIALS), later, ("x", "y"), "partial").empty


@pytest.mark.parametrize(
    ("outcome", "worst"),
    [("improvement", 0), pytest.param("any_ae", 1, marks=pytest.mark.slow)],
)
def test_the_smallest_trial_undoes_and_one_of_a_patient_less_does_not(outcome, worst):
    trials = [each[:6] for each in TRIALS[:2]]
    if outcome == "any_ae":  # what was more under treatment is now more under control
        trials = [(s, d, y0, n0, y1, n1) for s, d, y1, n1, y0, n0 in trials]
    key = (outcome, "x")
    table = unseen_trials(rows_of(trials, outcome), ("x",), "partial", {key: 0.25}, {key: 40}, 0.95)
    assert list(table["kind"]) == [EXTREME, NULL]
    assert (table["concluded"] == "yes").all()

    def benefit(kind, n):
        control = round(0.25 * n)
        treated = control if kind == NULL else worst * n
        new = ("new", "x", treated, n, control, n)
        return effect_in([*trials, new], "x", outcome)["probability_benefit"]

    for row in table.to_dict("records"):
        n = int(row["n"])
        assert benefit(row["kind"], n) < 0.95
        # Clearly so: by more than four times the error of the integral.
        assert 0 < 4 * row["mcse_after"] < 0.95 - row["probability_after"]
        assert row["probability_after"] == pytest.approx(benefit(row["kind"], n), abs=ERROR)
        if n > 1:
            assert benefit(row["kind"], n - 1) >= 0.95
        assert row["like_probability"] == pytest.approx(benefit(row["kind"], 40), abs=2 * ERROR)


def test_without_a_conclusion_there_is_nothing_to_undo():
    table = unseen_trials(
        rows_of(TRIALS[:1]), ("x",), "partial", {("improvement", "x"): 0.2},
        {("improvement", "x"): 30}, 0.9999,
    )  # fmt: skip
    assert (table["concluded"] == "no").all()
    assert table["n"].isna().all()
    assert (table["like_probability"] < table["probability_benefit"]).all()
