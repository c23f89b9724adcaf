"""What is drawn is what the data say: marks, rows, labels and limits against the frames."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex, to_rgb

from mscpool.analysis.guard.result import UNCHECKED
from mscpool.analysis.paper.frames import guard as gather_guard
from mscpool.analysis.paper.frames import rates as gather
from mscpool.analysis.paper.frames import sensitivity as gather_sensitivity
from mscpool.analysis.paper.frames.results import Results
from mscpool.analysis.paper.publish.exhibits import exhibits
from mscpool.analysis.paper.publish.publish import style_of
from mscpool.analysis.paper.publish.rendering import draw
from mscpool.analysis.paper.words.captions import BENEFIT_HARM, CHARACTERISTICS, FOREST
from mscpool.analysis.paper.words.captions_guard import CALIBRATION, PREDICTIVE
from mscpool.data.evidence import load_evidence
from mscpool.figures.calibration import draw_calibration
from mscpool.figures.characteristics import draw_characteristics
from mscpool.figures.checks import draw_checks
from mscpool.figures.evidence_map import draw_evidence_map
from mscpool.figures.flip_map import draw_flip_map
from mscpool.figures.forest import draw_forest
from mscpool.figures.joint import draw_joint
from mscpool.figures.pooling import draw_pooling
from mscpool.figures.predictive import draw_predictive
from mscpool.figures.prior_posterior import draw_prior_posterior
from mscpool.figures.rates import draw_rates, draw_safety
from mscpool.figures.style import COLOURS, MARKERS, make_style, text_width, wrapped
from mscpool.models.priors.sets import DEFAULT

from .pretend import pretend_check, pretend_fit


@pytest.fixture
def style(shipped):
    evidence, fit, check = shipped
    return style_of(Results(fit, evidence, check))


def marks(figure, gid, among="lines"):
    """Give the marks of a kind, those of the key left out."""
    shown = [axes for axes in figure.axes if axes.get_gid() != "key"]
    return [mark for axes in shown for mark in getattr(axes, among) if mark.get_gid() == gid]


def words(figure):
    inside = [text.get_text() for axes in figure.axes for text in axes.texts]
    return [text.get_text() for text in figure.texts] + inside


def widest(figure):
    return max(figure.axes, key=lambda axes: axes.get_position().height)


def test_forest_has_a_mark_for_every_row(shipped, style):
    evidence, fit, _ = shipped
    frame = gather.forest_data(fit, evidence, "improvement")
    figure = draw_forest(frame, style)
    studies = frame[frame["row"] == "study"]
    bounded = studies["raw_min"] < studies["raw_max"]
    assert bounded.sum() == 1
    assert len(marks(figure, "study")) == len(studies)
    assert len(marks(figure, "observed")) == (~bounded).sum()
    assert len(marks(figure, "bounds", "patches")) == bounded.sum()
    assert len(marks(figure, "disease", "patches")) == len(evidence.diseases)
    assert len(marks(figure, "prediction", "patches")) == len(evidence.diseases) + 1


def test_forest_marks_stand_at_the_estimates(shipped, style):
    evidence, fit, _ = shipped
    frame = gather.forest_data(fit, evidence, "improvement")
    figure = draw_forest(frame, style)
    drawn = [mark.get_xdata()[0] for mark in marks(figure, "study")]
    np.testing.assert_array_equal(drawn, frame.loc[frame["row"] == "study", "estimate"])
    diamonds = [patch.get_xy()[:3, 0] for patch in marks(figure, "disease", "patches")]
    rates = frame[frame["row"] == "rate"]
    np.testing.assert_array_equal(diamonds, rates[["low", "estimate", "high"]])


def test_forest_diamonds_of_borrowed_rates_are_hollow(shipped, style):
    evidence, fit, _ = shipped
    frame = gather.forest_data(fit, evidence, "improvement")
    figure = draw_forest(frame, style)
    hollow = [to_hex(p.get_facecolor()) == "#ffffff" for p in marks(figure, "disease", "patches")]
    assert hollow == list(frame.loc[frame["row"] == "rate", "evidence"] == "borrowed")
    assert any(hollow)
    assert words(figure).count("no study") == sum(hollow)


def test_forest_writes_counts_and_estimates(shipped, style):
    evidence, fit, _ = shipped
    shown = words(draw_forest(gather.forest_data(fit, evidence, "improvement"), style))
    assert {"Cheng 2022", "8/17", "3–5/5", "Kim 2017, high dose", "Next trial"} <= set(shown)
    assert "A disease not yet tried" in shown


def test_estimates_of_a_forest_have_one_precision(shipped, style):
    evidence, fit, _ = shipped
    frame = gather.forest_data(fit, evidence, "death")
    frame[["estimate", "low", "high"]] = [0.017, 0.001, 0.055]
    frame["raw_min"] = 0.0
    frame.loc[frame["row"] == "new_disease", "high"] = 0.101
    shown = words(draw_forest(frame, style))
    assert "1.7 [0.1, 5.5]" in shown
    assert "1.7 [0.1, 10.1]" in shown


@pytest.mark.parametrize("kind", [PREDICTIVE, CALIBRATION], ids=["predictive", "calibration"])
def test_signs_of_diseases_are_told_where_no_row_names_them(shipped, style, kind):
    evidence, fit, check = shipped
    each = next(kind.exhibits(Results(fit, evidence, check)))
    assert {style.names(d)[0] for d in evidence.diseases} <= set(words(draw(each, style)))


def test_a_count_known_within_bounds_has_its_disease_at_both_ends(shipped, style):
    evidence, fit, _ = shipped
    frame = gather_guard.predictive_data(fit, evidence)
    bounded = frame[frame["raw_min"] < frame["raw_max"]]
    lines = [line for axes in draw_predictive(frame, style).axes for line in axes.lines]
    ends = [(line.get_marker(), *line.get_ydata()) for line in lines if len(line.get_ydata()) == 2]
    for row in bounded.itertuples():
        assert (style.mark(row.disease).marker, row.raw_min, row.raw_max) in ends


def test_no_name_of_a_study_is_cut_on_a_slide(shipped):
    evidence, fit, check = shipped
    style = style_of(Results(fit, evidence, check), "slide")
    each = next(CHARACTERISTICS.exhibits(Results(fit, evidence, check)))
    assert set(each.frame["label"]) <= set(words(draw(each, style)))


@pytest.mark.parametrize("preset", ["single", "double", "slide"])
def test_what_a_star_means_is_told(shipped, preset):
    evidence, fit, _ = shipped
    frame = gather_sensitivity.prior_posterior_data(fit)
    shown = words(draw_prior_posterior(frame, make_style(preset, evidence.diseases)))
    assert ("Log-odds*" in shown) == ("* Death: log hazard a year" in shown)


def test_panels_of_rates_share_their_limits(shipped, style):
    evidence, fit, _ = shipped
    for frame, drawn in (
        (gather.rates_data(fit, evidence), draw_rates),
        (gather.safety_data(fit, evidence), draw_safety),
    ):
        figure = drawn(frame, style)
        panels = [axes for axes in figure.axes if axes.axison]
        assert len(panels) == frame["outcome"].nunique()
        assert {axes.get_xlim() for axes in panels} == {(0.0, 1.0)}
        assert len(marks(figure, "rate")) == (frame["quantity"] == "rate").sum()
        assert len(marks(figure, "prediction", "patches")) == (frame["quantity"] != "rate").sum()


def test_small_rates_have_an_axis_on_which_they_can_be_read(shipped, style):
    evidence, fit, _ = shipped
    outcomes = list(evidence.outcome_names)
    kinds = {
        draw_rates: (gather.rates_data(fit, evidence), "x"),
        draw_pooling: (
            pd.concat(
                gather.pooling_data({"none": fit, "partial": fit}, evidence, o) for o in outcomes
            ),
            "x",
        ),
        draw_predictive: (gather_guard.predictive_data(fit, evidence), "y"),
    }
    for drawn, (frame, which) in kinds.items():
        rare = frame["outcome"] == "serious_ae"
        shares = [
            c for c in frame if c.startswith("raw_") or c in ("q2.5", "q25", "q50", "q75", "q97.5")
        ]
        frame.loc[rare, shares] *= 0.15
        frame.loc[~rare, "q97.5"] = 0.9
        figure = drawn(frame, style)
        axes = [each for each in figure.axes if each.axison]
        limits = [getattr(each, f"get_{which}lim")()[1] for each in axes]
        ends = dict(zip(dict.fromkeys(frame["outcome"]), limits, strict=True))
        assert ends.pop("serious_ae") == pytest.approx(0.2, rel=0.03), drawn
        assert list(ends.values()) == pytest.approx([1.0] * len(ends), rel=0.03)
        labels = [getattr(each, f"get_{which}label")() for each in axes]
        assert "axes differ" in " ".join([*labels, *words(figure)])


def test_safety_writes_the_counts(shipped, style):
    evidence, fit, _ = shipped
    shown = words(draw_safety(gather.safety_data(fit, evidence), style))
    assert "0/133" in shown
    assert "no study" in shown


def test_nested_bars_lie_within_each_other(shipped, style):
    evidence, fit, _ = shipped
    frame = gather.nested_data(fit, evidence, "remission")
    ends = [bar.get_width() for bar in marks(draw_joint(frame, style), "bar", "patches")]
    outer, inner = ends[::2], ends[1::2]
    assert len(outer) == len(inner) == len(evidence.diseases)
    assert all(a >= b for a, b in zip(outer, inner, strict=True))
    wanted = frame.pivot(index="disease", columns="outcome", values="q50")
    assert sorted(outer) == sorted(wanted["improvement"])


def test_evidence_map_writes_every_count_and_hatches_every_gap(shipped, style):
    evidence, _, _ = shipped
    frame = gather.evidence_map_data(evidence)
    figure = draw_evidence_map(frame, style)
    hatched = sum(bool(patch.get_hatch()) for patch in figure.axes[0].patches)
    assert hatched == (frame["patients"] == 0).sum() > 0
    shown = [text for text in words(figure) if text.isdigit()]
    assert sorted(map(int, shown)) == sorted(frame.loc[frame["patients"] > 0, "patients"])


def test_characteristics_have_a_circle_for_every_supplied_outcome(shipped, style):
    evidence, _, _ = shipped
    frame = gather.characteristics_data(evidence)
    figure = draw_characteristics(frame, style)
    supplied = frame[list(evidence.outcome_names)].to_numpy().ravel()
    for certainty in ("reported", "secondary", "derived"):
        assert len(marks(figure, certainty)) == (supplied == certainty).sum()
    assert len(marks(figure, "patients", "patches")) == len(frame) == 24


def test_predictive_check_rings_and_names_studies_outside(shipped, style):
    evidence, fit, _ = shipped
    frame = gather_guard.predictive_data(fit, evidence)
    figure = draw_predictive(frame, style)
    outside = ~frame["inside"].astype(bool)
    assert len(marks(figure, "outside")) == outside.sum() > 0
    assert len(marks(figure, "predicted", "patches")) == 2 * len(frame)
    named = " ".join(words(figure))
    assert frame.loc[outside, "label"].iloc[0] in named


def test_checks_show_discrepancies_and_point_at_alarms(shipped, style):
    evidence, _, check = shipped
    frame = gather_guard.checks_data(check, evidence)
    assert len(marks(draw_checks(frame, style), "check")) == len(frame)
    frame.loc[0, ["mid_p", "verdict"]] = [0.0001, "fail"]
    failed = [m for m in marks(draw_checks(frame, style), "check") if m.get_marker() == "<"]
    assert len(failed) == 1
    assert to_rgb(failed[0].get_color()) != to_rgb("#1a1a1a")


def test_calibration_has_a_mark_for_every_study_left_out(shipped, style):
    evidence, _, check = shipped
    frame = gather_guard.calibration_data(check, evidence)
    figure = draw_calibration(frame, style)
    assert len(marks(figure, "study")) == len(frame)
    (curve,) = marks(figure, "curve")
    # The empirical distribution ends where it must: as many studies as there are at or below one.
    assert curve.get_xdata()[-1] == 1
    assert curve.get_ydata()[-1] == pytest.approx(0)


def test_pooling_joins_the_medians_of_each_disease(shipped, style):
    evidence, fit, _ = shipped
    frame = gather.pooling_data({"none": fit, "partial": fit}, evidence, "remission")
    lines = marks(draw_pooling(frame, style), "shrinkage")
    assert len(lines) == len(evidence.diseases)
    wanted = frame.pivot(index="disease", columns="pooling", values="q50")
    drawn = [list(line.get_xdata()) for line in lines]
    assert drawn == wanted.loc[list(evidence.diseases), ["none", "partial"]].to_numpy().tolist()


def test_prior_and_posterior_hold_all_their_mass(shipped, style):
    evidence, fit, _ = shipped
    frame = gather_sensitivity.prior_posterior_data(fit)
    for (outcome, parameter, group), own in frame.groupby(["outcome", "parameter", "group"]):
        step, wanted = own["value"].diff().median(), 1.0
        if group == "prior" and parameter != "new_disease":
            ends = own["value"].to_numpy()[[0, -1]] + [-step / 2, step / 2]
            wanted = np.diff(getattr(DEFAULT.of(outcome), parameter).cdf(ends))[0]
        # All but the thousandth parts cut off at either end, and what those of few draws hold.
        assert own["density"].sum() * step == pytest.approx(wanted, abs=0.02)
    figure = draw_prior_posterior(frame, style)
    assert len(marks(figure, "posterior")) == 4 * len(evidence.outcome_names)


def test_single_disease_has_no_tau_and_still_a_figure_set(sized):
    evidence, fit, check = sized[1, 1]
    shown = {each.name: each for each in exhibits(Results(fit, evidence, check))}
    assert "tau" not in set(shown["prior_posterior"].frame["parameter"])
    assert "new_disease" not in set(shown["forest_improvement"].frame["row"])


@pytest.fixture(scope="module")
def brief():
    """One pair of outcomes, for what holds of every kind of figure."""
    evidence = load_evidence(outcomes="remission", diseases=("psoriasis", "atopic_dermatitis"))
    return evidence, pretend_fit(evidence), pretend_check(evidence)


@pytest.mark.parametrize(("verdict", "marked"), [("pass", 0), ("warn", 0), ("fail", 1), (None, 1)])
def test_figures_carry_a_mark_where_a_fit_may_not_be_believed_and_no_titles(brief, verdict, marked):
    evidence, fit, check = brief
    said = UNCHECKED if verdict is None else replace(check, verdict=verdict)
    style = style_of(Results(fit, evidence, said))
    for each in exhibits(Results(fit, evidence, said)):
        figure = draw(each, style)
        texts = [text for text in figure.texts if text.get_gid() == "guard"]
        of_fit = each.name not in ("evidence_map", "characteristics")
        assert len(texts) == marked * of_fit, each.name
        assert not any(axes.get_title() for axes in figure.axes), each.name  # words stand outside


def test_one_disease_keeps_one_mark_in_every_selection(shipped):
    evidence, _, _ = shipped
    about = evidence.about
    whole = make_style("double", evidence.diseases, about=about)
    for disease in evidence.diseases:
        alone = make_style("single", ("other", disease), about=about)
        assert alone.mark(disease) == whole.mark(disease)
    with pytest.raises(ValueError, match="name it in diseases"):
        whole.mark("vitiligo")


def test_twenty_diseases_have_twenty_marks():
    names = tuple(f"disease {i}" for i in range(20))
    style = make_style("double", names)
    found = {(style.mark(name).colour, style.mark(name).marker) for name in names}
    assert len(found) == 20
    assert len({style.names(name)[1] for name in names}) == 20


def test_six_diseases_differ_in_greyscale_by_marker(shipped, style):
    evidence, _, _ = shipped
    assert len({style.mark(disease).marker for disease in evidence.diseases}) == 6
    assert np.gcd(len(COLOURS), len(MARKERS)) == 1


# Full loss of one kind of cone, for linear RGB: Machado, Oliveira, Fernandes 2009, table 1, doi
# 10.1109/TVCG.2009.113.
BLIND = {
    "none": np.eye(3),
    "protan": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deutan": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "tritan": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}
TO_XYZ = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]


def lab(linear):
    """CIE L*a*b* of linear RGB, white of D65."""
    xyz = linear @ np.array(TO_XYZ).T / [0.9505, 1.0, 1.089]
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116).T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


@pytest.mark.parametrize("kind", BLIND)
def test_colours_differ_for_every_common_colour_blindness(shipped, style, kind):
    evidence, _, _ = shipped
    colours = np.array([to_rgb(style.mark(disease).colour) for disease in evidence.diseases])
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    seen = lab(np.clip(linear @ np.array(BLIND[kind]).T, 0, 1))
    apart = np.linalg.norm(seen[:, None] - seen[None], axis=2)
    # A difference of 2.3 is just noticeable side by side; marks stand apart, so four times that.
    assert apart[np.triu_indices(len(colours), 1)].min() > 9


def test_type_is_six_to_eight_points_in_a_column(shipped):
    evidence, fit, check = shipped
    for preset, width in (("single", 88), ("double", 180)):
        style = style_of(Results(fit, evidence, check), preset)
        forest = next(FOREST.exhibits(Results(fit, evidence, check)))
        figure = draw(forest, style)
        assert figure.get_figwidth() * 25.4 == pytest.approx(width)
        sizes = {text.get_fontsize() for text in figure.texts}
        sizes |= {text.get_fontsize() for axes in figure.axes for text in axes.texts}
        assert 6 <= min(sizes) <= max(sizes) <= 8


@pytest.mark.parametrize("width", [20, 45, 90, 300])
def test_wrapped_lines_are_no_wider_than_asked(width):
    text = "Chronic spontaneous urticaria with dermographism and Pneumonoultramicroscopic disease"
    lines = wrapped(text, width, 7)
    assert all(text_width(line, 7) <= width for line in lines)
    assert len(lines) <= 3


def test_unknown_preset_is_named():
    with pytest.raises(ValueError, match="unknown preset 'poster'; valid: single, double"):
        make_style("poster")


def flip_grid(probabilities, errors):
    """Give a flip map of three by three priors, the reference in the middle."""
    places = [(mu, tau) for tau in (0.5, 1.0, 2.0) for mu in (-1.0, 0.0, 1.0)]
    frame = pd.DataFrame(places, columns=["mu", "tau_scale"])
    frame["distance"] = np.hypot(frame["mu"], np.log2(frame["tau_scale"]))
    about = {"outcome": "remission", "disease": "psoriasis", "evidence": "direct"}
    asked = {"threshold": 0.3, "direction": "above", "wanted": 0.95}
    return frame.assign(probability=probabilities, mcse=errors, **about, **asked)


def test_a_conclusion_that_flips_within_its_noise_has_no_line(style):
    noisy = flip_grid([0.953, 0.947, 0.954, 0.948, 0.96, 0.95, 0.953, 0.946, 0.955], 0.0046)
    figure = draw_flip_map(noisy, style)
    assert not marks(figure, "border")
    assert len(marks(figure, "undecided")) == 8
    assert "undecided" in " ".join(words(figure))


def test_a_line_stands_between_priors_that_conclude_differently(style):
    certain = flip_grid([0.99, 0.99, 0.9, 0.99, 0.99, 0.9, 0.99, 0.99, 0.9], 0.001)
    figure = draw_flip_map(certain, style)
    assert not marks(figure, "undecided")
    assert [list(mark.get_xdata()) for mark in marks(figure, "border")] == [[0.5, 0.5]] * 3


@pytest.mark.parametrize(("probability", "said"), [(0.99, "above"), (0.5, "below")])
def test_a_panel_of_one_conclusion_says_it(style, probability, said):
    figure = draw_flip_map(flip_grid([probability] * 9, 0.001), style)
    assert f"{said} 0.95 everywhere" in words(figure)
    mixed = draw_flip_map(flip_grid([0.99] * 6 + [0.5] * 3, 0.001), style)
    assert "everywhere" not in " ".join(words(mixed))


def test_a_figure_that_fills_its_page_keeps_its_type_beside_small_print(shipped):
    evidence, fit, check = shipped
    results = Results(fit, evidence, check)
    style = style_of(results, "slide")
    one = next(BENEFIT_HARM.exhibits(results))
    noted = replace(one, note="Guard: warn (any adverse event: warn).", verdict="warn")
    label = draw(noted, style).axes[0].xaxis.label
    assert label.get_fontsize() == style.size
