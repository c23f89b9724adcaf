"""What a further trial would tell, against weighted draws from the prior that share no code."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from mscpool.data.evidence import load_evidence
from mscpool.models.exact.further_study import further_study
from mscpool.models.exact.further_trial import FurtherTrial, further_trial
from mscpool.models.exact.outcomes import exact_outcomes
from mscpool.models.outcomes import inverse_link

from .hierarchies import hierarchy, priors

POOLINGS = ("partial", "complete", "none", "exnex", "robust")
#: Three diseases: two studies, one study, none.
EVENTS, PATIENTS, STUDIED = [2, 5, 8], [9, 10, 11], ["a", "a", "b"]
NAMES = ["a", "b", "c"]
DRAWS = 100_000


@dataclass(frozen=True)
class Drawn:
    """Draws from the prior, weighted by the old studies."""

    rates: np.ndarray
    weights: np.ndarray
    next_levels: np.ndarray


def binomial(y, n, p):
    return special.comb(n, y) * p**y * (1 - p) ** (n - y)


def drawn(rng, pooling, link="logit", months=12.0, events=EVENTS, patients=PATIENTS):
    """Levels of three diseases under each pooling, as the model's definition says."""
    mu, z = rng.normal(0, 1.5, DRAWS), rng.normal(size=(3, DRAWS))
    tau, sigma = np.abs(rng.normal(0, 1, DRAWS)), np.abs(rng.normal(0, 0.5, DRAWS))
    alone = rng.normal(0, 1.5, (3, DRAWS))
    theta = {
        "partial": mu + tau * z,
        "complete": mu + 0 * z,
        "none": alone,
        "exnex": np.where(rng.random((3, DRAWS)) < 0.5, mu + tau * z, alone),
        "robust": mu + tau * stats.t(4).rvs((3, DRAWS), random_state=rng),
    }[pooling]
    weights = np.ones(DRAWS)
    for y, n, disease in zip(events, patients, STUDIED, strict=True):
        level = theta[NAMES.index(disease)] + sigma * rng.normal(size=DRAWS)
        weights = weights * binomial(y, n, np.asarray(inverse_link(level, link, months / 12)))
    following = theta + sigma * rng.normal(size=(3, DRAWS))
    return Drawn(np.asarray(inverse_link(theta, link)), weights / weights.sum(), following)


def weighted_quantile(values, weights, probabilities):
    order = np.argsort(values)
    return np.interp(probabilities, np.cumsum(weights[order]), values[order])


def gains_by(rates, weights, chances):
    """Variance of the conditional expectations: chances of each ending, shape (ending, draw)."""
    joint = chances * weights
    seen = joint.sum(axis=1)
    means = rates @ joint.T / seen
    return (seen * (means - (rates @ weights)[:, None]) ** 2).sum(axis=1)


@pytest.mark.parametrize(
    ("pooling", "link"), [*((p, "logit") for p in POOLINGS), ("partial", "cloglog")]
)
def test_gains_widths_and_conclusions_are_those_of_weighted_draws(pooling, link):
    posterior = hierarchy(
        EVENTS, PATIENTS, STUDIED, pooling=pooling, link=link, names=NAMES, months=[6.0] * 3
    ).posterior(priors())
    months = 24.0 if link == "cloglog" else 12.0
    trial = FurtherTrial(further_study(posterior, months))
    rng = np.random.default_rng(5)
    draws = drawn(rng, pooling, link, months=6.0 if link == "cloglog" else 12.0)
    n, threshold = 12, 0.45
    for place in range(3):
        p = np.asarray(inverse_link(draws.next_levels[place], link, months / 12))
        chances = binomial(np.arange(n + 1)[:, None], n, p)
        gains = gains_by(draws.rates, draws.weights, chances)
        # Some 10,000 effective draws know a variance to about 1 % of itself: three errors.
        allowed = 0.03 * trial.variances
        assert np.all(np.abs(trial.gains(n)[place] - gains) < allowed)
        endings = trial.after(n, place, 0.9, threshold)
        joint = chances * draws.weights
        np.testing.assert_allclose(endings.probabilities, joint.sum(axis=1), atol=0.015)
        for count in np.flatnonzero(endings.probabilities > 0.05):
            own = joint[count] / joint[count].sum()
            low, high = weighted_quantile(draws.rates[place], own, [0.05, 0.95])
            assert endings.widths[count] == pytest.approx(high - low, abs=0.02)
            above = own[draws.rates[place] > threshold].sum()
            assert endings.above[count] == pytest.approx(above, abs=0.025)


@pytest.mark.parametrize("pooling", ["partial", "exnex"])
def test_the_fall_of_variance_is_that_of_integrating_again_after_every_count(pooling):
    n = 4
    known = hierarchy(EVENTS, PATIENTS, STUDIED, pooling=pooling, names=NAMES)
    before = known.posterior(priors())
    trial = FurtherTrial(further_study(before))
    now = before.rates().query("quantity == 'rate'")["sd"].to_numpy() ** 2
    np.testing.assert_allclose(trial.variances, now, atol=1e-5)
    after, evidence = np.zeros(3), []
    for count in range(n + 1):
        again = hierarchy(
            [*EVENTS, count], [*PATIENTS, n], [*STUDIED, "b"], pooling=pooling, names=NAMES
        ).posterior(priors())
        chance = np.exp(again.log_marginal_likelihood - before.log_marginal_likelihood)
        after += chance * again.rates().query("quantity == 'rate'")["sd"].to_numpy() ** 2
        evidence.append(chance)
    # Both integrals promise 1e-4 of a rate's spread.
    np.testing.assert_allclose(trial.own.told(n)[0][:, 1], evidence, atol=1e-4)
    np.testing.assert_allclose(trial.gains(n)[1], now - after, atol=3e-5)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_gain_is_nothing_without_patients_and_grows_up_to_its_limit(pooling):
    posterior = hierarchy(EVENTS, PATIENTS, STUDIED, pooling=pooling, names=NAMES).posterior(
        priors()
    )
    trial = FurtherTrial(further_study(posterior))
    assert np.all(trial.gains(0) == 0)
    last = trial.gains(0)
    for n in (1, 2, 3, 5, 8, 20, 50, 120, 400, 2000):
        gains = trial.gains(n)
        assert np.all(gains >= last - 1e-12 * trial.variances)
        last = gains
    limits = trial.limits()
    assert np.all(last <= limits + 1e-9)
    assert np.all(limits <= trial.variances + 1e-9)
    np.testing.assert_allclose(np.diag(last), np.diag(limits), rtol=0.02)


def nested(remitted=(1, 2, 4)):
    """Posteriors of an outcome and one nested in it; of disease c another outcome is known."""
    frame = pd.DataFrame(
        {
            "study": ["s1", "s2", "s3"] * 2 + ["s4"],
            "disease": [*STUDIED, *STUDIED, "c"],
            "outcome": ["improvement"] * 3 + ["remission"] * 3 + ["other"],
            "events": [*EVENTS, *remitted, 1],
            "n": [*PATIENTS, *PATIENTS, 4],
        }
    )
    return exact_outcomes(load_evidence(frame), outcomes=("improvement", "remission"))


def test_parent_and_child_are_counted_together():
    """A nested outcome, every pair of counts, against two hierarchies of weighted draws."""
    fit = nested()
    trial = further_trial(fit, "remission")
    rng = np.random.default_rng(8)
    parent, child = drawn(rng, "partial"), drawn(rng, "partial", events=(1, 2, 4), patients=EVENTS)
    weights = parent.weights * child.weights
    weights /= weights.sum()
    rates, n, threshold = parent.rates * child.rates, 6, 0.3
    pairs = [(y, z) for y in range(n + 1) for z in range(y + 1)]
    place = 1
    p, q = (special.expit(each.next_levels[place]) for each in (parent, child))
    chances = np.array([binomial(y, n, p) * binomial(z, y, q) for y, z in pairs])
    gains = gains_by(rates, weights, chances)
    assert np.all(np.abs(trial.gains(n)[place] - gains) < 0.03 * trial.variances)
    endings = trial.after(n, place, 0.9, threshold)
    joint = chances * weights
    np.testing.assert_allclose(endings.probabilities, joint.sum(axis=1), atol=0.015)
    for ending in np.flatnonzero(endings.probabilities > 0.05):
        own = joint[ending] / joint[ending].sum()
        low, high = weighted_quantile(rates[place], own, [0.05, 0.95])
        assert endings.widths[ending] == pytest.approx(high - low, abs=0.02)
        above = own[rates[place] > threshold].sum()
        assert endings.above[ending] == pytest.approx(above, abs=0.03)


def test_a_nested_gain_is_nothing_without_patients_and_grows_up_to_its_limit():
    trial = further_trial(nested(), "remission")
    assert np.all(trial.gains(0) == 0)
    gains = np.array([trial.gains(n) for n in (0, 1, 2, 4, 10, 40, 150)])
    assert np.all(np.diff(gains, axis=0) >= -1e-12)
    assert np.all(gains[-1] <= trial.limits() + 1e-9)
    assert np.all(trial.limits() <= trial.variances + 1e-9)


def test_a_nested_rate_after_no_patient_is_that_of_now():
    fit = nested()
    trial = further_trial(fit, "remission")
    for place, disease in enumerate(trial.diseases):
        now = fit.distribution("remission", "rate", disease)
        (width,), (above,) = (
            getattr(trial.after(0, place, 0.95, 0.3), name) for name in ("widths", "above")
        )
        assert width == pytest.approx(np.diff(now.quantile([0.025, 0.975]))[0], abs=5e-4)
        assert above == pytest.approx(now.above(0.3), abs=5e-4)
        assert trial.variances[place] == pytest.approx(now.sd**2, abs=1e-5)


def test_every_second_level_resolves_trials_of_five_hundred():
    posterior = hierarchy(EVENTS, PATIENTS, STUDIED, names=NAMES).posterior(priors())
    fine, coarse = (FurtherTrial(further_study(posterior, every=every)) for every in (1, 2))
    for n in (10, 500):
        np.testing.assert_allclose(coarse.gains(n), fine.gains(n), rtol=1e-5)
        one, two = (trial.after(n, 0, 0.95, 0.4) for trial in (fine, coarse))
        np.testing.assert_allclose(two.widths, one.widths, atol=2e-4)
        np.testing.assert_allclose(two.above, one.above, atol=2e-4)
