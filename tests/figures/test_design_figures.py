import itertools

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from mscpool.analysis.design import single_arm, two_arm
from mscpool.analysis.monitoring import monitor, safety
from mscpool.analysis.trial import design_frames as frames
from mscpool.figures.design_boundaries import draw_design_boundaries
from mscpool.figures.design_operating import draw_design_operating, draw_design_type1
from mscpool.figures.design_priors import draw_design_priors
from mscpool.figures.design_size import draw_design_size
from mscpool.figures.style import PRESETS, make_style
from mscpool.models.rate_prior import parse_prior, sampled_rate

NULL_TARGET = (("null", 0.2), ("target", 0.25))


@pytest.fixture(scope="module")
def drawn():
    """Frames of every figure, by name, with what draws them."""
    single = single_arm(
        null=0.2, target=0.4, power_at=[0.3, 0.5], n_max=80, design_prior="beta(8,12)"
    )
    arms = two_arm(n_experimental=20, n_control=8, analysis_prior_control="beta(12,28)")
    watch = safety(null=0.1, target=0.3, boundary="sprt", n_max=30, power_at=frames.RATES[1:-1])
    looks = monitor(
        null=0.2, look=[10, 20, 30], futility=0.05, efficacy=0.99, power_at=frames.RATES[1:-1]
    )
    draws = sampled_rate(np.random.default_rng(1).beta(8, 12, 4000))
    size = frames.size_frame(single), {
        "recommended_n": single.answer["recommended_n"], "wanted": (("wanted", 0.8),)
    }  # fmt: skip
    return {
        "size": (draw_design_size, *size),
        "operating": (
            draw_design_operating,
            frames.operating_frame(single),
            {"rates": NULL_TARGET},
        ),
        "endings": (draw_design_operating, frames.ending_frame(looks), {}),
        "stops": (draw_design_operating, frames.ending_frame(watch), {}),
        "type1": (draw_design_type1, frames.type1_frame(arms, "MAP prior"), {"wanted": 0.05}),
        "boundaries": (draw_design_boundaries, frames.boundary_frame(watch), {}),
        "looks": (draw_design_boundaries, frames.boundary_frame(looks), {}),
        "priors": (
            draw_design_priors,
            frames.prior_frame(draws, parse_prior("0.8*beta(12,28)+0.2*beta(1,1)")),
            {"rates": NULL_TARGET},
        ),
    }


NAMES = ("size", "operating", "endings", "stops", "type1", "boundaries", "looks", "priors")


@pytest.mark.parametrize("name", NAMES)
def test_every_series_is_drawn_as_in_its_frame(drawn, name):
    draw, frame, options = drawn[name]
    axes = draw(frame, make_style("double"), **options).axes[0]
    lines = {line.get_label(): line for line in axes.lines if not line.get_label().startswith("_")}
    assert list(lines) == list(dict.fromkeys(frame["series"]))
    for series, line in lines.items():
        own = frame[frame["series"] == series].dropna()
        np.testing.assert_array_equal(line.get_xdata(), own["x"])
        np.testing.assert_array_equal(line.get_ydata(), own["value"])
    assert axes.get_xlabel()
    assert axes.get_ylabel()


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", NAMES)
def test_no_words_touch_others_or_leave_the_page(drawn, name, preset):
    draw, frame, options = drawn[name]
    figure = draw(frame, make_style(preset), **options)
    FigureCanvasAgg(figure).draw()
    axes = figure.axes[0]
    written = [*figure.texts, axes.xaxis.label, axes.yaxis.label]
    for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        # Matplotlib holds labels beyond the ends of an axis, which it does not draw.
        written += [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
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
        assert list(frame.columns) == ["x", "value", "series"]
        assert len(frame)


def test_type1_frame_keeps_only_rows_at_the_margin():
    result = two_arm(n_experimental=9, n_control=7, margin=0.1, effect=0.3, control_rate=0.33)
    frame = frames.type1_frame(result)
    shown = pd.DataFrame(result.answer["operating"])
    assert len(frame) < len(shown)
    assert 0.33 in frame["x"].to_list()


def test_single_arm_operating_characteristics_pass_through_the_table():
    result = single_arm(null=0.2, target=0.4, n_min=30, n_max=30)
    frame = frames.operating_frame(result)
    row = result.answer["table"][0]
    at = dict(zip(frame["x"], frame["value"], strict=True))
    assert (at[0.2], at[0.4]) == pytest.approx((row["type1"], row["power"]["0.4"]))
    assert (at[0.0], at[1.0]) == (0, 1)


def test_no_boundary_at_all_is_an_empty_frame():
    assert frames.boundary_frame(safety(rate=0.05)).empty
