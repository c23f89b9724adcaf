"""The guard of effects: what it finds, against refits, enumeration and a regression."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import nchypergeom_fisher

from mscpool.analysis.effects.guard import (
    SMALL_STUDIES,
    SPREAD,
    check_effects,
    harbord_test,
)
from mscpool.analysis.effects.model import fit_effects
from mscpool.models.effects.priors import DEFAULT_EFFECTS

LEFT_OUT = "most surprising study, left out"


def arms(counts, n=40, outcome="improvement", months=12.0):
    """Rows of two-arm studies from pairs of treated and control events."""
    return pd.DataFrame(
        [
            {
                "study": f"s{i}", "disease": "first", "arm": arm, "outcome": outcome,
                "events_min": count, "events_max": count, "n": n, "months": months,
                "randomised": None,
            }
            for i, pair in enumerate(counts)
            for arm, count in zip(("msc", "control"), pair, strict=True)
        ]
    )  # fmt: skip


def judged(rows):
    fit = fit_effects(rows, ("first",), "partial", DEFAULT_EFFECTS)
    return check_effects(fit, {"seed": 1}), fit


def checks(result):
    return {one.check: one for one in result.outcomes[0].checks}


ALIKE = [(20, 11), (24, 9), (18, 13), (27, 12), (15, 12), (16, 7)]


def test_sound_studies_pass():
    result, _ = judged(arms(ALIKE))
    assert result.verdict == "pass"
    assert set(checks(result)) == {LEFT_OUT, SPREAD}
    assert len(result.loo) == len(ALIKE)


def test_a_reversed_study_is_found():
    result, _ = judged(arms([*ALIKE, (4, 34)]))
    assert result.verdict == "fail"
    assert checks(result)[LEFT_OUT].verdict == "fail"
    assert "In s6, 4 of 40 treated patients" in result.outcomes[0].reason


def test_a_study_left_out_is_predicted_as_by_a_fit_without_it():
    rows = arms(ALIKE[:4])
    result, _ = judged(rows)
    surprises = []
    for study in ("s0", "s1", "s2", "s3"):
        without = fit_effects(rows[rows["study"] != study], ("first",), "partial", DEFAULT_EFFECTS)
        values, masses = without.distribution("improvement", "new_study", "first").nodes
        treated, control = ALIKE[int(study[1])]
        predicted = nchypergeom_fisher(80, 40, treated + control, np.exp(values))
        middle = masses @ (predicted.cdf(treated - 1) + predicted.pmf(treated) / 2)
        surprises.append(2 * min(middle, 1 - middle))
    adjusted = 1 - (1 - min(surprises)) ** 4
    assert checks(result)[LEFT_OUT].mid_p == pytest.approx(adjusted, abs=1e-3)


def test_effects_that_differ_wildly_are_found():
    result, _ = judged(arms([(39, 1), (1, 39), (38, 2), (2, 38), (39, 2), (1, 38)]))
    assert checks(result)[SPREAD].verdict == "fail"
    assert result.verdict == "fail"


def test_deaths_and_a_single_study_never_fail():
    far = [(1, 38), (38, 1), (37, 2), (1, 39), (38, 2)]
    result, _ = judged(arms(far, outcome="death"))
    assert {one.verdict for one in result.outcomes[0].checks} == {"warn"}
    alone, _ = judged(arms([(0, 40)]))
    assert alone.verdict == "warn"
    assert "There is one study" in alone.outcomes[0].reason or "sigma" in alone.outcomes[0].reason


@pytest.mark.slow
def test_a_study_of_means_that_contradicts_counts_is_named_by_its_odds():
    means = arms([(20, 20)]).assign(
        study="m", improvement=[-9.0, 9.0], sd_least=4.0, sd_most=4.0, events_min=0, events_max=40
    )
    result, _ = judged(pd.concat([arms(ALIKE), means], ignore_index=True))
    assert checks(result)[LEFT_OUT].verdict == "fail"
    assert "In m the log odds ratio from means is -8.0" in result.outcomes[0].reason


def test_studies_that_say_nothing_warn():
    result, _ = judged(arms([(0, 0), (0, 0)]))
    assert result.verdict == "warn"
    assert result.outcomes[0].reason == "No study says anything of this effect."


def test_harbord_is_the_weighted_regression_of_statsmodels():
    import statsmodels.api as sm

    rng = np.random.default_rng(2)
    frames = []
    for i in range(14):
        n = int(rng.integers(12, 200))
        rows = arms([(int(rng.binomial(n, 0.5)), int(rng.binomial(n, 0.35)))], n)
        frames.append(rows.assign(study=f"s{i}"))
    rows = pd.concat(frames, ignore_index=True)
    z, v = [], []
    for _, own in rows.groupby("study", sort=False):
        (a, c), n = own["events_min"], own["n"].iloc[0]
        z.append(a - (a + c) / 2)
        v.append((a + c) * (2 * n - a - c) * n * n / ((2 * n) ** 2 * (2 * n - 1)))
    z, v = np.array(z, float), np.array(v, float)
    wanted = sm.WLS(z / v, sm.add_constant(1 / np.sqrt(v)), weights=v).fit()
    intercept, p = harbord_test(rows)
    # Regressed as in the publication, the slope on 1 / sqrt(V) is the intercept.
    assert intercept == pytest.approx(wanted.params[1], abs=1e-9)
    assert p == pytest.approx(wanted.pvalues[1], abs=1e-9)
    assert harbord_test(rows[rows["study"].isin([f"s{i}" for i in range(9)])]) is None


def test_small_studies_with_larger_effects_are_warned_of():
    counts = [((180, 150), 300)] * 3 + [((18, 6), 20)] * 9
    frames = [arms([pair], n).assign(study=f"s{i}") for i, (pair, n) in enumerate(counts)]
    result, _ = judged(pd.concat(frames, ignore_index=True))
    assert checks(result)[SMALL_STUDIES].verdict == "warn"
    assert result.verdict != "pass"
