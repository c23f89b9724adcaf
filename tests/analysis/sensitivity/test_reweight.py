"""Draws of one prior set re-weighted to another agree with the exact engine under that other."""

from dataclasses import replace

import numpy as np
import pytest

from mscpool.analysis.fitting.fit import terms_of
from mscpool.analysis.fitting.predict import Levels, new_disease_rates, new_study_rates, rates
from mscpool.analysis.fitting.sampling import Sampling
from mscpool.analysis.sensitivity.reweight import Source, blocks_of, smooth, weights
from mscpool.analysis.sensitivity.sets import compare_sets, quantities_table
from mscpool.analysis.sensitivity.weighted_statistics import summarise
from mscpool.data.evidence import load_evidence
from mscpool.models.exact.draws import draw
from mscpool.models.exact.outcomes import exact_model
from mscpool.models.pooling import Pooling
from mscpool.models.priors.catalogue import CATALOGUE
from mscpool.models.priors.prior import Prior
from mscpool.models.priors.sets import DEFAULT, Exnex, PriorSet

BLOCK = ("serious_ae",)
REWEIGHTED = ("tau_half_normal_0.5", "turner_marginal", "mu_uniform_rate", "sceptical")
SHIFTED = PriorSet(
    "shifted",
    mu=Prior.make("Normal", mu=-1.8, sigma=1.4),
    sigma=Prior.make("HalfNormal", sigma=0.4),
)


@pytest.fixture(scope="module")
def evidence():
    return load_evidence(outcomes=BLOCK)


def exact_source(evidence, pooling: Pooling, size=4000) -> Source:
    """Independent draws from the exact posterior under the default set, as a source.

    They are drawn among the nodes of a fine grid and spread evenly within its cells, which moves
    means by far less than their Monte-Carlo error: ties would leave no tail to fit.
    """
    rng = np.random.default_rng(3)
    terms = terms_of(evidence)
    posterior = exact_model(evidence, pooling).fit(DEFAULT).posteriors["serious_ae"]
    found, main = draw(posterior, size, rng), posterior.main
    grid = main.source.table.grid.nodes

    def spread(values, nodes):
        width = np.gradient(nodes)[np.searchsorted(nodes, values)]
        return values + width * rng.uniform(-0.5, 0.5, values.shape)

    levels = Levels(
        None if found.mu is None else spread(found.mu, grid)[:, None],
        None if found.tau is None else np.abs(spread(found.tau, main.source.tau.nodes))[:, None],
        np.abs(spread(found.sigma, main.source.table.sigma.nodes))[:, None],
        spread(found.theta, grid)[:, None, :],
        np.empty((size, 0)),
    )
    draws = {
        "mu": levels.mu,
        "tau": levels.tau,
        "sigma": levels.sigma,
        "theta": levels.theta,
        "rate": rates(levels.theta, terms),
        "new_study": new_study_rates(levels, terms, rng),
        "new_disease": new_disease_rates(levels, terms, pooling, DEFAULT, rng),
    }
    kept = {name: values for name, values in draws.items() if values is not None}
    nothing = np.zeros((size, len(terms.units)))
    diagnostics = {"divergences": 0.0, "max_r_hat": 1.0}
    return Source(DEFAULT, terms, pooling, kept, nothing, np.arange(size), 4, diagnostics)


@pytest.mark.parametrize("pooling", ["partial", "robust", "complete", "none"])
def test_reweighted_results_are_those_of_the_exact_engine_within_their_error(evidence, pooling):
    """Next studies and new diseases included: their draws stay valid under the weights."""
    source = exact_source(evidence, pooling)
    # Without pooling the ratio is a product over six diseases, which only a near set survives.
    others = [SHIFTED] if pooling == "none" else [*(CATALOGUE[n] for n in REWEIGHTED), SHIFTED]
    results = compare_sets([source], [DEFAULT, *others], Sampling(seed=1))
    assert {each.method for each in results[1:]} == {"reweighted"}
    table = quantities_table(results)
    model, scores = exact_model(evidence, pooling), []
    for priors in others:
        name = priors.name
        exact = model.fit(priors).rates().set_index(["disease", "quantity"])
        mine = table[(table["set"] == name) & table["quantity"].isin(["rate", "new_study"])]
        for row in mine.to_dict("records"):
            wanted = exact.loc[(row["disease"], row["quantity"])]
            scores.append((row["mean"] - wanted["mean"]) / row["mcse_mean"])
        if "tau" in source.draws:
            row = table[(table["set"] == name) & (table["quantity"] == "new_disease")].iloc[0]
            wanted = exact[exact.index.get_level_values("quantity") == "new_disease"].iloc[0]
            scores.append((row["mean"] - wanted["mean"]) / row["mcse_mean"])
    # About fifty dependent standard scores: none beyond four and a half.
    assert np.abs(scores).max() < 4.5


def test_weights_upside_down_would_be_noticed(evidence):
    """The inverse ratio misses the exact engine by many errors: the test above can fail."""
    source = exact_source(evidence, "partial")
    right = weights(source, CATALOGUE["sceptical"], BLOCK)
    wrong, _ = smooth(-right.log_ratio)
    exact = exact_model(evidence, "partial").fit(CATALOGUE["sceptical"]).rates()
    wanted = exact[exact["quantity"] == "rate"]["mean"].to_numpy()
    labels, sample = source.sample(BLOCK)
    assert [label[2] for label in labels[: len(wanted)]] == ["rate"] * len(wanted)
    found = summarise(sample, wrong)
    score = (found.values[: len(wanted), 0] - wanted) / found.errors[: len(wanted), 0]
    assert np.abs(score).max() > 10


def test_the_same_priors_under_another_name_leave_every_draw_its_weight(evidence):
    source = exact_source(evidence, "partial", 400)
    found = weights(source, CATALOGUE["tau_half_normal_1"], BLOCK)
    assert np.isnan(found.pareto_k)
    assert found.usable
    assert np.ptp(found.values) == 0


def _only(**priors):
    return PriorSet("other", **priors)


@pytest.mark.parametrize(
    "other",
    [
        _only(tau=Prior.make("DiracDelta", c=0.3)),
        _only(tau=Prior.make("LogNormal", mu=5, sigma=0.1)),
        _only(mu=Prior.make("Normal", mu=40, sigma=0.1)),
    ],
    ids=["fixed", "far tau", "far mu"],
)
def test_what_draws_cannot_say_is_not_believed(evidence, other):
    assert not weights(exact_source(evidence, "partial", 1000), other, BLOCK).usable


def test_draws_of_a_bounded_prior_do_not_stand_for_a_wider_one(evidence):
    """No Pareto k could notice mass where there are no draws at all."""
    bounded = _only(tau=Prior.make("Uniform", lower=0, upper=4))
    source = replace(exact_source(evidence, "partial", 1000), priors=bounded)
    assert weights(source, CATALOGUE["tau_half_cauchy_0.5"], BLOCK).pareto_k == np.inf
    assert weights(source, CATALOGUE["tau_half_normal_0.5"], BLOCK).usable


def test_exnex_draws_are_refitted_where_the_disease_levels_own_prior_changes(evidence):
    source = replace(exact_source(evidence, "partial", 1000), pooling="exnex")
    assert weights(source, _only(exnex=Exnex(0.9)), BLOCK).pareto_k == np.inf
    assert weights(source, CATALOGUE["mu_vague"], BLOCK).pareto_k == np.inf
    assert weights(source, CATALOGUE["tau_half_normal_0.5"], BLOCK).usable


def test_a_block_is_an_outcome_with_its_child():
    terms = terms_of(load_evidence())
    assert blocks_of(terms) == (
        ("improvement", "remission"),
        ("any_ae", "moderate_severe_ae"),
        ("serious_ae",),
        ("death",),
    )
