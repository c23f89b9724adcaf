"""A number is called the largest where its error allows no other."""

import pandas as pd
import pytest

from mscpool.analysis.fitting.ranking import leaders

FRAME = pd.DataFrame(
    {
        "name": list("abcd"),
        "rate": [0.0489, 0.0496, 0.17, 0.75],
        "error": [0.001, 0.002, 0.01, 0.02],
    }
)


@pytest.mark.parametrize(
    ("largest", "wanted"), [(False, ["a", "b"]), (True, ["d"])], ids=["lowest", "highest"]
)
def test_rows_within_two_errors_of_the_difference_lead_together(largest, wanted):
    assert [row["name"] for row in leaders(FRAME, "rate", "error", largest)] == wanted


def test_without_errors_one_leads_and_equals_lead_together():
    exact = FRAME.assign(error=float("nan"))
    assert [row["name"] for row in leaders(exact, "rate", "error", False)] == ["a"]
    exact.loc[1, "rate"] = exact.loc[0, "rate"]
    assert [row["name"] for row in leaders(exact, "rate", "error", False)] == ["a", "b"]
