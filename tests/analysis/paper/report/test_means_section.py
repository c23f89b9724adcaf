"""The report shows what means become, and what they change."""

import pandas as pd
import pytest

from mscpool.analysis.fitting.fit import fit, rates
from mscpool.analysis.paper.frames.means import means_of, rates_with_means
from mscpool.analysis.paper.frames.results import Results
from mscpool.analysis.paper.publish import tables as paper
from mscpool.analysis.paper.publish.exhibits import exhibits
from mscpool.analysis.paper.report import tables as report
from mscpool.analysis.paper.report.answer import answer
from mscpool.analysis.paper.report.sections_cumulative import cumulative_section
from mscpool.analysis.paper.report.sections_means import means_section
from mscpool.analysis.terminal.printing import print_rates
from mscpool.data.evidence import load_evidence


@pytest.fixture(scope="module")
def results():
    evidence = load_evidence(outcomes="improvement")
    return Results(fit(evidence, engine="exact", draws=50, seed=1), evidence)


@pytest.fixture(scope="module")
def modelled(results):
    evidence = results.evidence.select(means=True)
    return Results(fit(evidence, engine="exact", draws=50, seed=1), evidence)


def test_rates_stand_with_and_without_means(results):
    frame = rates_with_means(results).set_index("disease")
    row = frame.loc["systemic_sclerosis"]
    assert (row["evidence"], row["evidence_means"]) == ("borrowed", "direct")
    assert row["patients_means"] == 41 + 48 + 20
    # Without a count of its own nothing is known of the disease: the interval spans most rates.
    assert row["q97.5"] - row["q2.5"] > 2 * (row["q97.5_means"] - row["q2.5_means"])
    # The reported fit is the one without them.
    own = results.fit["rates"].to_dataset().to_dataframe()
    own = own[own["quantity"] == "rate"].set_index("disease")["q50"]
    pd.testing.assert_series_equal(
        own.astype(float), frame["q50"].astype(float), check_names=False, rtol=1e-6
    )


def test_a_fit_with_means_says_so_and_finds_the_same(results, modelled):
    assert rates_with_means(modelled).equals(rates_with_means(results))
    assert "such bounds are in this report" in means_section(modelled).blocks[0].content
    assert "rates of the other sections know nothing" in means_section(results).blocks[0].content


def test_a_rate_that_rests_on_means_is_marked_wherever_it_is_shown(results, modelled, capsys):
    made, evidence = modelled, modelled.evidence
    assert evidence.from_means == {("improvement", "systemic_sclerosis")}
    printed = paper.rates_table(made.fit, evidence, made.checked)
    compared = means_section(made).tables[1]
    own = report.rates_table(made, "improvement")
    for table in (own, compared, cumulative_section(made).tables[0], printed):
        marked = [row for row in table.rows if any("◌" in str(cell) for cell in row)]
        assert [row for row in marked if "Systemic sclerosis" in row] == marked != []
    for text in (own.caption, compared.caption, printed.note):
        assert "◌ rests on counts that follow from means by a model" in text
    assert r"$\circ$" in paper.as_latex(printed)
    assert "◌" not in paper.as_latex(printed)
    bases = {disease: cells[0].basis for disease, cells in answer(made).rows}
    assert [name for name, basis in bases.items() if "from means ◌" in basis] == [
        "Systemic sclerosis"
    ]
    drawn = {each.name: each for each in exhibits(made)}
    for name in ("rates", "forest_improvement"):
        told = "Counts that follow from means by a model: improvement in systemic sclerosis."
        assert told in drawn[name].words.caption
    labels = drawn["forest_improvement"].frame["label"].dropna()
    assert sorted(label for label in labels if "◌" in label) == [
        "Alip 2024 ◌", "Daumas 2022 ◌", "Khanna 2022 ◌",
    ]  # fmt: skip
    print_rates(rates(made.fit), made.checked, evidence)
    lines = [line for line in capsys.readouterr().out.splitlines() if "◌" in line]
    assert ["Systemic sclerosis" in line for line in lines] == [True]
    # Without --means only the comparison of both is marked.
    assert "◌" in str(means_section(results).tables[1].rows)
    assert "◌" not in str(report.rates_table(results, "improvement").rows)


def test_a_nested_rate_rests_on_means_where_its_parents_does():
    evidence = load_evidence(outcomes=("improvement", "remission"), means=True)
    assert {name for name, _ in evidence.from_means} == {"improvement", "remission"}


def test_the_table_shows_what_the_rule_made_of_each_arm(results):
    table = means_section(results).tables[0]
    assert len(table.rows) == len(means_of(results)) == 5
    assert (
        "Alip 2024",
        "Treated",
        "mRSS",
        "4.7",
        "3.2 to 5.3 points",
        "14 to 31 of 41",
    ) in table.rows
    assert ("Khanna 2022", "Control") in [row[:2] for row in table.rows]
    assert not table.of_fit


def test_nothing_is_said_where_no_study_reports_means():
    evidence = load_evidence(outcomes="improvement", diseases="psoriasis")
    made = fit(evidence, engine="exact", draws=50, seed=1)
    assert means_section(Results(made, evidence)) is None
