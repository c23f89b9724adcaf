"""Posteriors that others published or that are known in closed form, sampled by this model."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats
from scipy.special import expit

from mscpool.analysis.fitting import predict
from mscpool.analysis.fitting.sampler import sample
from mscpool.analysis.fitting.summary import summarise
from mscpool.models.priors.prior import Prior
from mscpool.models.priors.sets import PriorSet

from ... import builders

pytestmark = pytest.mark.mcmc

REFERENCE = Path(__file__).parents[2] / "reference"
STUDIES = 12
OUTCOME = "response"


def terms_of(events, n):
    """Studies of one disease, filled up with studies of nobody so that one compilation serves."""
    events, n = (list(x) + [0] * (STUDIES - len(x)) for x in (events, n))
    rows = [
        (f"s{i:02}", "d", "msc", OUTCOME, y, y, size, np.nan)
        for i, (y, size) in enumerate(zip(events, n, strict=True))
    ]
    return builders.terms_of(rows, ("d",))


def posterior_of(events, n, mu, sigma):
    """Table of statistics by quantity, and the draws of the study levels."""
    terms = terms_of(events, n)
    priors = PriorSet("reference", mu=mu, sigma=sigma)
    draws, stats_ = sample(terms, "none", priors, draws=1500, tune=1000, seed=11)
    assert int(stats_["diverging"].sum()) <= 6
    flat = {k: v.reshape(-1, *v.shape[2:]) for k, v in draws.items()}
    levels = predict.levels_of(flat, terms, np.random.default_rng(1))
    new_study = predict.new_study_rates(levels, terms, np.random.default_rng(2))
    shape = draws["sigma"].shape[:2]
    posterior = xr.Dataset(
        {
            "mu": (("chain", "draw", "outcome"), draws["mu"]),
            "sigma": (("chain", "draw", "outcome"), draws["sigma"]),
            "rate": (("chain", "draw", "outcome", "disease"), expit(draws["theta"])),
            "new_study": (
                ("chain", "draw", "outcome", "disease"),
                new_study.reshape(*shape, 1, 1),
            ),
        },
        {"outcome": [OUTCOME], "disease": ["d"]},
    )
    rate, hyper, _ = summarise(posterior, terms, (OUTCOME,))
    table = pd.concat(
        [
            rate.set_index(rate["quantity"].astype(str)),
            hyper.set_index(hyper["parameter"].astype(str)),
        ]
    )
    return table, flat


def agree(found, mean, sd):
    """Within four Monte-Carlo standard errors; published values are rounded to four decimals."""
    assert found["mean"] == pytest.approx(mean, abs=4 * found["mcse_mean"] + 3e-4)
    assert found["sd"] == pytest.approx(sd, abs=4 * found["mcse_sd"] + 3e-4)


SINGLE_ARM = json.loads((REFERENCE / "single_arm_binomial.json").read_text())


@pytest.mark.parametrize(
    ("data", "prior", "scale"),
    [
        ("colitis", "HN(1)", 1),
        ("transplant", "HN(1)", 1),
        ("transplant", "HN(0.5)", 0.5),
        ("all_zero", "HN(2)", 2),
    ],
)
def test_single_arm_studies_agree_with_published_quadrature(data, prior, scale):
    given = SINGLE_ARM[data]
    published = given[prior]
    table, _ = posterior_of(
        given["r"],
        given["n"],
        Prior.make("Normal", mu=0, sigma=2),
        Prior.make("HalfNormal", sigma=scale),
    )
    # Their tau, between studies, is our sigma.
    agree(table.loc["sigma"], *published["tau"])
    agree(table.loc["new_study"], *published["pred"])
    if "mu" in published:
        agree(table.loc["mu"], *published["mu"])
    assert (table["r_hat"] < 1.01).all()
    assert (table["ess_bulk"] > 400).all()


def test_surgical_units_agree_with_published_quadrature():
    given = json.loads((REFERENCE / "surgical_units.json").read_text())
    table, _ = posterior_of(
        given["r"],
        given["n"],
        Prior.make("Normal", mu=0, sigma=100),
        Prior.make("InverseGamma", on="variance", alpha=0.001, beta=0.001),
    )
    agree(table.loc["mu"], *given["exact"]["mu"])
    agree(table.loc["sigma"], *given["exact"]["sigma"])
    agree(table.loc["rate"], *given["exact"]["pop_mean_rate"])


def test_one_study_without_spread_is_a_beta_posterior():
    # A standard logistic level is a uniform rate.
    table, flat = posterior_of([7], [20], Prior.make("Logistic"), Prior.make("DiracDelta", c=0))
    beta = stats.beta(8, 14)
    agree(table.loc["rate"], beta.mean(), beta.std())
    agree(table.loc["new_study"], beta.mean(), beta.std())
    thinned = expit(flat["theta"])[::10, 0, 0]
    assert stats.kstest(thinned, beta.cdf).pvalue > 1e-3
