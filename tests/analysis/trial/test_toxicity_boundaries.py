"""Stopping for harm against what three R packages print; `toxicity_boundaries.json` names them."""

import json

import numpy as np
import pytest

from mscpool.analysis.trial.design import safety
from mscpool.analysis.trial.operating import crossing_probabilities
from mscpool.analysis.trial.safety import sprt_bounds


@pytest.fixture(scope="module")
def printed(root):
    return json.loads((root / "tests/reference/toxicity_boundaries.json").read_text("utf-8"))


def test_the_posterior_boundary_at_a_type_i_error_is_that_of_stoppingrule(printed):
    wanted = printed["stoppingrule"]
    rates = [row["rate"] for row in wanted["operating"]]
    answer = safety(
        null=wanted["null"], type1=wanted["type1"], analysis_prior=wanted["prior"], level=0.5,
        look=range(1, wanted["patients"] + 1), power_at=rates,
    ).to_dict()  # fmt: skip
    counts, count = {}, None
    for n in range(1, wanted["patients"] + 1):
        count = wanted["reject_from"].get(str(n), count)
        counts[n] = count
    assert {row["n"]: row["stop_at"] for row in answer["boundary"]} == counts
    assert answer["error_rate"]["overall"] == pytest.approx(0.09957367, abs=5e-9)
    for row, own in zip(wanted["operating"], answer["operating"], strict=True):
        assert own["stop"] == pytest.approx(row["reject"], abs=5e-9)
        # Wald's identity: the events are the rate times the patients.
        assert own["rate"] * own["expected_n"] == pytest.approx(row["events"], abs=5e-7)


@pytest.mark.parametrize("place", [0, 1])
def test_repeated_looks_at_a_boundary_cross_as_often_as_clinfun_prints(printed, place):
    wanted = printed["clinfun"]["designs"][place]
    rates, crossed, patients = np.array(wanted["operating"]).T
    found = crossing_probabilities(
        rates, wanted["looks"], [None] * len(wanted["looks"]), [most + 1 for most in wanted["most"]]
    )
    assert found.upper == pytest.approx(crossed, abs=5.001e-4)
    assert found.expected_n == pytest.approx(patients, abs=0.05001)


def test_the_truncated_sequential_test_has_the_characteristics_that_gsdesign_prints(printed):
    wanted = printed["gsDesign"]
    rates, cleared, stopped, patients = np.array(wanted["operating"]).T
    looks = range(wanted["looks"][0], wanted["looks"][1] + 1)
    stop, clear = sprt_bounds(
        wanted["null"], wanted["target"], wanted["type1"], wanted["power"], looks
    )
    found = crossing_probabilities(rates, looks, clear, stop)
    assert found.lower == pytest.approx(cleared, abs=5.001e-4)
    assert found.upper == pytest.approx(stopped, abs=5.001e-4)
    assert found.expected_n == pytest.approx(patients, abs=0.05001)
