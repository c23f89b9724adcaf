"""What is written of a fit of one disease: it has a level, and no spread between diseases."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from mscpool.analysis.fitting.fit import fit
from mscpool.analysis.guard.result import UNCHECKED
from mscpool.analysis.paper.frames.results import Results
from mscpool.analysis.paper.frames.sensitivity import prior_posterior_data
from mscpool.analysis.paper.report.page import page
from mscpool.analysis.paper.report.sections import sections
from mscpool.analysis.paper.report.sections_sensitivity import sensitivity_blocks
from mscpool.analysis.paper.words.captions import FOREST, RATES
from mscpool.analysis.paper.words.captions_sensitivity import prior_posterior
from mscpool.analysis.paper.words.closing import model_words
from mscpool.analysis.sensitivity.compare import compare_priors
from mscpool.data.evidence import load_evidence

ONE = Path(__file__).parent / "cases" / "rbest22.csv"
TWO = "study,disease,events,n\na,x,1,9\nb,x,4,9\nc,y,7,12\n"


def results_of(path):
    evidence = load_evidence(path)
    return Results(fit(evidence, engine="exact", draws=50, chains=2), evidence, UNCHECKED)


#: Remission and improvement of different studies: neither is modelled within the other.
APART = """study,outcome,events,n
a,improvement,3,9
b,improvement,5,11
c,remission,2,12
d,remission,1,8
"""


@pytest.fixture(scope="module")
def one():
    return results_of(ONE)


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    path = tmp_path_factory.mktemp("two") / "two.csv"
    path.write_text(TWO)
    return results_of(path)


def html(results):
    return page(results, sections(results, "mscpool report"), {}, {})


def formulae(results):
    return re.findall(r'<div class="formula">.*?</div>', html(results), re.DOTALL)


def test_formulae_of_one_disease_have_no_tau(one, several):
    assert not [each for each in formulae(one) if "τ" in each or "<mi>d</mi>" in each]
    assert [each for each in formulae(several) if "τ" in each]
    assert "there is one disease with its level" in html(one)
    assert "diseases <i>d</i> differ around an overall level" in html(several)


def test_nothing_else_speaks_of_a_spread_between_diseases(one):
    assert "the spread between diseases (tau)" not in html(one)
    assert "pooling across diseases" not in model_words(one)
    assert "of one disease, prior set default" in model_words(one)


def test_the_caption_of_priors_names_what_is_drawn(one, several):
    caption = prior_posterior(prior_posterior_data(one.fit), one).caption
    assert "τ" not in caption
    assert "not yet tried" not in caption
    assert "μ and the standard deviation between studies of a disease σ on the log-odds" in caption
    caption = prior_posterior(prior_posterior_data(several.fit), several).caption
    assert "between diseases τ and" in caption
    assert "a disease not yet tried" in caption


def test_outcomes_of_different_studies_are_not_told_as_nested(tmp_path):
    path = tmp_path / "apart.csv"
    path.write_text(APART)
    written = sections(results_of(path), "mscpool report")
    assert "joint" not in [section.name for section in written]
    (model,) = (s.blocks[0].content for s in written if s.name == "model")
    assert model["nested"] == []


def captions(results, *kinds):
    return " ".join(each.words.caption for kind in kinds for each in kind.exhibits(results))


def test_captions_name_no_mark_that_is_not_drawn(one, several):
    shown = captions(one, FOREST, RATES)
    assert "next trial" in shown
    assert "not yet tried" not in shown
    assert "ollow" not in shown
    assert "not yet tried" in captions(several, FOREST)
    assert "ollow" not in captions(several, FOREST, RATES)


def test_priors_that_are_the_same_in_this_fit_are_told(one, several):
    def opening(results):
        compared = compare_priors(results.evidence, engine="exact")
        return sensitivity_blocks(replace(results, comparison=compared))[0].content

    same = opening(one)
    assert "τ half-normal 0.5, τ half-normal 1" in same
    assert "which has no spread between diseases (tau)" in same
    assert all(name not in same for name in ("Sceptical", "μ vague", "Enthusiastic"))
    assert ". τ half-normal 1 gives all parameters of the model the priors" in opening(several)


def test_sources_and_counts_are_promised_only_where_there_are_some(one):
    written = html(one)
    assert "published stands with the evidence" not in written
    assert "table of prior sets" not in written
    assert "fit together badly" not in written
    assert "How the tables were read" in written
