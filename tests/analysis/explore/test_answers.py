import numpy as np
import pytest

from mscpool.analysis.explore.answers import Answers
from mscpool.analysis.explore.latest import Latest
from mscpool.analysis.explore.state import State
from mscpool.data.evidence import load_evidence
from mscpool.models.exact.outcomes import NotExact, exact_outcomes
from mscpool.models.priors.prior import Prior

#: Twice the numerical error that the engine aims at: the page's grids may differ from a fit's.
TOLERANCE = 2e-4


@pytest.fixture(scope="module")
def answers():
    return Answers(load_evidence())


STATES = {
    "at first": State(),
    "mu": State(own=(("mu", Prior.make("Normal", mu=-2.0, sigma=0.5)),)),
    "tau": State(own=(("tau", Prior.make("HalfCauchy", beta=0.5)),)),
    "a harm": State(outcome="death", threshold=0.1),
    "without a study": State(drop=("cheng2022",)),
    "no pooling": State(pooling="none"),
}


@pytest.mark.parametrize("name", STATES)
def test_numbers_are_those_of_the_engine_asked_directly(answers, name):
    state = STATES[name]
    evidence = load_evidence(outcomes=state.outcome, drop=state.drop)
    direct = exact_outcomes(evidence, state.pooling, state.priors)
    answer = answers.answer(state)
    ours, theirs = answer.rates, direct.rates()
    numbers = ["mean", "q2.5", "q50", "q97.5"]
    assert ours["disease"].tolist() == theirs["disease"].tolist()
    np.testing.assert_allclose(ours[numbers], theirs[numbers], atol=TOLERANCE)
    above = direct.probability_above(state.outcome, state.threshold)
    wanted = 1 - above if state.outcome == "death" else above
    got = answer.conclusions.set_index("disease")["probability"]
    np.testing.assert_allclose(got, wanted, atol=TOLERANCE)
    mine, _ = answer.log_marginal_likelihood
    assert mine == pytest.approx(direct.log_marginal_likelihood[state.outcome], abs=TOLERANCE)


def test_curves_are_densities_that_hold_the_stated_intervals(answers):
    answer = answers.answer(STATES["mu"])
    rates = answer.rates.set_index(["quantity", "disease"])
    for (disease, group), curve in answer.curves.groupby(["disease", "group"], sort=False):
        if group == "observed":
            continue
        x, y = curve["value"].to_numpy(), curve["density"].to_numpy()
        assert np.trapezoid(y, x) == pytest.approx(1, abs=0.01)
        if group == "posterior":
            row = rates.loc["rate", disease]
            inside = (x >= row["q2.5"]) & (x <= row["q97.5"])
            assert np.trapezoid(y * inside, x) == pytest.approx(0.95, abs=0.03)


def test_the_prior_curve_is_that_of_draws_from_the_prior(answers):
    state = STATES["mu"]
    rng, priors = np.random.default_rng(1), state.priors.of("improvement")
    level = priors.mu.draw(rng, 200_000) + priors.tau.draw(rng, 200_000) * rng.normal(size=200_000)
    below = np.mean(1 / (1 + np.exp(-level)) < 0.3)
    curve = answers.answer(state).curves.query("group == 'prior' and disease == 'psoriasis'")
    x, y = curve["value"].to_numpy(), curve["density"].to_numpy()
    inside = x < 0.3
    assert np.trapezoid(y[inside], x[inside]) == pytest.approx(below, abs=0.01)


def test_the_nearest_prior_that_is_offered_changes_the_conclusion(answers):
    answer = answers.answer(State())
    prior = answer.nearest["psoriasis"]
    other = answers.answer(State(own=tuple(prior.items())))
    before, after = (a.conclusions.set_index("disease").loc["psoriasis"] for a in (answer, other))
    assert before["concluded"] == "yes"
    assert after["concluded"] == "no"
    assert after["reference"] == pytest.approx(before["probability"])


def test_studies_left_out_are_those_of_the_guard(answers):
    from mscpool.analysis.fitting.fit import terms_of
    from mscpool.analysis.guard.left_out_exactly import leave_out_exactly

    answer = answers.answer(STATES["without a study"])
    terms = terms_of(answer.evidence)
    rng = np.random.default_rng(0)
    whole = leave_out_exactly(terms, "partial", answer.state.priors, rng)
    worst = min(whole, key=lambda one: one.mid_p)
    adjusted = 1 - (1 - worst.mid_p) ** len(whole)
    assert answer.left_out.mid_p == pytest.approx(adjusted, abs=TOLERANCE)
    assert answer.left_out.observed == worst.events


def test_what_cannot_be_integrated_says_why(answers):
    with pytest.raises(NotExact, match="no row of improvement"):
        answers.answer(State(outcome="remission"))


def test_moves_keep_few_tables(answers):
    rng = np.random.default_rng(3)
    for place, sd in zip(rng.uniform(-3, 3, 12), rng.uniform(0.2, 2, 12), strict=True):
        mu = Prior.make("Normal", mu=float(place), sigma=float(sd))
        answer = answers.answer(State(outcome="serious_ae", own=(("mu", mu),)))
        (hierarchy,) = answer.fit.model.hierarchies.values()
        assert len(hierarchy._tables) <= 3


def test_intermediate_requests_are_dropped_and_the_last_is_answered():
    import asyncio
    import threading

    done, gate = [], threading.Event()

    def work(request):
        gate.wait(10)
        if request == "fails":
            raise ValueError(request)
        return request * 2

    async def told(result):
        done.append((result.request, result.value, type(result.wrong).__name__))

    async def run():
        latest = Latest(work, told)
        for request in (1, 2, 3, 4):
            latest.ask(request)
            await asyncio.sleep(0)
        gate.set()
        while latest.busy:
            await asyncio.sleep(0.01)
        latest.ask("fails")
        while latest.busy:
            await asyncio.sleep(0.01)
        return latest.dropped

    assert asyncio.run(run()) == 2
    assert done == [(1, 2, "NoneType"), (4, 8, "NoneType"), ("fails", None, "ValueError")]
