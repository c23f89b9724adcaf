"""The review's statements beside what the model predicts for the arms that it counted."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mscpool.analysis.guard.result import Subject
from mscpool.analysis.guard.review import compare
from mscpool.models.terms import build_terms


@pytest.fixture
def replicated(evidence):
    rng = np.random.default_rng(1)
    rate = np.where(evidence.rows["outcome"] == "improvement", 0.6, 0.05)
    return rng.binomial(evidence.rows["n"], rate, (500, len(evidence.rows)))


def compare_review(evidence, replicated):
    """Compare counts that nobody fitted with the review."""
    terms = build_terms(evidence.rows, evidence.outcome_names, evidence.diseases)
    return compare(Subject(terms, "partial", None, replicated, None, [], {}, evidence))


def test_review_is_compared_with_the_evidences_own_arms(evidence, replicated):
    found = compare_review(evidence, replicated)
    by_key = {(r.details["disease"], r.outcome): r for r in found}
    deaths = by_key["systemic_lupus_erythematosus", "death"]
    mine = (evidence.rows["outcome"] == "death") & (
        evidence.rows["disease"] == "systemic_lupus_erythematosus"
    )
    totals = [int(counts[mine.to_numpy()].sum()) for counts in replicated]
    assert deaths.predicted == pytest.approx(np.mean(totals))
    assert deaths.mid_p == pytest.approx(np.mean([(t > 15) + 0.5 * (t == 15) for t in totals]))
    assert by_key["systemic_sclerosis", "improvement"].verdict == "no rows"
    assert all(r.details["disease"] != "all" for r in found)


def test_what_rows_were_derived_from_is_shown_and_not_judged(evidence, replicated):
    found = compare_review(evidence, replicated)
    apart = {(r.details["disease"], r.outcome) for r in found if r.verdict == "not independent"}
    assert apart == {
        ("atopic_dermatitis", "remission"),
        ("chronic_spontaneous_urticaria", "remission"),
    }


def test_a_row_derived_from_the_review_that_another_definition_replaces_is_judged(evidence):
    mine = evidence.outcomes["locator"].str.startswith("review abstract: no complete remission")
    other = evidence.outcomes[mine].assign(
        definition="IGA 0", primary=False, locator="table 2", events_max=1
    )
    both = replace(evidence, outcomes=pd.concat([evidence.outcomes, other], ignore_index=True))
    verdicts = {}
    for definitions in ("primary", "alternative"):
        chosen = both.select(definitions=definitions)
        drawn = np.zeros((10, len(chosen.rows)), int)
        found = compare_review(chosen, drawn)
        verdicts[definitions] = [
            one.verdict
            for one in found
            if (one.details["disease"], one.outcome) == ("atopic_dermatitis", "remission")
        ]
    assert verdicts == {"primary": ["not independent"], "alternative": ["not judged"]}


def test_what_the_review_says_of_other_patients_is_compared_and_not_judged(evidence, replicated):
    found = compare_review(evidence, np.zeros_like(replicated))
    assert {r.verdict for r in found} == {"not judged", "not independent", "no rows"}
    far = [r for r in found if r.verdict == "not judged" and r.mid_p == 0]
    assert far
    assert all(r.mid_p_mcse is not None for r in far)
