"""On dark paper a figure is what a page's filter makes of it: no mark or word keeps its colour."""

from functools import partial

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb

from mscpool.analysis.paper.publish.exhibits import KINDS
from mscpool.analysis.paper.publish.publish import style_of
from mscpool.analysis.paper.publish.rendering import draw
from mscpool.analysis.paper.words.captions import CHARACTERISTICS, EVIDENCE_MAP, RATES
from mscpool.figures.dark import FILTER, dark
from mscpool.figures.page import within_page
from mscpool.figures.style import COLOURS, drawing, legible, make_style

from .test_geometry import results_with_poolings, sensitivity_frames


def pixels(figure, style):
    canvas = FigureCanvasAgg(figure)
    with drawing(style):
        canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3] / 255


def seen_through_the_filter(image):
    """Do as a browser does with `FILTER`: each channel is inverted, then the hue turned."""
    assert FILTER == "invert(0.92) hue-rotate(180deg)"
    inverted = 0.92 * (1 - image) + 0.08 * image
    # Turned by half a circle, a colour is mirrored at the grey of its luminance.
    grey = inverted @ [0.2126, 0.7152, 0.0722]
    return np.clip(2 * grey[..., None] - inverted, 0, 1)


def drawings(shipped, kinds, preset):
    """Draw the figures of some kinds, and those of priors, on a page; give their pixels."""
    results = results_with_poolings(*shipped)
    diseases = results.evidence.diseases
    own, plain = style_of(results, preset), make_style(preset, diseases, "fail")
    made = {each.name: pixels(draw(each, own), own) for k in kinds for each in k.exhibits(results)}
    for drawn, frame in sensitivity_frames(diseases, ("improvement", "death")).items():
        made[drawn.__name__] = pixels(within_page(partial(drawn, frame), plain), plain)
    return made


# The few have every kind of mark: hatched tiles, half-filled circles, shades, images, boxes.
@pytest.mark.parametrize(
    "kinds",
    [
        pytest.param((EVIDENCE_MAP, CHARACTERISTICS, RATES), id="few"),
        pytest.param(KINDS, id="all", marks=pytest.mark.slow),
    ],
)
def test_every_pixel_on_dark_paper_is_as_the_page_shows_it(shipped, kinds):
    light, dark = (drawings(shipped, kinds, preset) for preset in ("single", "single-dark"))
    assert len(light) >= 7
    for name, image in light.items():
        apart = np.abs(dark[name] - seen_through_the_filter(image)).max(axis=2)
        # Where a strong colour meets another it is cut at white before or after the two are mixed.
        assert apart.max() < 0.15, name


def luminance(colour):
    """Relative luminance, with the threshold of WCAG's first text."""
    linear = [((c + 0.055) / 1.055) ** 2.4 if c > 0.03928 else c / 12.92 for c in colour]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


@pytest.mark.parametrize("colour", COLOURS)
def test_words_in_the_colour_of_a_line_are_read_on_white_and_on_dark_paper(colour):
    words = legible(colour)
    assert 1.05 / (luminance(to_rgb(words)) + 0.05) >= 4.49
    on_dark = [luminance(dark(each)[0, :3]) + 0.05 for each in (words, "white")]
    assert on_dark[0] / on_dark[1] >= 4.49
    assert (words == colour.lower()) == (1.05 / (luminance(to_rgb(colour)) + 0.05) >= 4.5)
