"""The report shows what means become, and what they change."""

import pandas as pd
import pytest

from mscpool.analysis.fitting.fit import fit
from mscpool.analysis.paper.frames.means import means_of, rates_with_means
from mscpool.analysis.paper.frames.results import Results
from mscpool.analysis.paper.report.sections_means import means_section
from mscpool.data.evidence import load_evidence


@pytest.fixture(scope="module")
def results():
    evidence = load_evidence(outcomes="improvement")
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


def test_a_fit_with_means_says_so_and_finds_the_same(results):
    evidence = results.evidence.select(means=True)
    modelled = Results(fit(evidence, engine="exact", draws=50, seed=1), evidence)
    assert rates_with_means(modelled).equals(rates_with_means(results))
    assert "such bounds are in this report" in means_section(modelled).blocks[0].content
    assert "rates of the other sections know nothing" in means_section(results).blocks[0].content


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
