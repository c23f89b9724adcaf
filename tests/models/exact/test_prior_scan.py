"""Many priors at once say what each says by itself."""

from dataclasses import replace

import numpy as np
import pytest

from mscpool.models.exact.outcomes import exact_model
from mscpool.models.exact.prior_scan import scan_above
from mscpool.models.priors.prior import Prior
from mscpool.models.priors.sets import DEFAULT

from ...builders import evidence_of

TABLE = """study,disease,outcome,events,n
a,one,improvement,8,12
a,one,remission,3,12
b,one,improvement,5,9
b,one,remission,0,9
c,two,improvement,4,15
c,two,remission,4,15
d,three,any_ae,2,10
e,two,improvement,0,4
e,two,remission,0,4
"""
LEVELS = [Prior.make("Normal", mu=m, sigma=1.5) for m in (-3.75, 0.0, 3.0)]
SCALES = [Prior.make("HalfNormal", sigma=s) for s in (0.125, 1.0, 4.0)]


@pytest.fixture(scope="module")
def evidence(tmp_path_factory):
    return evidence_of(tmp_path_factory.mktemp("scan"), TABLE)


def one_by_one(fit, outcome, rate, mu, tau):
    hierarchy = fit.model.hierarchies[outcome]
    own = hierarchy.posterior(replace(fit.priors.of(outcome), mu=mu, tau=tau), verify=False)
    moved = replace(fit, posteriors={**fit.posteriors, outcome: own})
    return moved.probability_above(outcome, rate).to_numpy()


@pytest.mark.parametrize(
    ("pooling", "outcome"),
    [
        ("partial", "improvement"),
        ("partial", "remission"),
        ("robust", "improvement"),
        ("exnex", "improvement"),
    ],
)
def test_a_scan_gives_what_each_prior_gives_by_itself(evidence, pooling, outcome):
    fit = exact_model(evidence, pooling).fit(DEFAULT)
    levels, scales = (LEVELS, SCALES) if pooling != "exnex" else (LEVELS[:1], SCALES[1:2])
    found = scan_above(fit, outcome, 0.3, levels, scales)
    assert found.shape == (len(levels), len(scales), 3)
    for i, mu in enumerate(levels):
        for j, tau in enumerate(scales):
            alone = one_by_one(fit, outcome, 0.3, mu, tau)
            # Both stand on their own grids, each within the engine's tolerance.
            assert found[i, j] == pytest.approx(alone, abs=2e-4)


def test_a_nested_rate_beyond_a_threshold_is_the_integral_over_its_parents(evidence):
    """By quadrature over the parent's rate, cut where the nested rate would need more than all."""
    wide = replace(DEFAULT, mu=Prior.make("Normal", mu=0.0, sigma=1.5), tau=SCALES[2])
    fit = exact_model(evidence).fit(wide)
    found = fit.probability_above("remission", 0.3)
    for disease in evidence.diseases:
        parent = fit.posteriors["improvement"].distribution("rate", disease)
        own = fit.posteriors["remission"].distribution("rate", disease)
        edges = 0.3 + 0.7 * np.linspace(0, 1, 20_001) ** 3  # dense where the child's rate leaps
        masses = np.diff(1 - parent.above(edges))
        wanted = masses @ own.above(0.3 / ((edges[1:] + edges[:-1]) / 2))
        assert found[disease] == pytest.approx(wanted, abs=3e-4)


def test_without_tau_a_scan_has_one_scale(evidence):
    fit = exact_model(evidence, "complete").fit(DEFAULT)
    found = scan_above(fit, "improvement", 0.3, LEVELS, [])
    assert found.shape == (3, 1, 3)
    assert (np.diff(found[:, 0, 0]) > 0).all()
