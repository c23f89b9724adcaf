"""Studies left out of effects with a moderator: draws against a quadrature written here."""

import numpy as np
import pytest
from scipy.special import expit, logsumexp
from scipy.stats import binom, halfnorm, nchypergeom_fisher, norm

from mscpool.analysis.effects import left_out
from mscpool.analysis.effects.guard import SPREAD, check_effects
from mscpool.analysis.effects.model import fit_effects
from mscpool.analysis.effects.sampled import SampledEffects, SampledPosterior
from mscpool.models.effects.priors import DEFAULT_EFFECTS

from .test_guard import LEFT_OUT, arms

COUNTS = [(20, 18), (24, 16), (26, 14), (29, 12), (33, 10), (30, 3)]
N = 40
X = np.array([-1.2, -0.8, -0.3, 0.2, 0.8, 1.3])
NAMES = tuple(f"s{i}" for i in range(len(X)))
GOOD = {
    "max_r_hat": 1.0, "min_ess_bulk": 9000.0, "min_ess_tail": 9000.0, "divergences": 0,
    "e_bfmi": 1.0, "draws": 16_000,
}  # fmt: skip

MU, SIGMA, BETA = np.linspace(-1, 4, 61), np.linspace(0.01, 2.2, 34), np.linspace(-1.5, 3, 55)
EFFECT = np.linspace(-9, 9, 541)
MEAN = np.linspace(-4, 7, 331)


@pytest.fixture(scope="module")
def likelihoods():
    """Log likelihood of each study by sigma and expected effect, and its kernel to effects."""
    b = np.linspace(-12, 12, 961)[:, None]
    weight = norm.pdf(b, 0, 10)
    each = []
    for treated, control in COUNTS:
        there = binom.pmf(treated, N, expit(b + EFFECT / 2))
        here = binom.pmf(control, N, expit(b - EFFECT / 2))
        each.append((there * here * weight).sum(axis=0) * (b[1, 0] - b[0, 0]))
    kernel = norm.pdf(EFFECT[None, None], MEAN[None, :, None], SIGMA[:, None, None])
    kernel = kernel / kernel.sum(axis=2, keepdims=True)
    return np.log(np.stack([kernel @ one for one in each], axis=-1)), kernel


def log_posterior(likelihoods, without=()):
    """Log mass of (mu, sigma, beta) given the studies but some."""
    mu, sigma, beta = np.meshgrid(MU, SIGMA, BETA, indexing="ij")
    total = norm.logpdf(mu, 0, 2) + halfnorm.logpdf(sigma, scale=0.5) + norm.logpdf(beta)
    for i, x in enumerate(X):
        if NAMES[i] in without:
            continue
        mean = np.clip(MU[:, None] + x * BETA, MEAN[0], MEAN[-1])
        by_sigma = [np.interp(mean, MEAN, likelihoods[0][s, :, i]) for s in range(len(SIGMA))]
        total = total + np.stack(by_sigma, axis=1)
    return total - logsumexp(total)


def drawn(likelihoods, without=(), size=16_000):
    """Draws of the posterior, as a sampler would hand them over."""
    rng = np.random.default_rng(3)
    masses = np.exp(log_posterior(likelihoods, without)).ravel()
    place = np.unravel_index(rng.choice(len(masses), size, p=masses), (61, 34, 55))
    mu, sigma, beta = (
        axis[at] + (rng.random(size) - 0.5) * (axis[1] - axis[0])
        for axis, at in zip((MU, SIGMA, BETA), place, strict=True)
    )
    # A cell of the lowest sigma reaches below 0.
    parameters = {"mu": mu.reshape(4, -1), "sigma": np.abs(sigma).reshape(4, -1)}
    expected = {name: (mu + x * beta).reshape(4, -1) for name, x in zip(NAMES, X, strict=True)}
    empty = np.empty((4, size // 4, 0))
    return SampledPosterior(None, parameters, empty, empty, {}, expected)


def by_quadrature(likelihoods, study):
    """Mid-p value of a study's treated count given its total, by a fit without it."""
    i = NAMES.index(study)
    masses = np.exp(log_posterior(likelihoods, (study,)))
    mean = MU[:, None] + X[i] * BETA
    cells = np.zeros((len(SIGMA), len(MEAN)))
    at = np.abs(mean[..., None] - MEAN).argmin(axis=-1)
    for s in range(len(SIGMA)):
        np.add.at(cells[s], at.ravel(), masses[:, s].ravel())
    effect = np.einsum("sm,sme->e", cells, likelihoods[1])
    treated, control = COUNTS[i]
    counts = nchypergeom_fisher(2 * N, N, treated + control, np.exp(EFFECT))
    middle = effect @ (counts.cdf(treated - 1) + counts.pmf(treated) / 2)
    return 2 * min(middle, 1 - middle)


def judged(likelihoods, refit):
    fit = fit_effects(arms(COUNTS, N), ("first",), "partial", DEFAULT_EFFECTS)
    sampled = SampledEffects({"improvement": drawn(likelihoods)}, GOOD)
    return check_effects(fit, {"seed": 1}, 5, sampled, refit)


@pytest.fixture(scope="module")
def wanted(likelihoods):
    return [by_quadrature(likelihoods, study) for study in NAMES]


def test_draws_leave_studies_out_as_a_fit_without_them_would(likelihoods, wanted):
    asked = []
    result = judged(likelihoods, lambda *about: asked.append(about))
    assert [one["study"] for one in result.loo] == list(NAMES)
    for one, p in zip(result.loo, wanted, strict=True):
        # 16,000 independent draws, some of large weight; the quadrature's steps are below 0.004.
        assert one["mid_p"] == pytest.approx(p, abs=4 * one["mid_p_mcse"] + 0.004)
        assert 0 < one["mid_p_mcse"] < 0.03
    assert result.verdict == "pass"
    checks = {one.check: one for one in result.outcomes[0].checks}
    assert checks[LEFT_OUT].mid_p == pytest.approx(1 - (1 - min(wanted)) ** 6, abs=0.03)
    assert checks[SPREAD].verdict == "pass"


def cochran(treated, control):
    events, others = np.stack([treated, control]) + 0.5, N + 0.5 - np.stack([treated, control])
    effect = np.log(events[0] / others[0]) - np.log(events[1] / others[1])
    weight = 1 / (1 / events + 1 / others).sum(axis=0)
    mean = (weight * effect).sum(axis=-1, keepdims=True) / weight.sum(axis=-1, keepdims=True)
    return (weight * (effect - mean) ** 2).sum(axis=-1)


def test_the_spread_is_predicted_with_the_moderator_in(likelihoods):
    result = judged(likelihoods, lambda *about: None)
    check = next(one for one in result.outcomes[0].checks if one.check == SPREAD)
    rng, draws = np.random.default_rng(8), drawn(likelihoods, size=2000)
    expected = np.stack([draws.expected[name].ravel() for name in NAMES], axis=1)
    sigma = draws.parameters["sigma"].reshape(-1, 1)
    effect = expected + sigma * rng.standard_normal(expected.shape)
    treated, control = np.array(COUNTS).T
    again = nchypergeom_fisher.rvs(2 * N, N, treated + control, np.exp(effect), random_state=rng)
    observed, replicated = cochran(treated, control), cochran(again, treated + control - again)
    assert check.observed == pytest.approx(observed)
    p = (replicated > observed).mean()
    assert check.mid_p == pytest.approx(p, abs=4 * np.hypot(check.mid_p_mcse, 0.011))


def test_a_study_that_weights_cannot_leave_out_is_predicted_by_a_fit_without_it(
    likelihoods, wanted, monkeypatch
):
    monkeypatch.setattr(left_out, "LARGEST_PARETO_K", -1.0)
    lengths = []

    def refit(name, study, length):
        lengths.append((name, study, length))
        return drawn(likelihoods, (study,))

    result = judged(likelihoods, refit)
    assert [one for one in lengths if one[2] == 1] == [("improvement", s, 1) for s in NAMES]
    for one, p in zip(result.loo, wanted, strict=True):
        assert one["pareto_k"] is None
        assert one["mid_p"] == pytest.approx(p, abs=4 * one["mid_p_mcse"] + 0.004)


def test_scores_are_those_of_the_quadrature(likelihoods):
    result = judged(likelihoods, lambda *about: None)
    for i, one in enumerate(result.loo):
        rest = np.exp(log_posterior(likelihoods, (NAMES[i],)))
        mean = MU[:, None] + X[i] * BETA
        each = [np.interp(mean, MEAN, likelihoods[0][s, :, i]) for s in range(len(SIGMA))]
        elpd = np.log((rest * np.exp(np.stack(each, axis=1))).sum())
        assert one["elpd"] == pytest.approx(elpd, abs=0.05)
