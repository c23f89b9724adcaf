"""What a picture says by itself: whom the guard warns of, which density, how far an interval."""

import re

import numpy as np
import pytest
import xarray as xr
from matplotlib.path import Path
from scipy import integrate, stats
from scipy.special import expit, logit

import mscpool as mp
from mscpool.analysis.guard.surprise import LEFT_OUT
from mscpool.analysis.paper.frames import guard as gather_guard
from mscpool.analysis.paper.frames import rates as gather
from mscpool.analysis.paper.frames import sensitivity as gather_sensitivity
from mscpool.analysis.paper.frames.benefit import benefit_harm_data, region
from mscpool.analysis.paper.frames.results import Results
from mscpool.analysis.paper.publish.design import exhibit_of
from mscpool.analysis.paper.publish.exhibits import exhibits
from mscpool.analysis.paper.publish.publish import style_of
from mscpool.analysis.paper.words.captions_guard import calibration
from mscpool.analysis.trial.pictures import pictures
from mscpool.data.names import prior_set_words
from mscpool.figures.benefit_harm import draw_benefit_harm
from mscpool.figures.calibration import draw_calibration
from mscpool.figures.checks import draw_checks
from mscpool.figures.forest import draw_forest, is_rooted
from mscpool.models.priors.catalogue import CATALOGUE


@pytest.fixture
def style(shipped):
    evidence, fit, check = shipped
    return style_of(Results(fit, evidence, check))


def words(figure):
    inside = [text.get_text() for axes in figure.axes for text in axes.texts]
    return [text.get_text() for text in figure.texts] + inside


def test_the_guards_pictures_name_the_study_that_it_warns_of(shipped, style):
    evidence, _, check = shipped
    checks, left = (
        gather_guard.checks_data(check, evidence),
        gather_guard.calibration_data(check, evidence),
    )
    about = checks["check"] == LEFT_OUT
    checks.loc[about, "verdict"], left["verdict"] = "pass", "pass"
    named = set(checks.loc[about, "study"])
    assert named <= set(left["label"])
    for frame, draw in ((checks, draw_checks), (left, draw_calibration)):
        assert not named & set(words(draw(frame, style)))
    chosen = checks.index[about][0]
    checks.loc[chosen, "verdict"] = "warn"
    assert checks.loc[chosen, "study"] in words(draw_checks(checks, style))
    left.loc[0, "verdict"] = "warn"
    assert left.loc[0, "label"] in words(draw_calibration(left, style))


def test_a_study_that_fails_is_not_told_as_one_that_warns(shipped):
    evidence, fit, check = shipped
    left = gather_guard.calibration_data(check, evidence)
    left["verdict"] = "pass"
    left.loc[0, "verdict"], left.loc[1, "verdict"] = "fail", "warn"
    caption = calibration(left, Results(fit, evidence, check)).caption
    assert f"The guard warns of {left.loc[1, 'label']} (" in caption
    assert f"The guard fails {left.loc[0, 'label']} (" in caption


def test_a_prior_is_drawn_by_its_own_density(shipped):
    frame = gather_sensitivity.prior_posterior_data(shipped[1])
    own = frame[(frame["group"] == "prior") & (frame["outcome"] == "improvement")]
    expected = {
        "mu": stats.norm(0, 1.5).pdf,
        "tau": stats.halfnorm(scale=1).pdf,
        "sigma": stats.halfnorm(scale=0.5).pdf,
    }
    for name, density in expected.items():
        rows = own[own["parameter"] == name]
        assert rows["density"].to_numpy() == pytest.approx(density(rows["value"]), rel=1e-9)
    # Level and deviation of a disease: normal given tau, which is integrated.
    rows = own[own["parameter"] == "new_disease"].iloc[20:180:40]
    for value, found in rows[["value", "density"]].to_numpy():
        level = logit(value)
        given = integrate.quad(
            lambda tau, x=level: stats.norm(0, np.hypot(1.5, tau)).pdf(x) * 2 * stats.norm.pdf(tau),
            0, 12,
        )[0]  # fmt: skip
        assert found == pytest.approx(given / (value * (1 - value)), rel=2e-3)


def test_a_forest_of_small_rates_shows_every_observed_interval_whole(shipped, style):
    evidence, fit, _ = shipped
    for outcome in evidence.outcome_names:
        frame = gather.forest_data(fit, evidence, outcome)
        figure = draw_forest(frame, style)
        (axes,) = [each for each in figure.axes if each.get_xlabel()]
        assert axes.get_xlim()[1] >= frame["raw_high"].max()
        assert (axes.get_xscale() == "function") == is_rooted(frame)


def test_no_alternative_text_has_more_digits_than_a_picture_shows(shipped):
    evidence, fit, check = shipped
    told = {each.name: each.words.alternative for each in exhibits(Results(fit, evidence, check))}
    design = mp.design.single_arm(null=0.3, design_prior="beta(8,4)", analysis_prior="beta(1,1)")
    told |= {each.name: exhibit_of(each, design).words.alternative for each in pictures(design)}
    assert len(told) > 20
    for name, text in told.items():
        assert not re.search(r"\de[-+]?\d", text), name
        # Four decimals, or a hundredth of a percent, is more than any axis lets a reader see.
        assert not re.search(r"\d\.\d{4}|\d\.\d{2,} %", text), (name, text)


def test_prior_sets_have_names_that_a_reader_knows():
    named = {name: prior_set_words(name) for name in CATALOGUE}
    assert not [text for text in named.values() if "_" in text or re.search(r"\b(mu|tau)\b", text)]
    assert len(set(named.values())) == len(named)
    assert prior_set_words("tau_half_cauchy_0.5") == "τ half-Cauchy 0.5"
    assert prior_set_words("half_the_size") == "Half the size"


def test_a_region_holds_half_of_the_joint_draws():
    rng = np.random.default_rng(1)
    levels = rng.multivariate_normal([0.4, -3], [[0.5, 0.3], [0.3, 0.9]], 4000)
    draws = expit(levels)
    held = Path(region(*draws.T)).contains_points(draws)
    # A polygon of ninety corners lies a little within its ellipse.
    assert held.mean() == pytest.approx(0.5, abs=0.005)
    assert Path(region(*draws.T, held=0.9)).contains_points(draws).mean() == pytest.approx(
        0.9, abs=0.005
    )


def test_benefit_against_harm_shows_what_was_drawn_and_hollow_what_is_borrowed(shipped, style):
    evidence, fit, _ = shipped
    frame = benefit_harm_data(fit, evidence)
    points = frame[frame["row"] == "rate"].set_index("disease")
    drawn = fit["posterior"].to_dataset()["rate"]
    for disease, row in points.iterrows():
        for axis, outcome in (("x", "improvement"), ("y", "moderate_severe_ae")):
            one = drawn.sel(outcome=outcome, disease=disease)
            expected = np.quantile(one, [0.5, 0.025, 0.975])
            found = row[[axis, f"{axis}_low", f"{axis}_high"]].to_list()
            assert found == pytest.approx(expected, abs=1e-9)
    reported = evidence.rows.groupby("disease")["outcome"].agg(set)
    both = {d for d in evidence.diseases if {"improvement", "moderate_severe_ae"} <= reported[d]}
    assert set(points.index[points["evidence"] == "direct"]) == both
    figure = draw_benefit_harm(frame, style)
    marks = [line for axes in figure.axes for line in axes.lines if line.get_gid() == "rate"]
    hollow = [line for line in marks if line.get_markerfacecolor() == "white"]
    assert (len(marks), len(hollow)) == (len(points), len(points) - len(both))


def test_without_an_outcome_of_harm_nothing_is_set_against_it(sized):
    evidence, fit, _ = sized[1, 1]
    alone = fit.copy()
    alone["posterior"] = xr.DataTree(fit["posterior"].to_dataset().sel(outcome=["improvement"]))
    assert benefit_harm_data(alone, evidence) is None
