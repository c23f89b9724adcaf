import numpy as np
import pandas as pd
import pytest

from mscpool.analysis.design import single_arm
from mscpool.analysis.monitoring import monitor
from mscpool.analysis.trial.reanalysis import FullReanalysis
from mscpool.models.exact import ExactHierarchy
from mscpool.models.integration.exact_predictions import new_trial
from mscpool.models.integration.likelihood_table import count_likelihoods
from mscpool.models.outcomes import inverse_link
from mscpool.models.priors import Exnex, OutcomePriors, Prior
from mscpool.models.rate_fit import map_prior
from mscpool.models.rate_prior import WeightedRates


@pytest.fixture(scope="module")
def posterior():
    rows = pd.DataFrame(
        {
            "study": ["s1", "s2", "s3", "s4", "s5"],
            "disease": ["a", "a", "b", "b", "c"],
            "events_min": [3, 6, 9, 14, 4],
            "events_max": [3, 6, 9, 14, 4],
            "n": [12, 20, 22, 30, 16],
            "months": np.nan,
        }
    )
    normal = Prior.make("Normal", mu=0.0, sigma=1.5)
    spread = [Prior.make("HalfNormal", sigma=scale) for scale in (1.0, 0.5)]
    return ExactHierarchy(count_likelihoods(rows, "logit")).posterior(
        OutcomePriors(mu=normal, tau=spread[0], sigma=spread[1], exnex=Exnex())
    )


@pytest.fixture(scope="module")
def next_study(posterior):
    """Exact density of the next study's rate: the posterior after a trial that says nothing."""
    trial = new_trial(posterior, "a", 1)
    mass = trial.masses @ trial.predictive
    rates = inverse_link(trial.nodes, "logit")
    return WeightedRates(tuple(rates.tolist()), tuple((mass / mass.sum()).tolist()), "exact")


def test_full_reanalysis_weighs_every_rate_of_the_next_study_by_its_likelihood(
    posterior, next_study
):
    analysis = FullReanalysis(posterior, "a")
    n = 15
    np.testing.assert_allclose(analysis.predictive(n), next_study.predictive(n), atol=1e-9)
    for events in (0, 5, 12):
        after = next_study.update(events, n)
        # A sum over the grid's points: the density times half a step is left.
        assert analysis.probability_above(0.3, n)[events] == pytest.approx(
            float(after.above(0.3)), abs=0.05
        )
        assert after.mean == pytest.approx(analysis.trial(n).moments()[0][events], abs=1e-6)


def test_full_reanalysis_and_its_mixture_design_the_same_trial(posterior, next_study):
    fitted = map_prior(next_study)
    assert fitted.distance < 0.01
    plan = {"null": 0.3, "design_prior": next_study, "n_min": 20, "n_max": 32, "level": 0.9}
    exact = single_arm(**plan, analysis_prior=FullReanalysis(posterior, "a")).answer["table"]
    mixture = single_arm(**plan, analysis_prior=fitted.prior).answer["table"]
    for one, other in zip(exact, mixture, strict=True):
        assert abs(one["critical"] - other["critical"]) <= 1
        assert one["width"] == pytest.approx(other["width"], abs=0.005)


def test_full_reanalysis_monitors_a_trial(posterior):
    analysis = FullReanalysis(posterior, "a")
    result = monitor(null=0.3, look=[10, 25], futility=0.1, level=0.9, analysis_prior=analysis)
    success = analysis.probability_above(0.3, 25) > 0.9
    assert result.answer["success_probability"] == pytest.approx(
        float(analysis.predictive(25)[success].sum()), abs=1e-6
    )
    assert "full re-analysis" in result.paragraph
