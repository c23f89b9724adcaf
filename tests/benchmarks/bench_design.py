"""How long the trial designer takes, after imports: the sizes that its users ask for."""

import tracemalloc

import pytest

from mscpool.analysis.trial.design import precision, single_arm, two_arm, two_stage
from mscpool.analysis.trial.monitoring import monitor, safety

FOUR_PARTS = "0.4*beta(4,16)+0.2*beta(10,20)+0.2*beta(40,60)+0.2*beta(1,1)"
REQUESTS = {
    "single-arm, n 5 to 300": (
        lambda: single_arm(
            null=0.2, target=0.4, power_at=[0.3, 0.5], design_prior=FOUR_PARTS,
            analysis_prior=FOUR_PARTS,
        ),
        1.0,
    ),
    "two-arm, 100 an arm": (
        lambda: two_arm(
            n_experimental=100, n_control=100, analysis_prior=FOUR_PARTS, design_prior=FOUR_PARTS,
            type1=0.05,
        ),
        2.0,
    ),
    "two-arm, n 5 to 300": (
        lambda: two_arm(analysis_prior=FOUR_PARTS, design_prior=FOUR_PARTS, type1=0.05),
        None,
    ),
    "two-stage, n to 60": (
        lambda: two_stage(null=0.25, target=0.45, power=0.9, n_max=60),
        2.0,
    ),
    "precision": (lambda: precision(width=0.2, analysis_prior=FOUR_PARTS), None),
    "safety": (lambda: safety(null=0.1, target=0.3, design_prior=FOUR_PARTS), None),
    "monitor": (
        lambda: monitor(
            null=0.2, target=0.4, look=[20, 40, 60, 80, 100], futility=0.05, efficacy=0.99,
            design_prior=FOUR_PARTS,
        ),
        None,
    ),
}  # fmt: skip
MEGABYTE = 2**20


@pytest.mark.parametrize("name", REQUESTS)
def test_answer(benchmark, name):
    request, seconds = REQUESTS[name]
    benchmark.pedantic(request, rounds=3, warmup_rounds=1)
    if seconds is not None:
        assert benchmark.stats["min"] < seconds


def test_memory(benchmark):
    tracemalloc.start()
    benchmark.pedantic(REQUESTS["two-arm, 100 an arm"][0], rounds=1)
    REQUESTS["single-arm, n 5 to 300"][0]()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    benchmark.extra_info["peak_megabytes"] = peak / MEGABYTE
    assert peak < 500 * MEGABYTE
