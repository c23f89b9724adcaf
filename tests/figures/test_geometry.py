"""Nothing overlaps and nothing is cut, on any page and for any number of diseases and studies."""

from functools import partial
from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from mscpool.analysis.paper.frames.results import Results
from mscpool.analysis.paper.publish.exhibits import exhibits
from mscpool.analysis.paper.publish.publish import style_of
from mscpool.analysis.paper.publish.rendering import draw
from mscpool.analysis.paper.words.captions import EVIDENCE_MAP
from mscpool.data.outcomes import OUTCOMES
from mscpool.figures.borrowing import draw_borrowing
from mscpool.figures.flip_map import draw_flip_map
from mscpool.figures.page import within_page
from mscpool.figures.power_scaling import draw_power_scaling
from mscpool.figures.prior_comparison import draw_prior_comparison
from mscpool.figures.style import drawing, make_style

PRESETS = ("single", "double", "slide")
SIZES = ((1, 1), (6, 24), (20, 60))
#: The narrowest page is looked at every time, for one disease and for six; slides for their height.
PAGES = [
    pytest.param(size, preset, id=f"{size[0]}-diseases-{size[1]}-studies-{preset}", marks=marks)
    for size, preset in product(SIZES, PRESETS)
    for marks in [[pytest.mark.slow] if size[0] == 20 or preset != "single" else []]
]
# Boxes have the height of the tallest letters of a font, lines of 1.25 times its size touch them.
TOLERANCE = 2.0
DPI = 144


def shown_texts(figure):
    """Give the texts of a figure that are drawn, ticks beyond the axis left out."""
    texts = list(figure.texts)
    for axes in figure.axes:
        texts += axes.texts
        if not axes.axison:
            continue
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            slack = 1e-9 * (high - low)
            for tick in axis.get_major_ticks():
                if low - slack <= tick.get_loc() <= high + slack:
                    texts += [tick.label1]
            texts.append(axis.label)
    return [text for text in texts if text.get_visible() and text.get_text().strip()]


def flaws(figure, style):
    """Name every text that lies on another or leaves the page, and marks that leave the page."""
    figure.set_dpi(DPI)
    renderer = FigureCanvasAgg(figure).get_renderer()
    with drawing(style):
        figure.draw_without_rendering()
    boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in shown_texts(figure)]
    page = figure.bbox
    found = [f"'{text}' leaves the page" for text, box in boxes if leaves(box, page)]
    for (one, a), (other, b) in combinations(boxes, 2):
        across = min(a.x1, b.x1) - max(a.x0, b.x0)
        down = min(a.y1, b.y1) - max(a.y0, b.y0)
        if across > TOLERANCE and down > TOLERANCE:
            found.append(f"'{one}' lies on '{other}'")
    whole = figure.get_tightbbox(renderer)
    inches = whole.x0, whole.y0, whole.x1 - figure.bbox_inches.x1, whole.y1 - figure.bbox_inches.y1
    if min(inches[:2]) < -0.02 or max(inches[2:]) > 0.02:
        found.append(f"marks leave the page by {inches} inches")
    return found


def leaves(box, page):
    """Whether a box is not within the page."""
    return (
        box.x0 < page.x0 - TOLERANCE
        or box.y0 < page.y0 - TOLERANCE
        or box.x1 > page.x1 + TOLERANCE
        or box.y1 > page.y1 + TOLERANCE
    )


def results_with_poolings(evidence, fit, check):
    return Results(fit, evidence, check, dict.fromkeys(("none", "partial", "complete"), fit))


def drawn_of_each_kind(results, style):
    """Draw the figure set, of forests some: they differ in their numbers only."""
    # The widest head and axis stand for all six.
    spared = {"forest_remission", "forest_any_ae", "forest_serious_ae", "joint_moderate_severe_ae"}
    spared |= {f"effects_forest_{name}" for name in ("improvement", "remission", "serious_ae")}
    shown = [each for each in exhibits(results) if each.name not in spared]
    return {each.name: draw(each, style) for each in shown}


@pytest.mark.parametrize(("size", "preset"), PAGES)
def test_nothing_overlaps_or_is_cut(sized, size, preset):
    results = results_with_poolings(*sized[size])
    style = style_of(results, preset)
    figures = drawn_of_each_kind(results, style)
    found = {name: wrong for name, figure in figures.items() if (wrong := flaws(figure, style))}
    assert not found


def test_a_slide_is_no_higher_than_the_slide(shipped):
    results = results_with_poolings(*shipped)
    style = style_of(results, "slide")
    figures = drawn_of_each_kind(results, style)
    assert max(figure.get_figheight() for figure in figures.values()) <= 190.5 / 25.4
    small = min(text.get_fontsize() for each in figures.values() for text in shown_texts(each))
    assert small >= style.preset.least


def sensitivity_frames(diseases, outcomes=OUTCOMES):
    """Give frames of the sensitivity figures, of any numbers."""
    rng = np.random.default_rng(4)
    sets = ["default", "a_prior_set_with_a_long_name_of_its_own", *map("set_{}".format, range(6))]
    priors = pd.DataFrame(product(sets, outcomes, diseases), columns=["set", "outcome", "disease"])
    quantiles = np.sort(rng.uniform(size=(len(priors), 3)), axis=1)
    priors[["q2.5", "q50", "q97.5"]] = quantiles
    priors["evidence"] = np.where(priors["disease"] == diseases[-1], "borrowed", "direct")
    matrix = pd.DataFrame(
        product(outcomes, diseases, diseases), columns=["outcome", "disease", "left_out"]
    )
    matrix["change"] = rng.normal(size=len(matrix)) * 3
    grid = product(("moderate_severe_ae",), diseases, np.linspace(-3, 3, 5), (0.125, 0.5, 1, 4))
    flips = pd.DataFrame(grid, columns=["outcome", "disease", "mu", "tau_scale"])
    flips["distance"] = np.hypot(flips["mu"], np.log2(flips["tau_scale"]))
    flips["probability"] = 1 / (1 + np.exp(-flips["mu"] - flips["tau_scale"]))
    flips = flips.assign(mcse=0.01, evidence="direct")
    flips.loc[flips["disease"] == diseases[-1], "evidence"] = "borrowed"
    flips = flips.assign(threshold=0.5, direction="below", wanted=0.95)
    scaling = pd.DataFrame(
        product(outcomes, ("mu", "tau", "sigma")), columns=["outcome", "parameter"]
    )
    numbers = ["prior", "prior_mcse", "likelihood", "likelihood_mcse"]
    scaling[numbers] = rng.uniform(0, 0.3, (len(scaling), 4))
    scaling["verdict"] = "prior dominates"
    return {
        draw_prior_comparison: priors,
        draw_borrowing: matrix,
        draw_flip_map: flips,
        draw_power_scaling: scaling,
    }


@pytest.mark.parametrize(("size", "preset"), PAGES)
def test_nothing_overlaps_or_is_cut_in_figures_of_priors(sized, size, preset):
    diseases = sized[size][0].diseases
    style = make_style(preset, diseases, "fail")
    frames = sensitivity_frames(diseases)
    found = {
        drawn.__name__: wrong
        for drawn, frame in frames.items()
        if (wrong := flaws(within_page(partial(drawn, frame), style), style))
    }
    assert not found


def test_overlap_and_cut_are_noticed(shipped):
    evidence, fit, check = shipped
    style = style_of(Results(fit, evidence, check))
    figure = draw(next(EVIDENCE_MAP.exhibits(Results(fit, evidence, check))), style)
    assert not flaws(figure, style)
    figure.text(0.5, 0.5, "a text on others, from edge to edge of the tiles", ha="center")
    figure.text(0.99, 0.99, "a text beyond the page")
    wrong = " ".join(flaws(figure, style))
    assert "lies on" in wrong
    assert "leaves the page" in wrong
