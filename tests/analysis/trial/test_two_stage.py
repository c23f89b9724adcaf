import json
import re

import pytest
from scipy import stats

from mscpool.analysis.trial.design import two_stage


@pytest.fixture(scope="module")
def reference(root):
    return json.loads((root / "tests/reference/simon_two_stage.json").read_text("utf-8"))


@pytest.mark.parametrize("place", range(4))
def test_published_designs(reference, place):
    known, tolerance = reference["designs"][place], reference["tol"]
    answer = two_stage(
        null=known["p0"], target=known["p1"], type1=known["alpha"], power=1 - known["beta"],
        n_max=60,
    ).to_dict()  # fmt: skip
    best, smallest = answer["optimal"], answer["minimax"]
    assert [best[name] for name in ("r1", "n1", "r", "n")] == known["optimal"]
    assert [smallest[name] for name in ("r1", "n1", "r", "n")] == known["minimax"]
    assert best["pet"] == pytest.approx(known["PET"], abs=tolerance)
    assert best["expected_n"] == pytest.approx(known["EN"], abs=tolerance)
    assert best["alpha"] == pytest.approx(known["alpha_exact"], abs=tolerance)
    assert best["power"] == pytest.approx(known["power_exact"], abs=tolerance)
    if "mm_EN" in known:
        assert smallest["expected_n"] == pytest.approx(known["mm_EN"], abs=tolerance)
        assert smallest["alpha"] == pytest.approx(known["mm_alpha"], abs=tolerance)
        assert smallest["power"] == pytest.approx(known["mm_power"], abs=tolerance)


def every_design(null, target, type1, power, n_max):
    """Yield (expected size, total, r1, n1, r) of every design that meets both error rates."""
    for n in range(2, n_max + 1):
        for n1 in range(1, n):
            for r1 in range(n1):
                stop = stats.binom.cdf(r1, n1, null)
                if stats.binom.cdf(r1, n1, target) > 1 - power:
                    break
                for r in range(r1, n):
                    errors = [
                        sum(
                            stats.binom.pmf(x, n1, rate) * stats.binom.sf(r - x, n - n1, rate)
                            for x in range(r1 + 1, n1 + 1)
                        )
                        for rate in (null, target)
                    ]
                    if errors[0] <= type1 and errors[1] >= power:
                        yield n1 + (1 - stop) * (n - n1), n, r1, n1, r
                    if errors[1] < power:
                        break


def test_search_misses_no_design():
    found = list(every_design(0.1, 0.5, 0.1, 0.8, 12))
    answer = two_stage(null=0.1, target=0.5, type1=0.1, power=0.8, n_max=12).to_dict()
    best = min(found)
    smallest = min(found, key=lambda design: (design[1], design[0]))
    for name, wanted in (("optimal", best), ("minimax", smallest)):
        design = answer[name]
        assert design["expected_n"] == pytest.approx(wanted[0])
        assert (design["n"], design["r1"], design["n1"]) == (wanted[1], wanted[2], wanted[3])


def test_a_longer_range_changes_nothing_once_the_best_is_in():
    known = {"null": 0.2, "target": 0.4, "type1": 0.1, "power": 0.9}
    assert two_stage(**known, n_max=60).answer == two_stage(**known, n_max=300).answer


def test_no_design_in_range_is_an_answer():
    result = two_stage(null=0.2, target=0.25, n_max=20)
    assert (result.to_dict()["optimal"], result.to_dict()["minimax"]) == (None, None)
    assert "No two-stage design with up to 20 patients" in result.paragraph


@pytest.mark.parametrize(
    ("request_", "complaint"),
    [
        ({"null": 0.4, "target": 0.2}, "target 0.2 is not above null 0.4"),
        ({"null": 1.2, "target": 0.4}, "null 1.2: give"),
        ({"null": 0.2, "target": 0.4, "type1": 0}, "type1 0: give"),
        ({"null": 0.2, "target": 0.4, "n_max": 1}, "n_max 1 is below n_min 2"),
    ],
)
def test_senseless_request_gets_one_line_that_says_what_to_change(request_, complaint):
    with pytest.raises(ValueError, match=re.escape(complaint)):
        two_stage(**request_)
