"""How long things take: the start, compiling, sampling, refits, the report."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mscpool.analysis.fitting.fit import sample, terms_of
from mscpool.data.evidence import load_evidence
from mscpool.models.priors.prior import Prior
from mscpool.models.priors.sets import DEFAULT, PriorSet

ONCE = {"rounds": 1, "iterations": 1}
COMMAND = [str(Path(sys.executable).with_name("mscpool"))]


@pytest.fixture(scope="module")
def terms():
    """Terms of the core evidence, with its model compiled."""
    core = terms_of(load_evidence())
    sample(core, "partial", DEFAULT, draws=10, tune=10)
    return core


def _cold(tmp_path, first_ever: bool = True) -> dict[str, str]:
    """Environment in which no model was compiled, nor, the first time ever, the likelihood."""
    caches = {
        "PYTENSOR_FLAGS": f"base_compiledir={tmp_path / 'pytensor'}",
        "MSCPOOL_CACHE": str(tmp_path / "kept"),
    }
    if first_ever:
        caches["NUMBA_CACHE_DIR"] = str(tmp_path / "numba")
    return os.environ | caches


def test_help(benchmark):
    benchmark.pedantic(subprocess.run, ([*COMMAND, "--help"],), {"capture_output": True}, rounds=5)


COMPILE_CORE = (
    "import time, nutpie, pymc; from mscpool.data.evidence import load_evidence;"
    "from mscpool.analysis.fitting.fit import terms_of;"
    "from mscpool.analysis.fitting.sampler import compiled;"
    "core = terms_of(load_evidence()); start = time.perf_counter(); compiled(core, 'partial');"
    "print(time.perf_counter() - start)"
)


@pytest.mark.parametrize("first_ever", [True, False], ids=["first ever", "another model before"])
def test_compile_core_from_cold_caches_then_load_it_in_a_later_process(
    benchmark, tmp_path, first_ever, capsys
):
    about = {"capture_output": True, "text": True, "env": _cold(tmp_path, first_ever)}
    program = [sys.executable, "-c", COMPILE_CORE]
    cold = benchmark.pedantic(subprocess.run, (program,), {**about, "check": True}, **ONCE)
    warm = subprocess.run(program, check=True, **about)
    with capsys.disabled():
        before = "nothing" if first_ever else "another model"
        print(
            f"\ncompiling the core model, {before} compiled before: {float(cold.stdout):.1f} s; "
            f"in a later process: {float(warm.stdout):.1f} s"
        )


def test_sample_core(benchmark, terms):
    benchmark.pedantic(sample, (terms, "partial", DEFAULT), {"seed": 1}, rounds=3)


def test_refit_core_with_a_prior_of_another_family(benchmark, terms):
    heavy = PriorSet("heavy", tau=Prior.make("HalfCauchy", beta=0.5))
    benchmark.pedantic(sample, (terms, "partial", heavy), {"seed": 1}, rounds=3)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Report of the shipped evidence as a command, with caches and results of its own."""
    folder = tmp_path_factory.mktemp("report")
    command = [*COMMAND, "report", "--out", str(folder / "out")]
    return command, {"capture_output": True, "text": True, "env": _cold(folder)}


def test_report_from_cold_caches(benchmark, report):
    run = benchmark.pedantic(subprocess.run, (report[0],), report[1], **ONCE)
    assert run.returncode in (0, 1), run.stderr


def test_report_from_stored_fits(benchmark, report):
    if not Path(report[0][-1], "fit.nc").is_file():  # the test above was not asked for
        subprocess.run(report[0], **report[1], check=False)
    run = benchmark.pedantic(subprocess.run, (report[0],), report[1], **ONCE)
    assert run.returncode in (0, 1), run.stderr
