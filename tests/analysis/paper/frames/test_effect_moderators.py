"""Figures of moderated effects: what they draw, and what is said of it."""

import json

import numpy as np
import pandas as pd
import pytest

import mscpool as mp
from mscpool.analysis.effects.at_values import COLUMNS
from mscpool.analysis.effects.effects import checked
from mscpool.analysis.fitting.moderated import COLUMNS as COEFFICIENTS
from mscpool.analysis.fitting.summary import to_dataset
from mscpool.analysis.paper.frames.effect_results import EffectResults
from mscpool.analysis.paper.publish.exhibits import one_by_one
from mscpool.analysis.paper.publish.publish import publish
from mscpool.figures.style import make_style

from ....builders import evidence_of

DOSES = {"A": 1.0, "B": 3.0, "C": 8.0}
TABLE = """study,arm,events,n,dose
A,msc,9,20,1
A,control,4,21,1
B,msc,7,15,3
B,control,5,16,3
C,msc,8,80,8
C,control,3,79,8
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Effects of three studies, given a coefficient and a line as if they had been sampled."""
    evidence = evidence_of(tmp_path_factory.mktemp("data"), TABLE)
    made = mp.effects(evidence)
    numbers = dict.fromkeys(COEFFICIENTS, 0.5)
    numbers |= {"ratio_q2.5": 0.8, "ratio_q50": 1.6, "ratio_q97.5": 3.1, "studies": 3}
    about = {"outcome": "response", "moderator": "dose", "contrast": "", "reference": "",
             "scale": "log_odds_ratio"}  # fmt: skip
    rows = [numbers | about | {"per": per} for per in ("unit", "sd")]
    made["moderators"] = to_dataset(pd.DataFrame(rows))
    values = [("value", 1.0), ("value", 8.0), *(("line", x) for x in np.linspace(1, 8, 5))]
    rows = [
        ("response", "dose", row, x, "", 3, "all", x / 10 - 1, x / 10, x / 10 + 1)
        for row, x in values
    ]
    made["at_values"] = to_dataset(pd.DataFrame(rows, columns=list(COLUMNS)))
    config = json.loads(made.attrs["run_config"])
    asked = {"name": "dose", "values": DOSES, "levels": [], "reference": None, "at": 4.0}
    made.attrs["run_config"] = json.dumps(config | {"moderators": [asked]})
    return EffectResults(made, evidence, checked(made))


@pytest.fixture(scope="module")
def drawn(results):
    return {each.name: each for each in one_by_one(results, "controlled")}


def marks(exhibit, gid):
    figure = exhibit.draw(exhibit.frame, make_style("double", ("all",), "pass"))
    axes = [each for each in figure.axes if each.get_gid() != "key"]
    return [line for each in axes for line in each.lines if line.get_gid() == gid], figure


def test_bubbles_are_the_studies_own_ratios_and_patients(drawn):
    exhibit = drawn["effect_bubbles_response_dose"]
    circles, figure = marks(exhibit, "study")
    found = {line.get_xdata()[0]: line for line in circles}
    assert set(found) == {1, 3, 8}
    assert found[1].get_ydata()[0] == pytest.approx((9 / 11) / (4 / 17))
    areas = {x: line.get_markersize() ** 2 for x, line in found.items()}
    assert areas[1] / areas[8] == pytest.approx(41 / 159)
    (line,), _ = marks(exhibit, "line")
    np.testing.assert_allclose(line.get_ydata(), np.exp(np.linspace(1, 8, 5) / 10))
    assert any("odds ratio" in text.get_text() for text in figure.texts)


def test_rows_are_ratios_and_captions_say_what_they_are_of(drawn):
    frame = drawn["moderated_effects_response"].frame
    assert list(frame["head"]) == ["Dose: 1", "Dose: 8"]
    assert frame["middle"].tolist() == pytest.approx([np.exp(0.1), np.exp(0.8)])
    assert list(drawn["effect_moderators"].frame["text"]) == ["1.60 (0.80 to 3.10)"]
    for name in ("effect_moderators", "moderated_effects_response", "effects_forest_response"):
        assert "Effects are those at Dose 4." in drawn[name].words.caption
    assert "says nothing of why" in drawn["effect_moderators"].words.caption


@pytest.mark.slow
def test_a_set_of_effects_needs_no_fit_of_rates(results, drawn, tmp_path):
    files = publish(results, tmp_path, ("svg",), section="controlled")
    assert {path.stem for path in files if path.suffix == ".svg"} == set(drawn)
    assert (tmp_path / "captions.md").is_file()
    assert not (tmp_path / "checklist.md").exists()
