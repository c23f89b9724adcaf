"""The PyMC model at fixed points, against SciPy and enumeration; its dims and its errors."""

from itertools import product

import numpy as np
import pytest
from pytensor.compile.mode import Mode
from scipy import stats
from scipy.special import expit, logsumexp

from mscpool.data.evidence import load_evidence
from mscpool.models.pooling import POOLINGS, has_tau, structure
from mscpool.models.priors.prior import Prior
from mscpool.models.priors.sets import DEFAULT, PriorSet
from mscpool.models.sampled.hierarchy import hierarchy, model_data
from mscpool.models.terms import build_terms

from ...builders import NESTED, ROUNDING, terms_of

PLAIN = Mode(linker="py", optimizer="fast_compile")
NAMES = ("improvement", "remission", "death")
PRIORS = PriorSet(
    "test",
    mu=Prior.make("Normal", mu=-0.3, sigma=1.2),
    tau=Prior.make("Uniform", lower=0.1, upper=2),
    sigma=Prior.make("LogNormal", mu=-1, sigma=0.5),
)


def log_probability_of_rows(eta):
    """Sum over the arms, written out by hand; eta by (outcome, study)."""

    def parent_and_child(p, q, n, parent, child):
        return np.log(
            sum(
                stats.binom.pmf(y, n, p) * stats.binom.pmf(z, y, q)
                for y in range(parent[0], parent[1] + 1)
                for z in range(child[0], child[1] + 1)
            )
        )

    p = {s: expit(eta["improvement", s]) for s in "stv"}
    q = {s: expit(eta["remission", s]) for s in "stv"}
    risk = {s: 1 - np.exp(-np.exp(eta["death", s]) * m / 12) for s, m in (("s", 60.0), ("t", 3.0))}
    return (
        parent_and_child(p["s"], q["s"], 12, (8, 8), (3, 3))
        + parent_and_child(p["s"], q["s"], 9, (5, 7), (0, 4))
        + np.log(stats.binom.pmf([2, 3], 11, p["t"] * q["t"]).sum())
        + stats.binom.logpmf(6, 20, p["v"])
        + stats.binom.logpmf(4, 19, p["v"] * q["v"])
        + stats.binom.logpmf(1, 21, risk["s"])
        + stats.binom.logcdf(1, 11, risk["t"])
    )


def drawn_point(model, seed):
    rng = np.random.default_rng(seed)
    point = model.initial_point()
    return {name: rng.normal(0, 0.8, np.shape(value)) for name, value in point.items()}


def expected(point, terms, pooling, own=None):
    """Log probability of scores and rows, with every parameter found through SciPy."""
    mu = stats.norm(-0.3, 1.2).ppf(stats.norm.cdf(point["mu_score"]))
    sigma = stats.lognorm(0.5, 0, np.exp(-1)).ppf(stats.norm.cdf(point["sigma_score"]))
    theta = np.repeat(mu[:, None], 2, axis=1)
    if "tau_score" in point:
        tau = stats.uniform(0.1, 1.9).ppf(stats.norm.cdf(point["tau_score"]))
        theta = theta + tau[:, None] * point["disease_score"].reshape(3, 2)
    if own is not None:
        level = stats.norm(-0.3, 1.2).ppf(stats.norm.cdf(point["own_score"]))
        theta = np.where(own, level.reshape(3, 2), theta)
    eta = {}
    for i, row in enumerate(terms.effects.itertuples(index=False)):
        deviation = sigma[row.outcome] * point["study_score"][i]
        eta[NAMES[row.outcome], row.study] = theta[row.outcome, row.disease] + deviation
    return log_probability_of_rows(eta)


def log_density_of_scores(point, pooling):
    total = 0.0
    for name, value in point.items():
        student = pooling == "robust" and name == "disease_score"
        total += (stats.t(4) if student else stats.norm()).logpdf(value).sum()
    return total


@pytest.mark.parametrize("pooling", ["partial", "complete", "robust"])
def test_log_probability_is_that_of_the_rows_and_the_scores(pooling):
    terms = terms_of()
    model = hierarchy(terms, pooling, PRIORS)
    function = model.compile_logp(mode=PLAIN)
    for seed in (1, 2):
        point = drawn_point(model, seed)
        wanted = log_density_of_scores(point, pooling) + expected(point, terms, pooling)
        # Tabulated quantiles are exact to about 1e-6, and counts multiply by up to 20.
        assert float(function(point)) == pytest.approx(wanted, abs=1e-5)


def many_studies(events=(3, 8), studies=60):
    """Two diseases whose levels are known from many studies, and a death."""
    rows = [
        (f"{disease}{i}", disease, "msc", "improvement", *[y + i % 2] * 2, 12, 6)
        for disease, y in zip("de", events, strict=True)
        for i in range(studies)
    ]
    return terms_of([*rows, NESTED[-1]])


@pytest.mark.parametrize(
    ("terms", "wanted"),
    [
        (many_studies(), [1, 1, 0, 0]),
        (many_studies(events=(5, 5)), [0, 0, 0, 0]),
        (many_studies(studies=20), None),
        (terms_of(), None),
    ],
    ids=["levels apart", "levels alike", "few studies", "a handful"],
)
def test_levels_are_coordinates_where_many_studies_tell_them_apart(terms, wanted):
    centred = model_data(terms, "partial", PRIORS).get("centred")
    assert (None if centred is None else centred.tolist()) == wanted
    assert "centred" not in model_data(terms, "exnex", PRIORS)


@pytest.mark.parametrize(("pooling", "score"), [("partial", stats.norm()), ("robust", stats.t(4))])
def test_levels_as_coordinates_have_the_density_of_their_scores(pooling, score):
    terms = many_studies()
    model = hierarchy(terms, pooling, PRIORS)
    point = drawn_point(model, 4)
    mu = stats.norm(-0.3, 1.2).ppf(stats.norm.cdf(point["mu_score"]))
    tau = stats.uniform(0.1, 1.9).ppf(stats.norm.cdf(point["tau_score"]))
    sigma = stats.lognorm(0.5, 0, np.exp(-1)).ppf(stats.norm.cdf(point["sigma_score"]))
    level = point["disease_score"][:2]
    wanted = score.logpdf((level - mu[0]) / tau[0]).sum() - 2 * np.log(tau[0])
    wanted += score.logpdf(point["disease_score"][2:]).sum()
    wanted += sum(
        stats.norm.logpdf(point[f"{name}_score"]).sum() for name in ("mu", "tau", "sigma", "study")
    )
    rows = terms.rows[terms.rows["outcome"] == "improvement"]
    eta = np.repeat(level, 60) + sigma[0] * point["study_score"][:120]
    wanted += stats.binom.logpmf(rows["events_min"], 12, expit(eta)).sum()
    death = mu[1] + tau[1] * point["disease_score"][3] + sigma[1] * point["study_score"][120]
    wanted += stats.binom.logcdf(1, 11, 1 - np.exp(-np.exp(death) * 3 / 12))
    # Tabulated quantiles are exact to about 1e-6, and 1,440 patients are counted.
    assert float(model.compile_logp(mode=PLAIN)(point)) == pytest.approx(wanted, abs=1e-3)


def test_separate_levels_have_the_prior_of_mu_one_by_one():
    terms = terms_of()
    model = hierarchy(terms, "none", PRIORS)
    point = drawn_point(model, 3)
    level = stats.norm(-0.3, 1.2).ppf(stats.norm.cdf(point["level_score"])).reshape(3, 2)
    sigma = stats.lognorm(0.5, 0, np.exp(-1)).ppf(stats.norm.cdf(point["sigma_score"]))
    eta = {
        (NAMES[r.outcome], r.study): level[r.outcome, r.disease]
        + sigma[r.outcome] * point["study_score"][i]
        for i, r in enumerate(terms.effects.itertuples(index=False))
    }
    wanted = log_density_of_scores(point, "none") + log_probability_of_rows(eta)
    assert float(model.compile_logp(mode=PLAIN)(point)) == pytest.approx(wanted, abs=1e-5)


def test_exnex_sums_over_every_membership():
    terms = terms_of()
    model = hierarchy(terms, "exnex", PRIORS)
    point = drawn_point(model, 4)
    logs = [
        6 * np.log(0.5) + expected(point, terms, "exnex", own=np.array(kinds, bool).reshape(3, 2))
        for kinds in product((False, True), repeat=6)
    ]
    wanted = log_density_of_scores(point, "exnex") + logsumexp(logs)
    assert float(model.compile_logp(mode=PLAIN)(point)) == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("pooling", ["partial", "exnex"])
def test_gradient_is_that_of_the_log_probability(pooling):
    model = hierarchy(terms_of(), pooling, PRIORS)
    value, slope = model.compile_logp(mode=PLAIN), model.compile_dlogp(mode=PLAIN)
    point = drawn_point(model, 5)
    order = [variable.name for variable in model.value_vars]
    numeric = []
    for name in order:
        for place in np.ndindex(point[name].shape):
            sides = []
            for step in (1e-5, -1e-5):
                moved = {k: v.copy() for k, v in point.items()}
                moved[name][place] += step
                sides.append(float(value(moved)))
            numeric.append((sides[0] - sides[1]) / 2e-5)
    np.testing.assert_allclose(slope(point), numeric, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_every_quantity_has_named_dims(pooling):
    evidence = load_evidence()
    terms = build_terms(evidence.rows, evidence.outcome_names, evidence.diseases)
    model = hierarchy(terms, pooling, DEFAULT)
    dims = {name: tuple(dims) for name, dims in model.named_vars_to_dims.items()}
    assert dims["sigma"] == ("outcome",)
    if pooling == "exnex":
        assert dims["theta_own"] == dims["theta_exchangeable"] == ("outcome", "disease")
        assert dims["membership"] == ("combination", "outcome", "disease")
    else:
        assert dims["theta"] == dims["rate"] == ("outcome", "disease")
        assert dims["eta"] == ("effect",)
    assert ("tau" in dims) == has_tau(pooling, evidence.diseases)
    assert ("mu" in dims) == (pooling != "none")
    assert tuple(model.coords["disease"]) == evidence.diseases
    assert tuple(model.coords["outcome"]) == evidence.outcome_names
    assert not {"alpha", "sample", "variable", "column"} & {*dims, *model.coords}


def test_single_disease_has_mu_and_no_tau_under_any_pooling():
    terms = terms_of([row for row in NESTED if row[1] == "d"], ("d",))
    for pooling in POOLINGS:
        names = set(hierarchy(terms, pooling, DEFAULT).named_vars)
        assert {"mu", "sigma", "theta"} <= names
        assert "tau" not in names


def test_unknown_pooling_is_answered_with_the_valid_ones():
    with pytest.raises(ValueError, match="unknown pooling 'partail'; did you mean partial"):
        structure("partail", ("d", "e"))


def test_data_of_a_model_do_not_depend_on_its_counts():
    terms, other = terms_of(), terms_of([*NESTED[:5], ("v", "e", "msc", "improvement", 9, 9, 20, 6),
                                         *NESTED[6:]])  # fmt: skip
    one, two = model_data(terms, "exnex", DEFAULT), model_data(other, "exnex", PRIORS)
    assert {k: v.shape for k, v in one.items()} == {k: v.shape for k, v in two.items()}
    np.testing.assert_allclose(np.exp(one["log_membership"]).sum(axis=0), 1, rtol=ROUNDING)
