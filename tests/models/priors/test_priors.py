"""Priors as values: they compare, print, hash and survive a prior file."""

import dataclasses

import numpy as np
import pytest
from scipy import stats

from mscpool.models.priors.catalogue import named_set
from mscpool.models.priors.files import prior_set
from mscpool.models.priors.prior import Prior
from mscpool.models.priors.sets import DEFAULT, Exnex, PriorSet

EVERY = [
    Prior.make("Normal", mu=-1, sigma=2),
    Prior.make("HalfNormal", sigma=0.5),
    Prior.make("HalfCauchy", beta=0.4),
    Prior.make("HalfStudentT", nu=3, sigma=1),
    Prior.make("Exponential", lam=2),
    Prior.make("LogNormal", mu=-1, sigma=0.8),
    Prior.make("Uniform", lower=0.5, upper=2),
    Prior.make("StudentT", nu=4, mu=1, sigma=2),
    Prior.make("Logistic", mu=0.5, s=0.7),
    Prior.make("Gamma", alpha=2, beta=3),
    Prior.make("InverseGamma", alpha=3, beta=1),
    Prior.make("HalfNormal", on="variance", sigma=0.5),
    Prior.make("Uniform", on="variance", lower=0, upper=4),
    Prior.make("InverseGamma", on="variance", alpha=2, beta=1),
]


@pytest.mark.parametrize("prior", EVERY, ids=str)
def test_draws_follow_the_distribution_function(prior):
    drawn = prior.draw(np.random.default_rng(1), 2000)
    assert stats.kstest(prior.cdf(drawn), "uniform").pvalue > 1e-3
    assert prior.draw(np.random.default_rng(1), (3, 4)).shape == (3, 4)


def test_fixed_parameter_has_a_value_and_no_density():
    prior = Prior.make("DiracDelta", on="variance", c=4)
    assert prior.fixed == 2
    np.testing.assert_array_equal(prior.draw(np.random.default_rng(1), 3), 2)
    np.testing.assert_array_equal(prior.cdf([1.9, 2]), [0, 1])
    with pytest.raises(ValueError, match="is a point: it has no density"):
        prior.logpdf(2)
    assert Prior.make("HalfNormal").fixed is None


def test_priors_compare_hash_and_print_by_value():
    one = Prior.make("Normal", sigma=2, mu=0)
    assert one == Prior.make("Normal", mu=0.0, sigma=2.0)
    assert hash(one) == hash(Prior.make("Normal", mu=0, sigma=2))
    assert one != Prior.make("Normal", mu=0, sigma=2.5)
    assert str(one) == "Normal(mu=0, sigma=2)"
    assert str(Prior.make("Gamma", on="variance", alpha=1, beta=2)) == (
        "Gamma(alpha=1, beta=2) on the variance"
    )
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.dist = "Logistic"  # pyright: ignore
    assert len({DEFAULT, named_set("default")}) == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Prior.make("HalfNorml"), "unknown distribution 'HalfNorml'; did you mean HalfN"),
        (lambda: Prior.make("Normal", sd=1), r"unknown parameter of Normal 'sd'; valid: mu, sig"),
        (lambda: Prior.make("HalfStudentT", sigma=1), "HalfStudentT needs its parameter 'nu'"),
        (lambda: Prior.make("Normal", sigma=0), "Normal: sigma must be"),
        (lambda: Prior.make("Normal", sigma=float("nan")), "sigma must be a finite number, not n"),
        (lambda: Prior.make("Normal", mu=True), "mu must be a finite number, not True"),
        (lambda: Prior.make("Normal", mu="1"), "mu must be a finite number, not '1'"),
        (lambda: Prior.make("Uniform", lower=2, upper=1), "lower must be below upper"),
        (lambda: Prior.make("Normal", on="variance"), "a variance needs a distribution of posit"),
        (lambda: Prior.make("DiracDelta", on="variance", c=-1), "a variance needs a distributio"),
        (lambda: Prior.make("HalfNormal", on="square"), "unknown scale of a prior 'square'"),
        (lambda: Prior.from_dict({"sigma": 1}), "a prior needs its distribution"),
        (lambda: Prior.from_dict({"dist": ["Normal"]}), r"unknown distribution \['Normal'\]"),
        (lambda: Prior.from_dict({"dist": "Normal", "cls": 1}), "unknown parameter of Normal 'cls"),
        (lambda: Exnex(1.5), "exnex: w must lie between 0 and 1, not 1.5"),
        (lambda: PriorSet("x", exnex=Exnex(0.5, EVERY[1])), "own level must be Normal, not HalfN"),
        (lambda: PriorSet("x", tau=EVERY[0]).of("death"), "tau is a standard deviation: Normal"),
        (lambda: named_set("defualt"), "unknown prior set 'defualt'; did you mean default"),
    ],
)
def test_misspelling_is_answered_in_a_sentence(call, message):
    with pytest.raises(ValueError, match=message) as raised:
        call()
    assert "\n" not in str(raised.value)


PRIOR_FILE = """
name = "doubtful"
reference = "a paper"
[mu]
dist = "Normal"
sigma = 2
[tau]
dist = "InverseGamma"
on = "variance"
alpha = 0.5
beta = 0.25
[exnex]
w = 0.25
mean = -1
sd = 2
[outcome.death.mu]
dist = "StudentT"
nu = 4
mu = -4
sigma = 1
"""


def test_prior_file_says_what_it_changes_and_the_rest_is_the_default():
    given = prior_set(PRIOR_FILE, "mine.toml")
    assert (given.name, given.reference) == ("doubtful", "a paper")
    death, response = given.of("death"), given.of("response")
    assert str(death.mu) == "StudentT(nu=4, mu=-4, sigma=1)"
    assert response.mu == Prior.make("Normal", sigma=2)
    assert given.of("serious_ae").mu == response.mu
    assert str(death.tau) == "InverseGamma(alpha=0.5, beta=0.25) on the variance"
    assert death.sigma == DEFAULT.of("death").sigma
    assert (death.exnex.weight, str(death.exnex.level)) == (0.25, "Normal(mu=-1, sigma=2)")


def test_prior_set_survives_its_own_record():
    for given in (prior_set(PRIOR_FILE), DEFAULT, PriorSet("bare")):
        again = PriorSet.from_dict(given.to_dict())
        assert again == given
        assert hash(again) == hash(given)


def test_default_expects_harms_to_be_rare():
    assert DEFAULT.of("improvement").mu == Prior.make("Normal", mu=0, sigma=1.5)
    assert DEFAULT.of("serious_ae").mu == Prior.make("Normal", mu=-1.5, sigma=1.5)
    assert DEFAULT.of("death").mu == Prior.make("Normal", mu=-3, sigma=1.5)
    assert DEFAULT.of("death").exnex == Exnex(0.5, DEFAULT.of("death").mu)
    assert {str(DEFAULT.of(n).tau) for n in ("death", "x")} == {"HalfNormal(sigma=1)"}
    assert {str(DEFAULT.of(n).sigma) for n in ("death", "x")} == {"HalfNormal(sigma=0.5)"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[mu", r"^mine.toml: not TOML: "),
        ("[sigmma]\nsigma=1", r"^mine.toml: unknown table 'sigmma'; did you mean sigma"),
        ("mu = 3", r"^mine.toml: \[mu\] must be a table such as"),
        ("[tau]\ndist='HalfNormal'\nsd=1", r"^mine.toml: \[tau\]: unknown parameter of HalfNorm"),
        ("[tau]\ndist='Normal'", r"^mine.toml: tau is a standard deviation: Normal\(mu=0, sigma=1"),
        ("[exnex]\nw='x'", r"^mine.toml: \[exnex\]: w must lie between 0 and 1, not 'x'"),
        ("[exnex]\nw=2", r"^mine.toml: \[exnex\]: w must lie between 0 and 1, not 2"),
        ("[exnex]\nmean=0", r"^mine.toml: \[exnex\]: give both mean and sd"),
        ("[exnex]\nmean='x'\nsd=1", r"^mine.toml: \[exnex\]: level: mean must be a finite number"),
        ("[exnex]\nmean=-1\nsd=0", r"^mine.toml: \[exnex\]: level: sd must be"),
        ("[exnex]\nweight=1", r"^mine.toml: \[exnex\]: unknown parameter 'weight'"),
        ("[outcome.deaht.mu]\ndist='Normal'", r"\[outcome.deaht\]: unknown outcome 'deaht'; did"),
        (
            "[outcome.death.my]\ndist='Normal'",
            r"\[outcome.death\]: unknown parameter 'my'; valid: mu, tau, sig",
        ),
        ("[outcome.death]\nmu=1", r"^mine.toml: \[outcome.death.mu\] must be a table such as"),
        ("[outcome.death.tau]\ndist='Normal'", r"^mine.toml: tau is a standard deviation"),
        ("outcome = 1", r"^mine.toml: \[outcome\] must be a table"),
        ("name = 3", r"^mine.toml: name must be a text in quotes, not 3"),
        ("doi = ['a']", r"^mine.toml: doi must be a text in quotes"),
        ("[mu]\ndist='Normal'\nmu=1" + "0" * 400, r"mu must be a finite number, not 10{36}\.\.\.$"),
        ("a = " + "[" * 20_000, r"^mine.toml: not a prior file: it nests too deeply"),
    ],
)
def test_wrong_prior_file_is_answered_with_the_place(text, message):
    with pytest.raises(ValueError, match=message) as raised:
        prior_set(text, "mine.toml", ("improvement", "death"))
    assert "\n" not in str(raised.value)


def test_a_file_may_not_take_the_name_of_another_set():
    with pytest.raises(ValueError, match="mine.toml: name: 'default' is a set of the catalogue"):
        prior_set('name = "default"\n[tau]\ndist = "HalfNormal"\nsigma = 3', "mine.toml")


def test_a_name_a_text_and_a_set_are_all_read_by_one_function():
    text = 'name = "mine"\n[tau]\ndist = "HalfNormal"\nsigma = 3'
    mine = prior_set(text)
    assert prior_set("default") is DEFAULT
    assert prior_set(mine) is mine
    assert mine.of("any").tau == Prior.make("HalfNormal", sigma=3)
    assert prior_set("", "empty.toml") == PriorSet("empty.toml")
    with pytest.raises(ValueError, match="prior file: not TOML"):
        prior_set("tau = HalfNormal")


def test_a_set_with_an_outcomes_priors_keeps_the_others():
    made = DEFAULT.with_outcome("death", tau=EVERY[1]).with_outcome("remission", mu=EVERY[0])
    assert made.special("death") == {"mu": DEFAULT.of("death").mu, "tau": EVERY[1]}
    assert made.special("remission") == {"mu": EVERY[0]}
    assert made.special("improvement") == {}
    assert made.of("remission").tau == DEFAULT.of("remission").tau
    assert made.of("serious_ae") == DEFAULT.of("serious_ae")
    assert DEFAULT.special("remission") == {}


def test_all_that_is_wrong_with_a_prior_file_is_told_at_once():
    text = """
        doi = 3
        [sigmma]
        sigma = 1
        [mu]
        dist = "Normal"
        sd = 1
        sigma = -1
        [tau]
        dist = "Normal"
        [exnex]
        w = 2
        mean = 1
        [outcome.deaht.mu]
        dist = "Normal"
        [outcome.death]
        my = 3
        sigma = 4
    """
    with pytest.raises(ValueError, match="unknown") as raised:
        prior_set(text, "mine.toml", ("improvement", "death"))
    lines = str(raised.value).splitlines()
    assert all(line.startswith("mine.toml: ") for line in lines)
    wanted = (
        "unknown table 'sigmma'",
        "doi must be a text",
        "[mu]: unknown parameter of Normal 'sd'",
        "[mu]: Normal: sigma must be positive",
        "tau is a standard deviation",
        "[exnex]: w must lie between",
        "[exnex]: give both mean and sd",
        "[outcome.deaht]: unknown outcome",
        "[outcome.death]: unknown parameter 'my'",
        "[outcome.death.sigma] must be a table",
    )
    assert len(lines) == len(wanted)
    assert all(any(each in line for line in lines) for each in wanted)
