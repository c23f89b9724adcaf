"""Effects sampled: the same tables as integrated, from draws."""

import json

import numpy as np
import pandas as pd
import pytest

import mscpool as mp
from mscpool.analysis.effects import effects as room
from mscpool.analysis.effects import results
from mscpool.analysis.effects.model import fit_effects
from mscpool.analysis.effects.sampled import SampledEffects, SampledPosterior, statistics
from mscpool.data.errors import InputError
from mscpool.models.exact.draws import draw

GOOD = {
    "max_r_hat": 1.0, "min_ess_bulk": 4000.0, "min_ess_tail": 4000.0, "divergences": 0,
    "e_bfmi": 1.0, "draws": 4000,
}  # fmt: skip


@pytest.fixture(scope="module")
def evidence(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "arms.csv"
    path.write_text(
        "study,disease,arm,events,n\nA,first,msc,9,20\nA,first,control,4,21\nB,first,msc,7,15\n"
        "B,first,control,5,16\nC,second,msc,14,23\nC,second,control,3,12\nD,third,msc,8,12\n"
        "N,second,msc,0,9\nN,second,control,0,8\n"
    )
    return mp.load_evidence(path)


def drawn_exactly(rows, diseases, pooling, priors, sampling, progress, moderators):
    """Draws of the exact engine in place of a sampler's."""
    rng = np.random.default_rng(sampling.seed)
    shape, found = (sampling.chains, sampling.draws), {}
    for name, posterior in fit_effects(rows, diseases, pooling, priors).posteriors.items():
        one = draw(posterior, shape[0] * shape[1], rng)
        untried = one.mu + one.tau * rng.standard_normal(len(one.mu))
        theta = np.column_stack([one.theta, untried])
        fresh = theta + one.sigma[:, None] * rng.standard_normal(theta.shape)
        hierarchy = posterior.hierarchy
        found[name] = SampledPosterior(
            hierarchy,
            {n: getattr(one, n).reshape(shape) for n in ("mu", "tau", "sigma")},
            theta.reshape(*shape, -1),
            fresh.reshape(*shape, -1),
            {s: one.eta[:, i].reshape(shape) for i, s in enumerate(hierarchy.likelihoods.studies)},
        )
    assert not moderators
    return SampledEffects(found, GOOD)


def near(one, other, error):
    return np.abs(one.to_numpy() - other.to_numpy()).max() < error


@pytest.mark.slow
def test_draws_give_the_tables_guard_and_store_of_integrals(evidence, tmp_path, monkeypatch):
    exact = mp.effects(evidence, control_rate=0.3)
    monkeypatch.setattr(room, "sample_effects", drawn_exactly)
    made = mp.effects(evidence, control_rate=0.3, engine="nuts", draws=4000, path=tmp_path)
    mine, theirs = mp.contrasts(exact), mp.contrasts(made)
    assert list(mine.columns) == list(theirs.columns)
    about = ["outcome", "disease", "quantity", "scale", "studies", "patients", "evidence"]
    pd.testing.assert_frame_equal(mine[about], theirs[about])
    assert (np.abs(mine["mean"] - theirs["mean"]) < 4 * theirs["mcse_mean"]).all()
    for column in ("q2.5", "q50", "q97.5"):
        assert near(theirs[column], mine[column], 0.12)
    # 16,000 independent draws: an error of at most 0.004, four times.
    assert near(theirs["probability_benefit"], mine["probability_benefit"], 0.016)
    one, other = (mp.study_effects(each).set_index("study") for each in (exact, made))
    assert near(other["q50"], one["q50"], 0.06)
    assert other["informs"].to_dict() == {"A": True, "B": True, "C": True, "N": False}
    one, other = mp.absolute_effects(exact), mp.absolute_effects(made)
    assert near(other["risk_difference_mean"], one["risk_difference_mean"], 0.01)
    one, other = room.checked(exact), room.checked(made)
    assert other.outcomes == one.outcomes
    assert other.sampling.details == GOOD
    assert room.check_again(made, evidence).to_dict() == other.to_dict()
    assert near(results.effect_hyper(made)["mean"], results.effect_hyper(exact)["mean"], 0.05)
    config = json.loads(results.load_effects(tmp_path).attrs["run_config"])
    assert (config["engine"], config["draws"]) == ("nuts", 4000)


def test_statistics_of_a_fixed_parameter_have_no_error():
    found = statistics(np.full((4, 100), 0.3))
    assert [found[name] for name in ("mean", "q97.5")] == pytest.approx([0.3, 0.3])
    assert found["mcse_mean"] == found["mcse_sd"] == 0


def test_an_unknown_engine_and_exnex_are_refused_in_a_line(evidence):
    with pytest.raises(InputError, match="unknown engine 'vi'"):
        mp.effects(evidence, engine="vi")
    with pytest.raises(InputError, match="effects under exnex are integrated, not sampled"):
        mp.effects(evidence, "exnex", engine="nuts")


@pytest.mark.slow
@pytest.mark.mcmc
@pytest.mark.parametrize("pooling", ["partial", "complete", "none", "robust"])
def test_both_engines_agree_on_the_shipped_evidence(pooling, root):
    evidence = mp.load_evidence(root / "data", analysis_set="current", means=True)
    exact = mp.contrasts(mp.effects(evidence, pooling, check=False))
    made = mp.effects(evidence, pooling, engine="nuts")
    drawn = mp.contrasts(made)
    gap = (exact["mean"] - drawn["mean"]) / drawn["mcse_mean"]
    assert np.abs(gap).max() < 5  # the largest of up to 78
    assert np.log(drawn["sd"] / exact["sd"]).abs().max() < 0.1
    for column in ("q2.5", "q50", "q97.5"):
        assert (np.abs(exact[column] - drawn[column]) / exact["sd"]).max() < 0.25
    assert room.checked(made).sampling.verdict == "pass"
