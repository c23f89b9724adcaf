"""What `fit --engine exact` says and keeps, beside the numbers of the engine itself."""

import json

import pytest
from typer.testing import CliRunner

from mscpool.analysis.fitting.exact_fit import NotIntegrated
from mscpool.analysis.fitting.fit import fit, hyper, rates
from mscpool.analysis.terminal import cli
from mscpool.data.evidence import load_evidence

TABLE = """study,disease,outcome,events_min,events_max,n
A,first,improvement,6,6,10
A,first,remission,2,2,10
B,second,improvement,2,9,12
B,second,remission,1,1,12
C,second,remission,3,3,9
C,second,any_ae,1,1,9
"""
NAMED = "B: improvement is 2 to 9 of 12; C: no row of improvement"
ALONE = (
    "Improvement is fitted without what rows of remission say of it, which only the sampler takes "
    "in: B; C"
)


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(TABLE, "utf-8")
    return path


def run(*words):
    return CliRunner().invoke(cli.app, [str(word) for word in words])


def test_what_is_left_to_the_sampler_is_said_and_kept(table, tmp_path):
    request = ("fit", table, "--engine", "exact", "--no-check", "--json", "--out", tmp_path / "fit")
    for _ in ("integrated", "read back"):
        done = run(*request)
        assert done.exit_code == 0
        assert f"Remission cannot be integrated exactly: {NAMED}" in done.stderr
        assert ALONE in done.stderr
    answer = json.loads(done.stdout)
    assert {row["outcome"] for row in answer["rates"]} == {"improvement", "any_ae"}
    assert list(answer["run"]["not_fitted"]) == ["remission"]
    assert answer["run"]["fitted_alone"] == {"improvement": ALONE}
    assert {row["r_hat"] for row in answer["rates"]} == {None}
    assert max(row["mcse_mean"] for row in answer["rates"]) < 1e-4


def test_an_outcome_asked_for_that_cannot_be_integrated_is_refused(table, tmp_path):
    out = tmp_path / "fit"
    done = run("fit", table, "--engine", "exact", "--outcome", "remission", "--out", out)
    assert done.exit_code == 2
    assert NAMED in done.stderr
    assert not out.exists()


def test_a_parent_asked_for_alone_lacks_nothing(table, tmp_path):
    out = tmp_path / "fit"
    done = run(
        *("fit", table, "--engine", "exact", "--outcome", "improvement", "--no-check"),
        *("--out", out),
    )
    assert done.exit_code == 0
    assert "sampler" not in done.stderr


def test_tables_have_the_columns_of_the_sampler(table):
    with pytest.warns(NotIntegrated) as told:
        made = fit(load_evidence(table), engine="exact", draws=10, chains=1)
    assert [NAMED in str(told[0].message), str(told[1].message)] == [True, ALONE]
    assert {"mean", "q97.5", "mcse_mean", "r_hat", "ess_bulk", "evidence"} <= set(rates(made))
    assert list(hyper(made)["parameter"].unique()) == ["mu", "tau", "sigma"]
    assert {"posterior", "prior", "densities", "mixed_predictive"} <= set(made.children)
