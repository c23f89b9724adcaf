"""What is written of a fit without an outcome of its evidence, which only the sampler takes."""

import warnings

import pytest

from mscpool.analysis.fitting.exact_fit import NotIntegrated
from mscpool.analysis.fitting.fit import fit
from mscpool.analysis.guard.result import UNCHECKED
from mscpool.analysis.paper.frames.next_patients import next_patients_of
from mscpool.analysis.paper.frames.results import Results
from mscpool.analysis.paper.publish.checklist import checklist
from mscpool.analysis.paper.report.page import page
from mscpool.analysis.paper.report.sections import sections
from mscpool.data.evidence import load_evidence

#: The improved of study a are known within bounds: its remission has no exact share.
BOUNDED = """study,disease,outcome,events_min,events_max,n
a,x,improvement,3,6,9
b,y,improvement,5,5,11
a,x,remission,1,1,9
b,y,remission,2,2,11
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    path = tmp_path_factory.mktemp("bounded") / "bounded.csv"
    path.write_text(BOUNDED)
    evidence = load_evidence(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotIntegrated)
        made = fit(evidence, engine="exact", draws=50, chains=2)
    asked = next_patients_of(made, UNCHECKED, lambda stage, done, total: None)
    return Results(made, evidence, next_patients=asked)


def test_no_word_counts_or_describes_what_the_fit_has_not(results):
    assert results.outcomes == results.fitted == ["improvement"]
    told = page(results, sections(results, "mscpool report"), {}, {})
    assert "2 counts of 2 studies" in told
    assert "lies within improvement" not in told
    assert "nested in" not in told
    made = checklist(results)
    assert "We analysed 2 counts from 2 studies" in made
    assert "modelled on the log-odds scale" in made
    assert "emission" not in made.partition("Model and likelihood")[2].partition("\n")[0]


def test_intervals_of_the_next_patients_are_told_as_those_that_they_are(results):
    table = results.next_patients.table
    now = table[table["n"] == results.next_patients.request.n].set_index("disease")["width_now"]
    known = results.fit["rates"].to_dataset().to_dataframe().query("quantity == 'rate'")
    width = known.set_index("disease")["q97.5"] - known.set_index("disease")["q2.5"]
    assert now.to_dict() == pytest.approx(width[now.index].to_dict(), rel=1e-3)
    told = page(results, sections(results, "mscpool report"), {}, {})
    assert "integrated without what rows of remission say of it, as in the fit above" in told
