"""The model that users get is the one that the sampler takes: the same density, the same draws."""

from dataclasses import replace

import numpy as np
import pytest
from pytensor.compile.mode import Mode
from scipy import stats

from mscpool.data.evidence import load_evidence
from mscpool.data.moderators import Moderator
from mscpool.models.pooling import POOLINGS
from mscpool.models.priors.prior import Prior
from mscpool.models.priors.sets import DEFAULT, PriorSet
from mscpool.models.sampled.hierarchy import hierarchy
from mscpool.models.sampled.textbook import build_model, textbook
from mscpool.models.terms import build_terms

from ...builders import NESTED, rows_of

PLAIN = Mode(linker="py", optimizer="fast_compile")
NAMES = ("improvement", "remission", "death")
MIXED = PriorSet(
    "mixed",
    mu=Prior.make("Normal", mu=-0.3, sigma=1.2),
    tau=Prior.make("InverseGamma", alpha=3, beta=1, on="variance"),
    sigma=Prior.make("LogNormal", mu=-1, sigma=0.5),
).with_outcome("death", mu=Prior.make("StudentT", nu=4, mu=-3, sigma=1))


FLAT = Prior.make("Normal", mu=0, sigma=3)
MODERATORS = (
    Moderator("dose", {"s": 1.0, "t": 4.0, "v": 2.0}, (), None, 2.0),
    Moderator("route", {"s": "skin", "t": "vein", "v": "vein"}, ("skin", "vein"), "vein", "vein"),
)


def terms_of(moderators=()):
    return build_terms(rows_of(NESTED), NAMES, ("d", "e"), moderators)


def log_densities(pooling, priors, seed, moderators=()):
    """Give both models' log densities at one point, and the change of variables between them."""
    terms, rng = terms_of(moderators), np.random.default_rng(seed)
    engine, users = hierarchy(terms, pooling, priors), textbook(terms, pooling, priors)
    scores = {
        name: rng.normal(0, 0.8, np.shape(value)) for name, value in engine.initial_point().items()
    }
    point, change = users.initial_point(), 0.0
    by_name = {variable.name: users.rvs_to_values[variable].name for variable in users.free_RVs}

    def put(name, value):
        place = by_name[name]
        point[place] = np.log(value) if place.endswith("_log__") else value

    for name in ("mu", "tau", "sigma", "level"):
        if f"{name}_score" not in scores:
            continue
        score = scores[f"{name}_score"].reshape(len(NAMES), -1)
        each = [getattr(priors.of(outcome), "mu" if name == "level" else name) for outcome in NAMES]
        value = np.array([prior.at_normal_score(u) for prior, u in zip(each, score, strict=True)])
        change += sum(np.sum(p.logpdf(x)) for p, x in zip(each, value, strict=True))
        change -= stats.norm.logpdf(score).sum()
        shown = "theta" if name == "level" else name
        for outcome, prior, row in zip(NAMES, each, value, strict=True):
            inner = row if name == "level" else row[0]
            if f"{shown}_{outcome}" in by_name:
                put(f"{shown}_{outcome}", inner)
            elif prior.on == "variance":
                change -= np.log(2 * inner)  # the density of the square, seen from its root
        if f"{shown}_squared" in by_name:
            put(f"{shown}_squared", value[:, 0] ** 2)
        elif shown in by_name:
            put(shown, value if name == "level" else value[:, 0])
    if "disease_score" in scores:
        put("disease_effect", scores["disease_score"].reshape(len(NAMES), -1))
    put("study_effect", scores["study_score"])
    if moderators:
        sd = [dict(priors.of(outcome).moderator.parameters)["sigma"] for outcome in NAMES]
        score = scores["moderator_score"].reshape(len(NAMES), -1)
        put("beta", score[:, :3] * np.array(sd)[:, None])
        change -= 3 * np.log(sd).sum() + stats.norm.logpdf(score[:, 3:]).sum()
    users_logp = float(users.compile_logp(jacobian=False, mode=PLAIN)(point))
    return users_logp, float(engine.compile_logp(mode=PLAIN)(scores)) + change


@pytest.mark.parametrize("priors", [DEFAULT, MIXED], ids=["default", "mixed"])
@pytest.mark.parametrize("pooling", ["partial", "complete", "robust", "none"])
def test_both_forms_have_the_same_log_density(pooling, priors):
    users, engine = log_densities(pooling, priors, seed=3)
    # Tabulated quantiles are exact to about 1e-6, and counts multiply by up to 20.
    assert users == pytest.approx(engine, abs=1e-5)


def test_both_forms_say_the_same_of_moderators():
    narrow = Prior.make("Normal", mu=0, sigma=0.4)
    priors = replace(DEFAULT, moderator=narrow).with_outcome("remission", moderator=FLAT)
    users, engine = log_densities("partial", priors, 4, MODERATORS)
    assert users == pytest.approx(engine, abs=1e-5)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_what_a_user_needs_is_there_by_name(pooling):
    evidence = load_evidence()
    model = build_model(evidence, pooling)
    dims = {name: tuple(dims) for name, dims in model.named_vars_to_dims.items()}
    assert dims["theta"] == dims["rate"] == ("outcome", "disease")
    assert dims["eta"] == ("effect",)
    assert tuple(model.coords["disease"]) == evidence.diseases
    assert not {"alpha", "sample", "variable", "column"} & {*dims, *model.coords}
    observed = sum(model.rvs_to_values[v].eval().size for v in model.observed_RVs)
    assert observed == len(evidence.rows)


def test_draws_of_a_child_are_among_those_of_its_parent_and_bounds_are_no_limits():
    import pymc as pm

    with textbook(terms_of(), "partial", DEFAULT):
        drawn = pm.sample_prior_predictive(400, random_seed=1, compile_kwargs={"mode": PLAIN})[
            "prior_predictive"
        ]
    pairs = drawn["events_nested"]
    parent, child = (pairs.sel(member=member) for member in ("parent", "child"))
    assert (child <= parent).all()
    assert (child < parent).any()
    n = np.array([12, 9])
    assert ((parent >= 0) & (parent <= n)).all()
    bounded = drawn["events_bounded"]
    assert bounded.min() == 0
    assert (bounded.max(("chain", "draw")) > [3, 1]).all()


@pytest.mark.slow
@pytest.mark.mcmc
def test_one_model_serves_the_whole_of_a_pymc_workflow():
    import arviz as az
    import pymc as pm

    with textbook(terms_of(), "partial", DEFAULT):
        tree = pm.sample(
            draws=100, tune=100, chains=2, cores=1, random_seed=1,
            nuts_sampler="nutpie", progressbar=False,
        )  # fmt: skip
        pm.sample_posterior_predictive(
            tree, extend_inferencedata=True, random_seed=1, progressbar=False
        )
        pm.compute_log_likelihood(tree, progressbar=False)
        pm.stats.compute_log_prior(tree, progressbar=False)
    names = {"events", "events_bounded", "events_nested"}
    for group in ("observed_data", "posterior_predictive", "log_likelihood"):
        assert set(tree[group].data_vars) == names
    assert np.isfinite(az.summary(tree, var_names=["mu", "tau", "sigma", "rate"])["mean"]).all()
    assert set(az.psense_summary(tree, var_names=["mu"], prior_var_names=["mu", "tau", "sigma"]))


@pytest.mark.slow
@pytest.mark.mcmc
@pytest.mark.parametrize("pooling", POOLINGS)
def test_both_forms_have_the_same_posterior(pooling):
    import arviz as az
    import pymc as pm

    from mscpool import fit

    evidence = load_evidence(outcomes=("improvement", "death"))
    with build_model(evidence, pooling):
        users = pm.sample(
            draws=1000, tune=1000, chains=4, random_seed=1, nuts_sampler="nutpie",
            target_accept=0.95, progressbar=False,
        )  # fmt: skip
    engine = fit(evidence, pooling)
    means = [az.summary(t, var_names=["rate"], round_to="none") for t in (users, engine)]
    one, other = means
    error = np.hypot(one["mcse_mean"], other["mcse_mean"])
    # Twelve comparisons: beyond four errors once in a thousand runs.
    assert (np.abs(one["mean"] - other["mean"]) / error).max() < 4
