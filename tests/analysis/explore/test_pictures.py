import re

import pytest

from mscpool.analysis.explore.answers import Answers
from mscpool.analysis.explore.pictures import densities_picture, inline
from mscpool.analysis.explore.state import State
from mscpool.data.evidence import load_evidence
from mscpool.models.priors.prior import Prior


@pytest.fixture(scope="module")
def answer():
    moved = State(own=(("mu", Prior.make("Normal", mu=-1.0, sigma=1.0)),))
    return Answers(load_evidence()).answer(moved)


def test_every_disease_has_its_curves_and_every_study_its_mark(answer):
    figure, _ = densities_picture(answer).drawn()
    marks = [artist.get_gid() for axes in figure.axes for artist in axes.get_children()]
    diseases = len(answer.evidence.diseases)
    for name in ("prior", "posterior", "reference", "threshold"):
        assert marks.count(name) == diseases
    assert marks.count("observed") == len(answer.evidence.rows)


def test_a_picture_in_the_page_has_identifiers_of_its_own(answer):
    text = inline(densities_picture(answer), "mine")
    named = re.findall(r'\bid="([^"]+)"', text)
    assert named
    assert all(name.startswith("mine-") for name in named)
    assert set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', text)) <= {
        pair for name in named for pair in ((name, ""), ("", name))
    }
    assert text.startswith("<svg")
    assert 'width="' not in text.partition(">")[0]
