"""Where an outcome leans on rows of the one nested in it, both rates are told."""

import pytest

from mscpool.analysis.fitting.fit import fit
from mscpool.analysis.paper.frames.alone import moved_by_nested
from mscpool.analysis.paper.frames.results import Results
from mscpool.analysis.paper.report.sections_limits import limits_section

from ....builders import evidence_of

TABLE = """\
study,outcome,events,n
A,any_ae,9,10
A,moderate_severe_ae,8,10
B,any_ae,3,4
C,moderate_severe_ae,0,60
D,moderate_severe_ae,1,50
"""


@pytest.fixture(scope="module")
def evidence(tmp_path_factory):
    return evidence_of(tmp_path_factory.mktemp("alone"), TABLE)


@pytest.mark.mcmc
def test_rates_with_and_without_the_nested_rows_are_told(evidence):
    results = Results(fit(evidence, draws=300, tune=300, chains=2, seed=1), evidence)
    [row] = moved_by_nested(results).to_dict("records")
    assert (row["outcome"], row["nested"]) == ("any_ae", "moderate_severe_ae")
    # 12 of 14 had any event; where 1 of 110 had a grave one, fewer may have had any.
    assert 0.7 < row["q50_alone"] < 12 / 14
    assert row["q50"] < row["q50_alone"] - 0.05
    [said] = [
        line
        for block in limits_section(results).blocks
        for line in block.content
        if "is also learnt from" in line
    ]
    for value in (row["q50"], row["q50_alone"]):
        assert f"{100 * value:.0f} % (" in said


def test_nothing_is_told_where_every_nested_row_has_its_outer_one(evidence):
    both = evidence.select(drop=("C", "D"))
    results = Results(fit(both, engine="exact", draws=50, seed=1), both)
    assert moved_by_nested(results).empty
