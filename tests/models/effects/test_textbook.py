"""The PyMC model of effects: its log density, written out with SciPy."""

import numpy as np
import pandas as pd
import pytest
from pytensor.compile.mode import Mode
from scipy import stats
from scipy.special import logsumexp

from mscpool.models.effects.priors import EffectPriors
from mscpool.models.effects.standardised import effect_of_means
from mscpool.models.effects.textbook import build_effects_model, effects_model
from mscpool.models.pooling import POOLINGS
from mscpool.models.priors.prior import Prior
from mscpool.models.priors.sets import Exnex, PriorSet

from .trials import arm

PLAIN = Mode(linker="py", optimizer="fast_compile")
DISEASES = ("a", "b", "c")
PRIORS = EffectPriors(
    PriorSet("test", exnex=Exnex(0.3, Prior.make("Normal", mu=1.0, sigma=0.5))),
    Prior.make("Normal", mu=-0.5, sigma=4.0),
)


def rows_of():
    """Known and bounded counts, dose arms, deaths of unequal follow-up, means, a silent study."""
    improved = [
        arm("s", "control", 2, 12, 4, disease="a"), arm("s", "msc_low", 4, 10, disease="a"),
        arm("s", "msc_high", 7, 11, disease="a"),
        arm("t", "control", 5, 15, disease="b"), arm("t", "msc", 4, 14, disease="b"),
        arm("silent", "control", 0, 9, disease="b"), arm("silent", "msc", 0, 8, disease="b"),
        arm("m", "control", 0, 25, 25, disease="b"), arm("m", "msc", 0, 30, 30, disease="b"),
    ]  # fmt: skip
    died = [arm("s", "control", 1, 12, None, 6, "a"), arm("s", "msc", 3, 21, None, 24, "a")]
    rows = pd.concat(
        [
            pd.DataFrame(improved).assign(outcome="improvement"),
            pd.DataFrame(died).assign(outcome="death"),
        ],
        ignore_index=True,
    )
    means = rows["study"] == "m"
    rows.loc[means, "improvement"] = [3.0, 6.0]
    rows.loc[means, ["sd_least", "sd_most"]] = 7.0
    return rows


def drawn(pooling, rng):
    """Values of the model's variables, and what the priors say of them."""
    values = {
        "mu": rng.normal(size=2), "tau": rng.uniform(0.2, 1, 2), "sigma": rng.uniform(0.2, 1, 2),
        "disease_effect": rng.normal(size=(2, 3)), "theta": rng.normal(size=(2, 3)),
        "study_effect": rng.normal(size=4), "baseline": rng.normal(size=3),
    }  # fmt: skip
    total = stats.norm.logpdf(values["study_effect"]).sum()
    total += stats.norm.logpdf(values["baseline"], -0.5, 4).sum()
    total += stats.halfnorm.logpdf(values["sigma"], scale=0.5).sum()
    mu, tau, z = values["mu"][:, None], values["tau"][:, None], values["disease_effect"]
    if pooling != "none":
        total += stats.norm.logpdf(mu, 0, 2).sum()
    if pooling in ("partial", "robust", "exnex"):
        total += stats.halfnorm.logpdf(tau, scale=0.5).sum()
    if pooling == "none":
        return values, values["theta"], total + stats.norm.logpdf(values["theta"], 0, 2).sum()
    if pooling == "complete":
        return values, np.repeat(mu, 3, axis=1), total
    if pooling == "exnex":
        theta = values["theta"]
        near = np.log(0.3) + stats.norm.logpdf(theta, mu, tau)
        own = np.log(0.7) + stats.norm.logpdf(theta, 1.0, 0.5)
        return values, theta, total + np.logaddexp(near, own).sum()
    score = stats.t(4) if pooling == "robust" else stats.norm()
    return values, mu + tau * z, total + score.logpdf(z).sum()


def log_counts(theta, values):
    """Log probability of every count, and density of the log odds ratio from means."""
    improved, died = theta
    sigma, effect, baseline = (values[n] for n in ("sigma", "study_effect", "baseline"))
    s, t, m = improved[[0, 1, 1]] + sigma[0] * effect[:3]
    late = died[0] + sigma[1] * effect[3]

    def p(level):
        return 1 / (1 + np.exp(-level))

    total = logsumexp(stats.binom.logpmf([2, 3, 4], 12, p(baseline[0] - s / 2)))
    total += stats.binom.logpmf([4, 7], [10, 11], p(baseline[0] + s / 2)).sum()
    total += stats.binom.logpmf(5, 15, p(baseline[1] - t / 2))
    total += stats.binom.logpmf(4, 14, p(baseline[1] + t / 2))
    total += stats.norm.logpdf(*MEANS[:1], m, MEANS[1])
    for count, n, half, years in ((1, 12, -0.5, 0.5), (3, 21, 0.5, 2.0)):
        risk = -np.expm1(-np.exp(baseline[2] + half * late) * years)
        total += stats.binom.logpmf(count, n, risk)
    return total


MEANS = effect_of_means(rows_of().query("study == 'm'"))


@pytest.mark.parametrize("pooling", POOLINGS)
def test_log_density_is_the_one_written_out(pooling):
    model = effects_model(rows_of(), DISEASES, pooling, PRIORS)
    density = model.compile_logp(jacobian=False, mode=PLAIN)
    rng = np.random.default_rng(3)
    for _ in range(3):
        values, theta, before = drawn(pooling, rng)
        if pooling == "exnex":
            values |= dict(zip(("theta_improvement", "theta_death"), theta, strict=True))
        point = {}
        for variable in model.free_RVs:
            place, value = model.rvs_to_values[variable].name, values[variable.name]
            point[place] = np.log(value) if place.endswith("_log__") else value
        assert float(density(point)) == pytest.approx(before + log_counts(theta, values))


def test_users_find_the_contrasts_by_name():
    import mscpool as mp

    model = build_effects_model(mp.load_evidence(means=True, outcomes=("improvement", "death")))
    assert tuple(model.coords["contrast"]) == (
        "improvement/deng2017", "improvement/khanna2022", "improvement/daumas2022",
        "death/deng2017",
    )  # fmt: skip
    assert tuple(model.coords["modelled"]) == (
        "improvement/khanna2022", "improvement/daumas2022",
    )  # fmt: skip
    observed = {variable.name for variable in model.observed_RVs}
    assert observed == {"events", "log_odds_ratio"}


def test_nothing_to_sample_is_said_in_a_line():
    silent = pd.DataFrame([arm("s", "control", 0, 9), arm("s", "msc", 0, 8)])
    with pytest.raises(ValueError, match="no study says anything of an effect"):
        effects_model(silent.assign(outcome="improvement"), ("all",), "partial", PRIORS)
