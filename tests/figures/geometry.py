"""What overlaps or is cut in a figure, measured from the boxes of its texts."""

from __future__ import annotations

from itertools import combinations

from matplotlib.backends.backend_agg import FigureCanvasAgg

from mscpool.figures.style import drawing

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
