import itertools

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from mscpool.analysis.trial import design_frames as frames
from mscpool.analysis.trial.design import ess, precision, single_arm, two_arm, two_stage
from mscpool.analysis.trial.monitoring import monitor, safety
from mscpool.figures.design_boundaries import draw_design_boundaries
from mscpool.figures.design_ess import draw_design_ess
from mscpool.figures.design_operating import draw_design_operating, draw_design_type1
from mscpool.figures.design_precision import draw_design_precision
from mscpool.figures.design_priors import draw_design_priors
from mscpool.figures.design_size import draw_design_size
from mscpool.figures.design_stages import draw_design_stages
from mscpool.figures.style import PRESETS, make_style
from mscpool.models.rates.prior import parse_prior, sampled_rate

NULL_TARGET = (("null", 0.2), ("target", 0.25))
MIXTURE = "0.8*beta(12,28)+0.2*beta(1,1)"


@pytest.fixture(scope="module")
def drawn():
    """Frames of every figure, by name, with what draws them."""
    single = single_arm(
        null=0.2, target=0.4, power_at=[0.3, 0.5], n_max=80, design_prior="beta(8,12)"
    )
    arms = two_arm(n_experimental=20, n_control=8, analysis_prior_control="beta(12,28)")
    watch = safety(null=0.1, target=0.3, boundary="sprt", n_max=30)
    looks = monitor(null=0.2, look=[10, 20, 30], futility=0.05, efficacy=0.99)
    precise = precision(width=0.2)
    sizes = {words: precise.to_dict()[name] for name, words in frames.CRITERIA.items()}
    draws = sampled_rate(np.random.default_rng(1).beta(8, 12, 4000))
    size = frames.size_frame(single), {
        "recommended_n": single.to_dict()["recommended_n"], "wanted": (("wanted", 0.8),)
    }  # fmt: skip
    return {
        "size": (draw_design_size, *size),
        "operating": (
            draw_design_operating,
            frames.ending_frame(single),
            {"rates": NULL_TARGET},
        ),
        "endings": (draw_design_operating, frames.ending_frame(looks), {}),
        "stops": (draw_design_operating, frames.ending_frame(watch), {}),
        "type1": (draw_design_type1, frames.type1_frame(arms, "MAP prior"), {"wanted": 0.05}),
        "boundaries": (draw_design_boundaries, frames.boundary_frame(watch), {}),
        "looks": (draw_design_boundaries, frames.boundary_frame(looks), {"looks": True}),
        "priors": (
            draw_design_priors,
            frames.prior_frame(
                {"design prior": draws, "analysis prior": parse_prior(MIXTURE)},
            ),
            {"rates": NULL_TARGET},
        ),
        "precision": (
            draw_design_precision,
            frames.precision_frame(precise),
            {"coverage": 0.95, "width": 0.2, "sizes": sizes},
        ),
        "stages": (
            draw_design_stages,
            frames.stage_frame(two_stage(null=0.2, target=0.4)),
            {"rates": NULL_TARGET},
        ),
        "worth": (draw_design_ess, frames.ess_frame(ess(prior=MIXTURE)), {}),
        "worth of draws": (draw_design_ess, frames.ess_frame(ess(prior=draws)), {}),
        "flat": (draw_design_ess, frames.ess_frame(ess(prior="beta(1,1)")), {}),
    }


NAMES = (
    *("size", "operating", "endings", "stops", "type1", "boundaries", "looks", "priors"),
    *("precision", "stages", "worth", "worth of draws", "flat"),
)


def panels_of(frame):
    """Give the frame of each panel that has lines, in order."""
    if "panel" not in frame:
        return [frame]
    lines = frame.dropna(subset=["x", "value"])
    return [lines[lines["panel"] == name] for name in dict.fromkeys(lines["panel"])]


@pytest.mark.parametrize("name", NAMES)
def test_every_series_is_drawn_as_in_its_frame(drawn, name):
    draw, frame, options = drawn[name]
    figure = draw(frame, make_style("double"), **options)
    panels = panels_of(frame)
    assert len(figure.axes) == len(panels)
    for axes, panel in zip(figure.axes, panels, strict=True):
        drawn_lines = [line for line in axes.lines if not line.get_label().startswith("_")]
        lines = {line.get_label(): line for line in drawn_lines}
        assert list(lines) == list(dict.fromkeys(panel["series"]))
        for series, line in lines.items():
            own = panel[panel["series"] == series].dropna()
            np.testing.assert_array_equal(line.get_xdata(), own["x"])
            np.testing.assert_array_equal(line.get_ydata(), own["value"])
        assert axes.get_ylabel()
    assert figure.axes[-1].get_xlabel()


@pytest.mark.parametrize("preset", [name for name, page in PRESETS.items() if not page.dark])
@pytest.mark.parametrize("name", NAMES)
def test_no_words_touch_others_or_leave_the_page(drawn, name, preset):
    draw, frame, options = drawn[name]
    figure = draw(frame, make_style(preset), **options)
    FigureCanvasAgg(figure).draw()
    written = [*figure.texts]
    for axes in figure.axes:
        written += [axes.xaxis.label, axes.yaxis.label]
        for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
            # Matplotlib holds labels beyond the ends of an axis, which it does not draw.
            written += [t.label1 for t in axis.get_major_ticks() if low <= t.get_loc() <= high]
    boxes = [
        (text.get_text(), text.get_window_extent())
        for text in written
        if text.get_text() and text.get_visible()
    ]
    page = figure.bbox
    for text, box in boxes:
        assert page.x0 <= box.x0, text
        assert box.x1 <= page.x1, text
        assert page.y0 <= box.y0, text
        assert box.y1 <= page.y1, text
    for (one, first), (other, second) in itertools.combinations(boxes, 2):
        across = min(first.x1, second.x1) - max(first.x0, second.x0)
        along = min(first.y1, second.y1) - max(first.y0, second.y0)
        # Boxes hold descenders and accents that the words have not.
        assert across <= 0.5 or along <= 0.25 * min(first.height, second.height), (one, other)


def test_recommended_size_is_marked_and_named(drawn):
    draw, frame, options = drawn["size"]
    figure = draw(frame, make_style("single"), **options)
    n = options["recommended_n"]
    assert any(list(line.get_xdata()) == [n, n] for line in figure.axes[0].lines)
    assert f"recommended: {n} patients" in [text.get_text() for text in figure.texts]


def test_frames_have_one_shape(drawn):
    for _, frame, _ in drawn.values():
        assert [name for name in frame.columns if name != "panel"] == ["x", "value", "series"]
        assert len(frame)


@pytest.mark.parametrize("verdict", ["fail", None])
def test_a_fit_that_the_guard_did_not_pass_marks_the_picture(drawn, verdict):
    draw, frame, options = drawn["priors"]
    marked = draw(frame, make_style("single", (), verdict), **options)
    passed = draw(frame, make_style("single", (), "pass"), **options)
    stamps = [[t for t in figure.texts if t.get_gid() == "guard"] for figure in (marked, passed)]
    assert [len(each) for each in stamps] == [1, 0]


def test_sizes_and_wishes_of_precision_are_marked(drawn):
    draw, frame, options = drawn["precision"]
    figure = draw(frame, make_style("single"), **options)
    said = [text.get_text() for text in figure.texts]
    for words, n in {"average coverage": 66, "average length": 56, "worst outcome": 93}.items():
        assert f"{words}: {n} patients" in said
    assert "wanted width 20 %" in said
    for axes, wanted in zip(figure.axes, (0.95, 0.2), strict=True):
        assert any(list(line.get_ydata()) == [wanted, wanted] for line in axes.lines)


def test_two_stage_curves_pass_through_the_published_design(drawn):
    _, frame, _ = drawn["stages"]
    at = frame.set_index(["panel", "series", "x"])["value"]
    # Simon 1989: 3/13 and 12/43 for 0.2 against 0.4.
    assert at["early stop", "optimal", 0.2] == pytest.approx(0.75, abs=0.005)
    assert at["expected patients", "optimal", 0.2] == pytest.approx(20.6, abs=0.05)
    assert at["success", "optimal", 0.2] == pytest.approx(0.05, abs=0.005)
    assert at["success", "optimal", 0.4] == pytest.approx(0.8, abs=0.005)
    assert at["success", "optimal", 1.0] == pytest.approx(1.0)


def test_worth_is_written_and_disagreement_said(drawn):
    draw, frame, _ = drawn["worth"]
    said = " ".join(text.get_text() for text in draw(frame, make_style("double")).texts)
    answer = ess(prior=MIXTURE).to_dict()
    for words, name in (("ELIR", "elir"), ("moment", "moment"), ("Morita", "morita")):
        assert f"{words}: {answer[name]:.1f} patients" in said
    assert "the definitions disagree" in said
    assert f"mean {100 * answer['mean']:.1f} %" in said
    draw, frame, _ = drawn["flat"]
    said = " ".join(text.get_text() for text in draw(frame, make_style("double")).texts)
    assert "disagree" not in said


def test_densities_of_draws_have_area_one(drawn):
    _, frame, _ = drawn["priors"]
    for _, own in frame.groupby("series"):
        # The kernel estimate and the trapezoid leave a thousandth.
        assert np.trapezoid(own["value"], own["x"]) == pytest.approx(1, abs=2e-3)


def test_endings_that_cannot_happen_are_not_drawn():
    assert set(frames.ending_frame(safety(null=0.1, n_max=20))["series"]) == {"stop"}
    both = frames.ending_frame(safety(null=0.1, target=0.3, boundary="sprt", n_max=20))
    assert set(both["series"]) == {"stop", "clear"}
    futile = frames.ending_frame(monitor(null=0.3, look=[10, 20], futility=0.1))
    assert set(futile["series"]) == {"futility", "success"}


@pytest.mark.parametrize(("margin", "direction"), [(0.0, "above"), (0.1, "above"), (-0.2, "below")])
def test_type1_error_is_drawn_over_the_whole_range_and_shows_its_top(margin, direction):
    result = two_arm(
        n_experimental=30, n_control=15, margin=margin, direction=direction,
        analysis_prior_control="0.8*beta(30,10)+0.2*beta(1,1)",
    )  # fmt: skip
    frame = frames.type1_frame(result)
    assert frame["x"].min() == pytest.approx(max(0, -margin))
    assert frame["x"].max() == pytest.approx(min(1, 1 - margin))
    # Between points half a per cent apart the error turns by less than this.
    assert frame["value"].max() == pytest.approx(
        result.to_dict()["table"][0]["type1_max"], abs=2e-4
    )


def test_type1_frame_keeps_only_rows_at_the_margin():
    result = two_arm(n_experimental=9, n_control=7, margin=0.1, effect=0.3, control_rate=0.33)
    frame = frames.type1_frame(result)
    shown = pd.DataFrame(result.to_dict()["operating"])
    own = shown[np.isclose(shown["experimental"] - shown["control"], 0.1)]
    assert len(own) < len(shown)
    at = dict(zip(frame["x"], frame["value"], strict=True))
    assert [at[rate] for rate in own["control"]] == pytest.approx(own["success"].to_list())
    assert 0.33 in at


def test_single_arm_operating_characteristics_pass_through_the_table():
    result = single_arm(null=0.2, target=0.4, n_min=30, n_max=30)
    frame = frames.ending_frame(result)
    row = result.to_dict()["table"][0]
    at = dict(zip(frame["x"], frame["value"], strict=True))
    assert (at[0.2], at[0.4]) == pytest.approx((row["type1"], row["power"]["0.4"]))
    assert (at[0.0], at[1.0]) == (0, 1)


def test_no_boundary_at_all_is_an_empty_frame():
    assert frames.boundary_frame(safety(rate=0.05)).empty
