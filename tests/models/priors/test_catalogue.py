"""The named prior sets: their sources, and that each sentence follows from its numbers."""

import json
import math
import re

import numpy as np
import pytest
from scipy import integrate, stats

from mscpool.data.outcomes import DICTIONARY, OUTCOMES, Outcome, outcome
from mscpool.models.priors.catalogue import CATALOGUE, named_set, spare_harms
from mscpool.models.priors.meaning import factor_between
from mscpool.models.priors.prior import Prior
from mscpool.models.priors.sets import DEFAULT

from ...builders import ROUNDING

WANTED = {
    "default",
    "tau_half_normal_0.5",
    "tau_half_normal_1",
    "tau_half_cauchy_0.5",
    "tau_half_student_t",
    "tau_exponential",
    "tau_uniform",
    "turner_marginal",
    "turner_outcomes",
    "mu_uniform_rate",
    "mu_vague",
    "sceptical",
    "enthusiastic",
    "near_complete_pooling",
    "near_no_pooling",
}


@pytest.fixture(scope="module")
def turner(root):
    return json.loads((root / "tests/reference/heterogeneity_prior_tables.json").read_text())


def test_catalogue_holds_every_promised_set():
    assert set(CATALOGUE) == WANTED
    assert len(CATALOGUE) >= 12


@pytest.mark.parametrize("name", sorted(WANTED))
def test_every_set_says_what_it_is_and_where_it_comes_from(name):
    found = CATALOGUE[name]
    assert found.sentence.endswith(".")
    assert found.reference
    assert found.doi.startswith("10.")
    assert named_set(name) is found


def test_the_default_set_comes_first():
    assert next(iter(CATALOGUE.values())) is DEFAULT


def test_an_unknown_set_is_refused_with_the_nearest_name():
    with pytest.raises(ValueError, match="unknown prior set 'sceptic'; did you mean sceptical"):
        named_set("sceptic")


def test_turner_tables_value_has_its_published_quantiles(turner):
    """The check that the table is given with: surgical or device success against placebo."""
    row = turner["turner_outcomes"].index("surgical/device success")
    mu, sigma = turner["turner_mu"][0][row], turner["turner_sigma"][0][row]
    prior = Prior.make("LogNormal", mu=mu / 2, sigma=sigma / 2)
    published = [0.06233896, 0.34300852, 1.88734045]
    assert prior.ppf([0.025, 0.5, 0.975]) == pytest.approx(published, abs=1e-8)


def test_marginal_turner_set_is_the_published_one(turner):
    mu, sigma = turner["turner_marginal"]
    tau = CATALOGUE["turner_marginal"].of("any outcome").tau
    assert tau == Prior.make("LogNormal", mu=mu / 2, sigma=sigma / 2)


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        ("improvement", "signs/symptoms (continuation or end of condition)"),
        ("remission", "signs/symptoms (continuation or end of condition)"),
        ("any_ae", "adverse events"),
        ("moderate_severe_ae", "adverse events"),
        ("serious_ae", "adverse events"),
        ("death", "all-cause mortality"),
    ],
)
def test_turner_set_takes_each_outcome_from_its_published_row(turner, outcome, kind):
    column = 2  # non-pharmacological against placebo or control
    row = turner["turner_outcomes"].index(kind)
    mu, sigma = turner["turner_mu"][column][row], turner["turner_sigma"][column][row]
    # Published for the square of tau: its logarithm is normal, and twice that of tau.
    tau = CATALOGUE["turner_outcomes"].of(outcome).tau
    probability = np.array([0.05, 0.5, 0.95])
    expected = np.exp((mu + sigma * stats.norm.ppf(probability)) / 2)
    assert tau.ppf(probability) == pytest.approx(expected, rel=ROUNDING)


@pytest.mark.parametrize("name", ["turner_marginal", "turner_outcomes"])
def test_turner_sets_say_that_they_were_made_for_contrasts(name):
    assert "contrasts between treatments, not for single-arm rates" in CATALOGUE[name].sentence


def test_exponential_set_exceeds_one_and_a_half_with_probability_one_in_twenty():
    assert CATALOGUE["tau_exponential"].of("x").tau.cdf(1.5) == pytest.approx(0.95, abs=ROUNDING)


def share_within(spread, factor):
    """Share of pairs of levels whose odds lie within a factor, the spread being half-something."""
    return integrate.quad(
        lambda t: spread.pdf(t) * (2 * stats.norm.cdf(math.log(factor) / (math.sqrt(2) * t)) - 1),
        1e-12, np.inf,
    )[0]  # fmt: skip


def half_student(scale, nu):
    class Half:
        @staticmethod
        def pdf(t):
            return 2 * stats.t(nu, 0, scale).pdf(t)

    return Half


@pytest.mark.parametrize(
    ("name", "parameter", "spread"),
    [
        ("default", "tau", stats.halfnorm(0, 1)),
        ("default", "sigma", stats.halfnorm(0, 0.5)),
        ("tau_half_normal_0.5", "tau", stats.halfnorm(0, 0.5)),
        ("tau_half_normal_1", "tau", stats.halfnorm(0, 1)),
        ("tau_half_student_t", "tau", half_student(0.5, 4)),
        ("near_complete_pooling", "tau", stats.halfnorm(0, 0.1)),
    ],
)
def test_the_factor_that_a_sentence_states_holds_for_the_share_it_states(name, parameter, spread):
    chosen = CATALOGUE[name]
    factor = factor_between(getattr(chosen.of("improvement"), parameter))
    assert share_within(spread, factor) == pytest.approx(0.95, abs=5e-4)
    assert f"within a factor of {factor:.2g} of each other in 95 % of pairs" in chosen.sentence


def test_two_diseases_often_differ_by_more_than_seven_under_the_default():
    assert share_within(stats.halfnorm(0, 1), 7) == pytest.approx(0.87, abs=0.005)
    assert factor_between(DEFAULT.of("improvement").tau) == pytest.approx(22, rel=0.01)


def median(chosen, name):
    """Typical rate, or of what is timed the hazard a year, at the middle of a set's prior of mu."""
    level = float(chosen.of(name).mu.ppf(0.5))
    return math.exp(level) if outcome(name).timed else 1 / (1 + math.exp(-level))


def same(chosen, parameter):
    return {name: getattr(chosen.of(name), parameter) for name in OUTCOMES}


#: What each sentence says, as something that follows from its set and from nothing else.
DERIVED = {
    "default": {
        "grave harms are expected to be rare": lambda s: all(
            median(s, name) < 0.2 for name in ("serious_ae", "death")
        ),
    },
    "tau_half_normal_1": {
        "The prior of tau that the default set has": lambda s: (
            same(s, "tau") == same(DEFAULT, "tau")
        ),
    },
    "tau_half_cauchy_0.5": {"without limit": lambda s: s.of("x").tau.density.tail < 3},
    "tau_half_student_t": {
        "the half-normal of 0.5": lambda s: dict(s.tau.parameters)["sigma"] == 0.5,
        "Student-t of four degrees": lambda s: dict(s.tau.parameters)["nu"] == 4,
    },
    "tau_exponential": {
        "tau exceeds 1.5 with probability 0.05": lambda s: (
            1 - s.of("x").tau.cdf(1.5) == pytest.approx(0.05)
        ),
    },
    "tau_uniform": {
        "up to 4 is as likely as any other": lambda s: (
            np.ptp(s.of("x").tau.logpdf(np.array([0.01, 2, 3.99]))) == 0
            and s.of("x").tau.cdf(4) == 1
        ),
    },
    "mu_uniform_rate": {
        "Every typical rate between 0 and 1 is equally likely, serious events": lambda s: all(
            s.of(name).mu.cdf(math.log(0.2 / 0.8)) == pytest.approx(0.2)
            for name in OUTCOMES
            if not outcome(name).timed
        ),
        "Death, which has no rate without a time, keeps the default": lambda s: (
            s.of("death") == DEFAULT.of("death")
        ),
    },
    "mu_vague": {
        "with probability 77 % it lies below 5 % or above 95 %": lambda s: all(
            2 * stats.norm.cdf(math.log(0.05 / 0.95) / 10) == pytest.approx(0.77, abs=0.005)
            and str(s.of(name).mu) == "Normal(mu=0, sigma=10)"
            for name in OUTCOMES
            if not outcome(name).timed
        ),
        "from none to instant": lambda s: (
            s.of("death").mu.cdf(math.log(1e-6)) > 0.1 and s.of("death").mu.cdf(math.log(1e3)) < 0.9
        ),
    },
    "sceptical": {
        "benefit, about one in five": lambda s: median(s, "improvement") == pytest.approx(0.2),
        "adverse events in most": lambda s: median(s, "any_ae") > 0.5,
        "about one in seven": lambda s: median(s, "serious_ae") == pytest.approx(1 / 7, abs=0.01),
        "one death in ten patient-years": lambda s: median(s, "death") == pytest.approx(0.1),
    },
    "enthusiastic": {
        "benefit, about seven in ten": lambda s: median(s, "improvement") == pytest.approx(0.7),
        "adverse events in one in five": lambda s: median(s, "any_ae") == pytest.approx(0.2),
        "one in fifty": lambda s: median(s, "serious_ae") == pytest.approx(0.02),
        "one death in a hundred patient-years": lambda s: median(s, "death") == pytest.approx(0.01),
    },
    "near_no_pooling": {
        "almost nothing to do with each other": lambda s: s.of("x").tau.ppf(0.01) > 2,
    },
}


@pytest.mark.parametrize("name", sorted(WANTED))
def test_every_sentence_about_a_set_follows_from_the_set(name):
    chosen = CATALOGUE[name]
    factor = re.findall(
        r"within a factor of [\d.e+]+ of each other in 95 % of pairs", chosen.sentence
    )
    rest = chosen.sentence
    for phrase, holds in DERIVED.get(name, {}).items():
        assert phrase in chosen.sentence
        assert holds(chosen), phrase
        rest = rest.replace(phrase, "")
    for phrase in factor:  # tested above
        rest = rest.replace(phrase, "")
    assert not re.search(r"\d", rest), f"nothing derives this: {rest}"


@pytest.mark.parametrize("name", [name for name in OUTCOMES if not outcome(name).timed])
def test_uniform_rate_set_is_uniform_on_the_probability_scale(name):
    prior = CATALOGUE["mu_uniform_rate"].of(name).mu
    rate = np.linspace(0.01, 0.99, 25)
    assert prior.cdf(np.log(rate / (1 - rate))) == pytest.approx(rate, abs=ROUNDING)


def test_sceptic_and_enthusiast_disagree_about_every_outcome():
    for each in DICTIONARY:
        sceptic, enthusiast = (CATALOGUE[n].of(each.name).mu for n in ("sceptical", "enthusiastic"))
        # Of a harm that neither names yet both think as the default set does.
        if not sceptic == enthusiast == DEFAULT.of(each.name).mu:
            assert (enthusiast.ppf(0.5) > sceptic.ppf(0.5)) != each.is_harm


@pytest.mark.parametrize("name", ["sceptical", "enthusiastic"])
def test_a_harm_that_a_set_does_not_name_gets_no_level_of_a_benefit(name):
    further = (Outcome("infection", is_harm=True), Outcome("regrowth"))
    chosen = spare_harms(CATALOGUE[name], further)
    assert chosen.of("infection").mu == Prior.make("Normal", mu=0, sigma=1.5)
    assert chosen.of("regrowth").mu == CATALOGUE[name].of("improvement").mu
    assert spare_harms(CATALOGUE[name]) == CATALOGUE[name]
