"""Effects against a moderator: the published regression of BCG trials on latitude."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from mscpool.analysis.effects.effects import check_again, checked, effects
from mscpool.analysis.effects.priors import compare_effect_priors
from mscpool.analysis.effects.results import contrasts, effect_hyper, messages
from mscpool.analysis.fitting.moderated import heterogeneity, moderators, reported_at
from mscpool.analysis.terminal import cli
from mscpool.data.evidence import load_evidence
from mscpool.models.effects.priors import DEFAULT_EFFECTS, EffectPriors
from mscpool.models.effects.textbook import contrast_terms
from mscpool.models.priors.prior import Prior
from mscpool.models.priors.sets import PriorSet

REFERENCE = Path(__file__).parents[2] / "reference"


@pytest.fixture(scope="module")
def trials():
    return json.loads((REFERENCE / "moderators.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def table(trials, tmp_path_factory):
    """The BCG trials as a CSV, treated and control arms, with their latitude and hemisphere."""
    data = json.loads((REFERENCE / "contrasts.json").read_text("utf-8"))["bcg"]["data"]
    lines = ["study,arm,events,n,latitude,site"]
    pairs = zip(data, trials["latitude"], strict=True)
    for i, ((control, n_control, treated, n_treated), latitude) in enumerate(pairs):
        site = "north" if latitude > 30 else "south"
        lines.append(f"trial {i + 1},control,{control},{n_control},{latitude},{site}")
        lines.append(f"trial {i + 1},msc,{treated},{n_treated},{latitude},{site}")
    path = tmp_path_factory.mktemp("data") / "bcg.csv"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


@pytest.mark.mcmc
@pytest.mark.slow
def test_bcg_effects_against_latitude_are_those_published(table, trials):
    """Dias and others, NICE DSU TSD 3, as in multinma: priors nearly flat."""
    sd = float(np.std(trials["latitude"], ddof=1))
    wide = Prior.make("Normal", mu=0, sigma=100)
    priors = EffectPriors(
        PriorSet(
            "published",
            mu=wide,
            sigma=Prior.make("HalfNormal", sigma=5),
            moderator=Prior.make("Normal", mu=0, sigma=100 * sd),
        ),
        baseline=wide,
    )
    made = effects(
        load_evidence(table), priors=priors, moderators="latitude", check=False,
        draws=1500, tune=500, seed=2,
    )  # fmt: skip
    published = trials["published"]
    slope = moderators(made).set_index("per").loc["unit"]
    # Published to three digits, from draws as well: five errors of ours beside half a last digit.
    for name, wanted in zip(("mean", "sd"), published["slope_per_degree"], strict=True):
        error = 5 * slope["mcse_mean"] + 0.0005
        assert slope[name] == pytest.approx(wanted, abs=error + 0.0005), name
    effect = contrasts(made).set_index("quantity").loc["effect"]
    for name, wanted in zip(("mean", "sd"), published["effect_at_mean_latitude"], strict=True):
        assert effect[name] == pytest.approx(wanted, abs=5 * effect[f"mcse_{name}"] + 0.005), name
    spread = effect_hyper(made).set_index("parameter").loc["sigma"]
    assert spread["q50"] == pytest.approx(published["tau_median"], abs=0.012)
    assert reported_at(made) == {"latitude": pytest.approx(33.46, abs=0.005)}
    taken = heterogeneity(made).set_index("parameter").loc["sigma"]
    assert taken["q50_with"] < taken["q50_without"]
    assert "every effect was sampled" in " ".join(messages(made))


@pytest.mark.mcmc
@pytest.mark.slow
def test_prior_sets_and_the_guard_asked_again_have_the_moderator_in(table):
    evidence = load_evidence(table)
    narrow = Prior.make("Normal", mu=0, sigma=0.2)
    sets = [DEFAULT_EFFECTS, EffectPriors(PriorSet("narrow", moderator=narrow))]
    told, coefficients = compare_effect_priors(evidence, sets, moderators=["latitude"])
    made = effects(evidence, moderators="latitude")
    alone, own = contrasts(made).set_index("quantity").loc["effect"], moderators(made)
    assert told["ratio_q50"].iloc[0] == alone["ratio_q50"]
    assert told["log_marginal_likelihood"].isna().all()
    by_set = coefficients[coefficients["per"] == "sd"].set_index("set")
    assert by_set.at["default", "mean"] == own.set_index("per").at["sd", "mean"]
    # A conjugate normal with the default's mean and SD, its prior N(0, 1) taken for N(0, 0.2).
    mean, sd = by_set.loc["default", ["mean", "sd"]]
    precision = 1 / sd**2 - 1 + 1 / 0.2**2
    assert by_set.at["narrow", "mean"] == pytest.approx(mean / sd**2 / precision, abs=0.06)
    assert check_again(made, evidence).to_dict() == checked(made).to_dict()


def test_contrasts_have_the_rows_of_the_matrix(table):
    from mscpool.data.controlled import controlled_rows

    evidence = load_evidence(table, moderators=("latitude", "site"))
    rows = controlled_rows(evidence).rows
    terms = contrast_terms(rows, evidence.diseases, evidence.moderators)
    latitude = pd.Series(evidence.moderators[0].values)
    wanted = (latitude - latitude.mean()) / latitude.std()
    np.testing.assert_allclose(terms.design.matrix[:, 0], wanted[terms.effects["study"]])
    north = np.array([evidence.moderators[1].values[s] == "north" for s in terms.effects["study"]])
    np.testing.assert_allclose(terms.design.matrix[:, 1] * np.sqrt(2), north)
    moved = replace(evidence.moderators[0], at=55.0)
    there = contrast_terms(rows, evidence.diseases, (moved, evidence.moderators[1])).design.at
    assert there[0, 0] == pytest.approx((55 - latitude.mean()) / latitude.std())


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("--moderator", "longitude"), "unknown moderator 'longitude'; did you mean latitude?"),
        (("--moderator", "latitude", "--at", "latitude=north"), "at latitude=north: not a number"),
    ],
)
@pytest.mark.parametrize("command", [("effects",), ("priors", "--effects")])
def test_bad_moderators_of_effects_are_refused_in_a_line(table, tmp_path, command, words, wanted):
    out = tmp_path / "out"
    asked = [*command, str(table), *words, "--out", str(out), "--json"]
    done = CliRunner().invoke(cli.app, asked)
    assert done.exit_code == 2
    (problem,) = json.loads(done.stdout)["problems"]
    assert problem["message"].startswith(wanted)
