"""A few pictures, compared with those that somebody looked at."""

import pytest

from mscpool.analysis.paper.frames import rates as gather
from mscpool.figures.evidence_map import draw_evidence_map
from mscpool.figures.forest import draw_forest
from mscpool.figures.rates import draw_rates
from mscpool.figures.style import make_style

# Matplotlib and its fonts are pinned; what is left is rounding of lines between machines.
image = pytest.mark.mpl_image_compare(
    baseline_dir="baseline", tolerance=4, savefig_kwargs={"dpi": 70}, deterministic=True
)


@image
def test_forest_looks_as_before(shipped):
    evidence, fit, _ = shipped
    style = make_style("single", evidence.diseases, "pass")
    return draw_forest(gather.forest_data(fit, evidence, "improvement"), style)


@image
def test_rates_look_as_before(shipped):
    evidence, fit, _ = shipped
    return draw_rates(gather.rates_data(fit, evidence), make_style("double", evidence.diseases))


@image
def test_evidence_map_looks_as_before(shipped):
    evidence, _, _ = shipped
    style = make_style("single", evidence.diseases)
    return draw_evidence_map(gather.evidence_map_data(evidence), style)
