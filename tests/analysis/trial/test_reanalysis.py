import json
import time

import numpy as np
import pandas as pd
import pytest

from mscpool.analysis.fitting.exact_fit import NotIntegrated
from mscpool.analysis.fitting.fit import fit
from mscpool.analysis.trial.design import precision, single_arm, two_arm
from mscpool.analysis.trial.fit_priors import FROM_FIT, FitPriors
from mscpool.analysis.trial.monitoring import monitor, safety
from mscpool.analysis.trial.reanalysis import FullReanalysis, full_reanalysis
from mscpool.models.exact.hierarchy import ExactHierarchy
from mscpool.models.exact.likelihood_table import count_likelihoods
from mscpool.models.exact.predictions import study_rates
from mscpool.models.priors.prior import Prior
from mscpool.models.priors.sets import Exnex, OutcomePriors
from mscpool.models.rates.fit import map_prior
from mscpool.models.rates.prior import WeightedRates, robustify

from ...builders import evidence_of

OLD = {
    "study": ["s1", "s2", "s3", "s4", "s5"],
    "disease": ["a", "a", "b", "b", "c"],
    "events": [3, 6, 9, 14, 4],
    "n": [12, 20, 22, 30, 16],
}


def integrated(link="logit", new=None):
    """Posterior of the old studies, and of a new one in disease a with (events, n)."""
    rows = pd.DataFrame(OLD)
    if new is not None:
        rows.loc[len(rows)] = ["new", "a", *new]
    rows = rows.assign(events_min=rows["events"], events_max=rows["events"], months=12.0)
    normal = Prior.make("Normal", mu=0.0, sigma=1.5)
    spread = [Prior.make("HalfNormal", sigma=scale) for scale in (1.0, 0.5)]
    return ExactHierarchy(count_likelihoods(rows, link)).posterior(
        OutcomePriors(mu=normal, tau=spread[0], sigma=spread[1], exnex=Exnex())
    )


@pytest.fixture(scope="module")
def next_study():
    """Exact distribution of the next study's rate in disease a."""
    return integrated().distribution("new_study", "a")


@pytest.mark.parametrize("link", ["logit", "cloglog"])
@pytest.mark.parametrize(("events", "n"), [(0, 6), (3, 6), (40, 40), (55, 200)])
def test_full_reanalysis_is_the_whole_hierarchy_integrated_again(link, events, n):
    analysis = FullReanalysis(integrated(link).distribution("new_study", "a"), "a")
    again = integrated(link, (events, n))
    rates = study_rates(again).set_index("study").loc["new"]
    # Both integrals are exact to 1e-4 of their spread.
    assert analysis.posterior(n).moments(link)[0][events] == pytest.approx(rates["mean"], abs=2e-4)
    for probability, name in ((0.025, "q2.5"), (0.5, "q50"), (0.975, "q97.5")):
        found = analysis.quantile(probability, n)[events]
        assert found == pytest.approx(rates[name], abs=3e-4)
        assert analysis.probability_above(rates[name], n)[events] == pytest.approx(
            1 - probability, abs=2e-3
        )
    evidence = integrated(link).log_marginal_likelihood
    assert np.log(analysis.predictive(n)[events]) == pytest.approx(
        again.log_marginal_likelihood - evidence, abs=1e-3
    )


def test_predictive_masses_are_those_of_the_density(next_study):
    analysis = FullReanalysis(next_study, "a")
    rates, masses = next_study.nodes
    exact = WeightedRates(tuple(rates.tolist()), tuple(masses.tolist()))
    np.testing.assert_allclose(analysis.predictive(60), exact.predictive(60), atol=1e-7)
    assert analysis.predictive(0) == pytest.approx([1.0])
    assert analysis.probability_above(0.3, 0)[0] == pytest.approx(next_study.above(0.3), abs=1e-6)


def test_a_count_that_the_old_studies_exclude_still_has_a_posterior():
    never = Prior.make("Normal", mu=-8.0, sigma=0.05)
    none = Prior.make("DiracDelta", c=0.0)
    rows = pd.DataFrame(OLD).assign(events_min=0, events_max=0, months=12.0)
    posterior = ExactHierarchy(count_likelihoods(rows)).posterior(
        OutcomePriors(mu=never, tau=none, sigma=none, exnex=Exnex())
    )
    analysis = FullReanalysis(posterior.distribution("new_study", "a"), "a")
    assert np.all(np.isfinite(analysis.quantile(0.5, 300)))
    assert np.all(np.diff(analysis.probability_above(0.0003, 300)) >= -1e-9)


def test_full_reanalysis_and_its_mixture_design_the_same_trial(next_study):
    rates, masses = next_study.nodes
    exact = WeightedRates(tuple(rates.tolist()), tuple(masses.tolist()), "exact")
    fitted = map_prior(exact)
    assert fitted.distance < 0.01
    plan = {"null": 0.3, "design_prior": exact, "n_min": 20, "n_max": 32, "level": 0.9}
    whole = single_arm(**plan, analysis_prior=FullReanalysis(next_study, "a")).to_dict()["table"]
    mixture = single_arm(**plan, analysis_prior=fitted.prior).to_dict()["table"]
    for one, other in zip(whole, mixture, strict=True):
        assert abs(one["critical"] - other["critical"]) <= 1
        assert one["width"] == pytest.approx(other["width"], abs=0.005)


def test_full_reanalysis_monitors_a_trial(next_study):
    analysis = FullReanalysis(next_study, "a")
    result = monitor(null=0.3, look=[10, 25], futility=0.1, level=0.9, analysis_prior=analysis)
    success = analysis.probability_above(0.3, 25) > 0.9
    assert result.to_dict()["success_probability"] == pytest.approx(
        float(analysis.predictive(25)[success].sum()), abs=1e-6
    )
    assert "full re-analysis" in result.paragraph


def test_designs_that_need_a_mixture_refuse_a_full_reanalysis(next_study):
    analysis = FullReanalysis(next_study, "a")
    for ask in (
        lambda: two_arm(n_experimental=5, n_control=5, analysis_prior=analysis),
        lambda: precision(width=0.3, analysis_prior=analysis),
    ):
        with pytest.raises(ValueError, match="wants a beta mixture; use map or robust-map$"):
            ask()


def test_a_wide_range_of_sizes_takes_seconds(next_study):
    start = time.process_time()
    single_arm(null=0.3, n_max=100, analysis_prior=FullReanalysis(next_study, "a"))
    # A twentieth of this; with a dense map to a finer grid for each size it took five.
    assert time.process_time() - start < 4


TABLE = """study,disease,outcome,events,n
A,first one,improvement,3,10
A,first one,remission,1,10
B,first one,improvement,5,12
B,first one,remission,2,12
C,second,improvement,7,9
C,second,remission,2,9
D,second,improvement,2,10
D,second,remission,2,10
D,second,any_ae,2,10
D,second,moderate_severe_ae,1,10
E,second,moderate_severe_ae,2,10
"""


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """An integrated fit of a small table, in which one outcome cannot be integrated."""
    evidence = evidence_of(tmp_path_factory.mktemp("data"), TABLE)
    with pytest.warns(NotIntegrated):
        return fit(evidence, engine="exact", draws=500, chains=2)


def test_a_fit_gives_back_what_it_was_integrated_from(fitted):
    analysis = full_reanalysis(fitted, "improvement", "first one", "warn")
    table = fitted["rates"].to_dataset().to_dataframe()
    own = table.query("outcome == 'improvement' and quantity == 'new_study'").set_index("disease")
    assert analysis.before.mean == pytest.approx(own.loc["first one", "mean"], abs=1e-9)
    assert analysis.words.endswith("as a trial in first one (guard: warn)")


def test_rows_of_a_nested_outcome_that_are_not_read_are_told(fitted):
    analysis = full_reanalysis(fitted, "any_ae", "second")
    assert analysis.words.endswith(
        "without what rows of moderate or severe adverse event say of it"
    )
    assert not full_reanalysis(fitted, "improvement", "second").unread


def test_a_nested_outcome_with_exact_parents_is_integrated_too(fitted):
    analysis = full_reanalysis(fitted, "remission", "second")
    rates = fitted["posterior"]["new_study"].sel(outcome="remission", disease="second")
    # A thousand independent draws.
    error = float(rates.std()) / np.sqrt(rates.size)
    assert analysis.before.mean == pytest.approx(float(rates.mean()), abs=4 * error)
    assert safety(null=0.3, n_max=20, analysis_prior=analysis).to_dict()["boundary"]


def test_an_outcome_that_cannot_be_integrated_is_refused_with_its_rows(fitted):
    with pytest.raises(ValueError, match="E: no row of any adverse event; use the sampler"):
        FitPriors(fitted, "moderate_severe_ae", "second")


def test_priors_of_a_fit_by_name(fitted):
    priors = FitPriors(fitted, "improvement", "first one", "pass", robust_weight=0.3)
    assert all(priors.prior(name) is not None for name in FROM_FIT)
    found = {name: priors.prior(name) for name in ("map", "robust-map", "new-study", "rate")}
    assert found["robust-map"] == robustify(priors.map_prior, 0.3)
    table = fitted["rates"].to_dataset().to_dataframe()
    own = table[(table["outcome"] == "improvement") & (table["disease"] == "first one")]
    for name, quantity in (("new-study", "new_study"), ("rate", "rate")):
        row = own[own["quantity"] == quantity].iloc[0]
        prior = found[name]
        assert not prior.sampled
        # What lies beyond the outermost quantiles kept, 0.0005 on each side, is continued.
        assert prior.mean == pytest.approx(row["mean"], abs=2e-4)
        assert prior.sd == pytest.approx(row["sd"], abs=1e-3)
        assert prior.quantile(0.025) == pytest.approx(row["q2.5"], abs=2e-3)
    assert "guard: pass" in found["map"].words
    assert json.loads(json.dumps(priors.to_dict()))["map"]["total_variation"] < 0.05


@pytest.mark.parametrize(
    ("outcome", "disease", "weight", "complaint"),
    [
        ("improvement", None, 0.2, "needs a disease: one of first one, second"),
        (None, "second", 0.2, "needs an outcome: one of"),
        ("improvement", "frst one", 0.2, "did you mean first one"),
        ("improvment", "second", 0.2, "did you mean improvement"),
        ("improvement", "second", 1.0, "robust weight 1: it must be"),
    ],
)
def test_what_a_fit_does_not_have_is_named(fitted, outcome, disease, weight, complaint):
    with pytest.raises(ValueError, match=complaint):
        FitPriors(fitted, outcome, disease, robust_weight=weight)
