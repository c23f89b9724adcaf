"""Figures of effects: marks stand where the numbers are, and the axis of ratios is readable."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.patches import Polygon

from mscpool.analysis.guard.result import Check, CheckResult
from mscpool.analysis.paper.frames import effect_figures as gather
from mscpool.analysis.paper.frames.effects import compared_sets
from mscpool.analysis.paper.frames.results import Results
from mscpool.analysis.paper.publish.publish import style_of
from mscpool.analysis.paper.publish.rendering import draw
from mscpool.analysis.paper.words.captions_effects import (
    EFFECT_RATES,
    EFFECTS_FOREST,
    LABBE,
    labbe,
)
from mscpool.data.evidence import load_evidence
from mscpool.figures.effect_rates import draw_effect_rates
from mscpool.figures.effects_forest import draw_effects_forest
from mscpool.figures.labbe import draw_labbe
from mscpool.figures.log_axis import ratio_limits, ratio_ticks
from mscpool.figures.style import drawing, make_style, text_width

from .test_geometry import flaws

TABLE = """study,disease,outcome,arm,events_min,events_max,n,months
Anderson-Papadopoulos 1999,first_disease,improvement,msc,30,42,5400,6
Anderson-Papadopoulos 1999,first_disease,improvement,control,44,44,5100,6
Second 2001,first_disease,improvement,msc,7,7,15,6
Second 2001,first_disease,improvement,control,5,5,16,6
Third 2004,chronic_inducible_cholinergic_urticaria,improvement,msc,12,12,23,6
Third 2004,chronic_inducible_cholinergic_urticaria,improvement,control,3,3,12,6
Silent 2007,chronic_inducible_cholinergic_urticaria,improvement,msc,0,0,12,6
Silent 2007,chronic_inducible_cholinergic_urticaria,improvement,control,0,0,12,6
Single 2010,third,improvement,msc,8,8,12,6
Second 2001,first_disease,death,msc,1,1,15,6
Second 2001,first_disease,death,control,0,0,16,12
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "two_arms.csv"
    path.write_text(TABLE)
    made = Results(None, load_evidence(path), CheckResult("pass", (), Check("sampling", "pass")))
    vars(made)["config"] = {"pooling": "partial", "data_sha256": "0" * 64}
    return made


@pytest.fixture(scope="module")
def comparison(results):
    [only] = results.compared
    return only


@pytest.fixture(scope="module")
def forest(comparison):
    return gather.forest_data(comparison, "improvement")


@pytest.fixture(params=("single", "double", "slide"))
def style(request, results):
    return style_of(results, request.param)


def marked(figure, gid):
    return figure.findobj(lambda artist: artist.get_gid() == gid)


def words(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts] + [
        text.get_text() for text in figure.texts
    ]


@pytest.mark.parametrize("kind", [EFFECTS_FOREST, LABBE, EFFECT_RATES], ids=lambda kind: kind.name)
def test_nothing_overlaps_or_is_cut(results, style, kind):
    found = {each.name: flaws(draw(each, style), style) for each in kind.exhibits(results)}
    assert found
    assert not any(found.values()), found


def test_the_forest_has_a_row_for_everything(forest, comparison):
    rows = forest["row"].to_list()
    assert rows == [
        *("effect", "study", "study", "new_study"),
        *("effect", "study", "study", "new_study"),
        "effect",
    ]
    assert forest["evidence"].iloc[-1] == "borrowed"
    assert forest["label"].str.endswith(" *").sum() == 4  # no design is known
    effect = comparison.contrasts.iloc[0]
    assert forest["estimate"].iloc[0] == pytest.approx(np.exp(effect["q50"]))
    silent = forest[forest["study"] == "Silent 2007"].iloc[0]
    assert np.isnan(silent["estimate"])
    second = forest[forest["study"] == "Second 2001"].iloc[0]
    assert second["raw"] == pytest.approx((7 / 8) / (5 / 11))


def test_marks_of_the_forest_stand_at_the_ratios(forest, style):
    figure = draw_effects_forest(forest, style)
    studies = forest[(forest["row"] == "study") & forest["estimate"].notna()]
    shown = [line.get_xdata()[0] for line in marked(figure, "study")]
    assert shown == pytest.approx(studies["estimate"].to_list())
    observed = [line.get_xdata()[0] for line in marked(figure, "observed")]
    assert observed == pytest.approx(forest["raw"].dropna().to_list())
    diamonds = [shape for shape in figure.findobj(Polygon) if shape.get_gid() == "disease"]
    in_plot = [shape for shape in diamonds if shape.axes.get_gid() != "key"]
    middles = [shape.get_xy()[1][0] for shape in in_plot]
    assert middles == pytest.approx(forest.loc[forest["row"] == "effect", "estimate"].to_list())
    hollow = [shape.get_facecolor()[:3] == (1, 1, 1) for shape in in_plot]
    assert hollow == [False, False, True]


def test_the_forest_writes_both_arms_and_every_ratio(forest, style):
    said = words(draw_effects_forest(forest, style))
    assert {"30–42/5400", "44/5100", "7/15", "5/16", "0/12"} <= set(said)
    effect = forest.iloc[0]
    assert f"{effect['estimate']:.2f} [{effect['low']:.2f}, {effect['high']:.2f}]" in said
    assert said.count("tells nothing") == 1
    assert "Favours treatment →" in said


def test_a_harm_has_its_better_side_on_the_left(comparison, style):
    said = words(draw_effects_forest(gather.forest_data(comparison, "death"), style))
    assert "← Favours treatment" in said
    assert "Hazard ratio" in said


def test_no_name_of_a_study_is_cut_in_a_column(forest, results):
    said = words(draw_effects_forest(forest, style_of(results, "single")))
    assert {f"{name} *" for name in results.evidence.studies["study"][:4]} <= set(said)


def test_an_interval_beyond_the_axis_ends_in_an_arrow(forest, style):
    wide = forest.assign(
        low=forest["low"].where(forest["row"] != "effect", 1e-4),
        raw_high=forest["raw_high"].where(forest["study"] != "Second 2001", 1e5),
    )
    figure = draw_effects_forest(wide, style)
    ends = [line.get_xdata()[0] for line in marked(figure, "beyond")]
    limits = marked(figure, "beyond")[0].axes.get_xlim()
    assert ends.count(limits[0]) >= 3
    assert ends.count(limits[1]) >= 1


@pytest.mark.parametrize("width", [50, 70, 250, 500])
@pytest.mark.parametrize("values", [(1,), (0.9, 1.4), (0.3, 12), (0.001, 1e6), (4, 9), (0.02, 0.1)])
def test_ticks_of_ratios_are_few_round_and_apart(values, width):
    style = make_style("single")
    with drawing(style):
        low, high = ratio_limits(values)
        ticks = ratio_ticks(low, high, width, style)
        rooms = [text_width(f"{tick:g}", style.small) for tick in ticks]
    assert 1 in ticks
    assert all(low <= tick <= high for tick in ticks)
    assert {f"{tick:e}"[0] for tick in ticks} <= {"1", "2", "3", "5"}
    places = width * np.log(np.array(ticks) / low) / np.log(high / low)
    for (a, b), (first, second) in zip(pairwise(places), pairwise(rooms), strict=True):
        assert b - a > (first + second) / 2


def test_curves_of_shares_have_the_odds_ratio(comparison, style):
    frame = gather.labbe_data(comparison)
    row = comparison.rows.iloc[0]
    curve = frame[(frame["row"] == "curve") & (frame["disease"] == row["disease"])]
    half = curve[curve["control_low"] == 0.5].iloc[0]
    assert half["treated_low"] / (1 - half["treated_low"]) == pytest.approx(row["ratio_q50"])
    assert "curve" not in set(frame.loc[frame["outcome"] == "death", "row"])
    studies = frame[frame["row"] == "study"]
    bounded = studies[studies["study"] == "Anderson-Papadopoulos 1999"].iloc[0]
    assert (bounded["treated_low"], bounded["treated_high"]) == (30 / 5400, 42 / 5400)
    figure = draw_labbe(frame, style)
    assert len(marked(figure, "study")) == len(studies)
    assert len(marked(figure, "curve")) == 2


def test_what_an_effect_means_follows_from_its_ratio(comparison, style):
    frame = gather.effect_rates_data(comparison)
    row = comparison.rows.iloc[0]
    own = frame[(frame["outcome"] == row["outcome"]) & (frame["disease"] == row["disease"])]
    fifth = own.iloc[int((own["control_rate"] - 0.2).abs().argmin())]
    odds = 0.25 * row["ratio_q97.5"]
    assert fifth["high"] == pytest.approx(odds / (1 + odds) - 0.2)
    deaths = frame[frame["outcome"] == "death"]
    fifth = deaths.iloc[int((deaths["control_rate"] - 0.2).abs().argmin())]
    hazard = comparison.rows.set_index("outcome").loc["death", "ratio_q2.5"]
    assert fifth["low"] == pytest.approx(1 - 0.8**hazard - 0.2)
    assert (own["trial_low"] <= own["low"]).all()
    figure = draw_effect_rates(frame, style)
    assert len(marked(figure, "median")) == 3
    assert len(marked(figure, "control")) == 3 + 1  # and in the key


def test_figures_of_effects_carry_the_verdict_of_their_own_guard(results, comparison):
    failed = replace(results, checked=replace(results.checked, verdict="fail"))
    vars(failed)["config"] = results.config
    vars(failed)["compared"] = [comparison]
    style = style_of(failed)
    exhibit = next(EFFECTS_FOREST.exhibits(failed))
    assert exhibit.verdict == comparison.checked.stated != "fail"
    assert not marked(draw(exhibit, style), "guard")
    unchecked = compared_sets(results.evidence.select(outcomes="death"), "partial", check=False)
    vars(failed)["compared"] = unchecked
    exhibit = next(EFFECTS_FOREST.exhibits(failed))
    assert marked(draw(exhibit, style), "guard")


def test_axes_of_one_outcome_do_not_differ(results):
    (exhibit,) = LABBE.exhibits(results)
    frame = exhibit.frame
    assert frame["outcome"].nunique() > 1
    assert "Axes differ." in labbe(frame, results).caption
    alone = frame[frame["outcome"] == frame["outcome"].iloc[0]]
    assert "Axes differ." not in labbe(alone, results).caption


def test_captions_say_what_is_drawn_and_name_no_key(results):
    for kind in (EFFECTS_FOREST, LABBE, EFFECT_RATES):
        for exhibit in kind.exhibits(results):
            said = exhibit.words.caption + exhibit.words.alternative
            assert "first_disease" not in said
            assert "default, numerical integration" in said
    forests = {each.name: each.words.caption for each in EFFECTS_FOREST.exhibits(results)}
    improved = forests["effects_forest_improvement"]
    assert "49 to 61 of 5450 treated patients and 52 of 5140 controls in 4 studies" in improved
    assert "An asterisk marks" in improved
    assert "A study tells nothing" in improved
    assert "A study tells nothing" not in forests["effects_forest_death"]
