"""Nothing overlaps and nothing is cut, on any page and for any number of diseases and studies."""

import importlib.util
from pathlib import Path

import pytest

from mscpool.analysis.publish import draw, exhibits, style_of

spec = importlib.util.spec_from_file_location("geometry", Path(__file__).parent / "geometry.py")
geometry = importlib.util.module_from_spec(spec)
spec.loader.exec_module(geometry)

PRESETS = ("single", "double", "slide")
SIZES = ((1, 1), (6, 24), (2, 60), (20, 60))


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}-diseases-{size[1]}-studies")
def test_nothing_overlaps_or_is_cut(sized, size, preset):
    evidence, fit, check = sized[size]
    style = style_of(evidence, check, preset)
    poolings = dict.fromkeys(("none", "partial", "complete"), fit)
    found = {
        each.name: wrong
        for each in exhibits(fit, evidence, check, poolings)
        if (wrong := geometry.flaws(draw(each, style), style))
    }
    assert not found
