import re

import numpy as np
import pytest
from scipy import optimize, stats

from mscpool.analysis.trial.design import precision
from mscpool.analysis.trial.precision import largest_coverage, shortest_interval
from mscpool.models.rates.prior import beta, parse_prior

CONFLICT = parse_prior("0.7*beta(12,3)+0.3*beta(2,20)")


def test_published_sizes_of_a_uniform_prior():
    answer = precision(width=0.2, coverage=0.95).to_dict()
    # Joseph, Wolfson and du Berger 1995, doi:10.2307/2348439.
    assert (answer["acc"], answer["alc"], answer["woc"]) == (66, 56, 93)


def test_usual_confidence_interval_needs_the_textbook_size():
    answer = precision(width=0.2, design_prior="beta(2,8)").to_dict()["frequentist"]
    assert answer["worst_rate_n"] == int(np.ceil(stats.norm.ppf(0.975) ** 2 * 0.25 / 0.01))
    assert answer["rate_n"] == int(np.ceil(stats.norm.ppf(0.975) ** 2 * 0.2 * 0.8 / 0.01))


@pytest.mark.parametrize("prior", [beta(1, 1), beta(0.6, 3), CONFLICT])
def test_intervals_are_the_best_of_a_fine_search(prior):
    n = 13
    shortest, covered = shortest_interval(prior, n, 0.9), largest_coverage(prior, n, 0.25)
    for events in range(n + 1):
        posterior = prior.update(events, n)
        tails = np.linspace(0, 0.1, 20_001)
        widths = posterior.quantile(tails + 0.9) - posterior.quantile(tails)
        assert shortest[events] == pytest.approx(widths.min(), abs=1e-6)
        assert shortest[events] <= widths.min() + 1e-9
        lower = np.linspace(0, 0.75, 20_001)
        best = (posterior.below(lower + 0.25) - posterior.below(lower)).max()
        assert covered[events] == pytest.approx(best, abs=1e-6)
        assert covered[events] >= best - 1e-9


def test_shortest_interval_of_a_beta_has_equal_densities_at_its_ends():
    n, events = 40, 9
    posterior = stats.beta(1 + events, 1 + n - events)

    def unequal(tail):
        ends = posterior.ppf([tail, tail + 0.95])
        return np.diff(posterior.logpdf(ends))[0]

    tail = optimize.brentq(unequal, 1e-6, 0.05 - 1e-6)
    width = np.diff(posterior.ppf([tail, tail + 0.95]))[0]
    assert shortest_interval(beta(1, 1), n, 0.95)[events] == pytest.approx(width, abs=1e-9)


@pytest.mark.parametrize("prior", [beta(2, 5), CONFLICT])
def test_bisection_finds_the_size_of_a_full_scan(prior):
    answer = precision(width=0.35, coverage=0.9, analysis_prior=prior, n_min=2, n_max=70).to_dict()
    passed = {"acc": [], "alc": [], "woc": []}
    for n in range(2, 71):
        mass, widths = prior.predictive(n), shortest_interval(prior, n, 0.9)
        passed["acc"].append(mass @ largest_coverage(prior, n, 0.35) >= 0.9)
        passed["alc"].append(mass @ widths <= 0.35)
        passed["woc"].append(widths.max() <= 0.35)
    for name, suffices in passed.items():
        lasting = [n for n in range(2, 71) if all(suffices[n - 2 :])]
        assert answer[name] == lasting[0]


def test_a_size_out_of_range_is_null_with_what_the_largest_gives():
    result = precision(width=0.1, n_max=50)
    assert [result.to_dict()[name] for name in ("acc", "alc", "woc")] == [None] * 3
    value = result.to_dict()["values"]["woc"]
    assert value["n"] == 50
    assert value["value"] == pytest.approx(shortest_interval(beta(1, 1), 50, 0.95).max())
    assert "No number up to 50 suffices for the worst outcome" in result.paragraph


def test_a_design_prior_predicts_and_leaves_the_posterior_alone():
    believed = precision(width=0.2, design_prior="beta(2,38)").to_dict()
    assert believed["alc"] < 56
    assert believed["woc"] == 93


@pytest.mark.parametrize(
    ("request_", "complaint"),
    [
        ({"width": 1.2}, "width 1.2: give"),
        ({"width": 0.2, "coverage": 0}, "coverage 0: give"),
        ({"width": 0.2, "n_min": 20, "n_max": 10}, "n_max 10 is below n_min 20"),
        ({"width": 0.2, "analysis_prior": "0.3"}, "leaves nothing to learn"),
    ],
)
def test_senseless_request_gets_one_line_that_says_what_to_change(request_, complaint):
    with pytest.raises(ValueError, match=re.escape(complaint)):
        precision(**request_)
