"""``fit --moderator``: tables, files and JSON, and what is refused before anything is written."""

import json

import pandas as pd
import pytest
from typer.testing import CliRunner

from mscpool.analysis.terminal import cli

DOSES = [1, 2, 3, 4, 5, 6, 8, 11]
COUNTS = [(4, 20), (3, 15), (11, 30), (5, 12), (9, 25), (12, 18), (14, 22), (13, 16)]


def run(*words):
    return CliRunner().invoke(cli.app, [str(word) for word in words])


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "doses.csv"
    lines = [f"s{i},{y},{n},{d}" for i, ((y, n), d) in enumerate(zip(COUNTS, DOSES, strict=True))]
    path.write_text("\n".join(["study,events,n,dose", *lines]) + "\n", "utf-8")
    return path


@pytest.mark.mcmc
def test_moderators_stand_in_tables_files_and_json(table, tmp_path):
    words = (
        "fit",
        table,
        "--moderator",
        "dose",
        "--at",
        "dose=8",
        "--draws",
        300,
        "--out",
        tmp_path,
    )
    done = run(*words)
    assert done.exit_code == 0, done.output
    assert "Why studies differ: Response" in done.stdout
    assert "Rates are those at Dose 8." in done.stdout
    answer = json.loads(run(*words, "--json").stdout)
    assert answer["at"] == {"dose": 8.0}
    assert [each["per"] for each in answer["moderators"]] == ["unit", "sd"]
    wanted = {
        *("outcome", "moderator", "contrast", "reference", "per", "mean", "sd", "q2.5", "q50"),
        *("q97.5", "probability_positive", "mcse_mean", "ratio", "scale"),
    }
    for each in answer["moderators"]:
        assert wanted <= set(each)
        assert set(each["ratio"]) == {"q2.5", "q50", "q97.5"}
        assert each["contrast"] is None
    assert [each["parameter"] for each in answer["heterogeneity"]] == ["sigma"]
    written = pd.read_csv(tmp_path / "moderators.csv")
    assert written["mean"].tolist() == [each["mean"] for each in answer["moderators"]]
    assert set(written["verdict"]) == {answer["verdict"]}
    # Asked again of the stored fit, the guard predicts at the same values.
    assert (
        json.loads(run("check", tmp_path, table, "--json").stdout)["verdict"] == answer["verdict"]
    )


FEW = [word for i in range(6) for word in ("--drop", f"s{i}")]


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("--moderator", "dosis"), "unknown moderator 'dosis'; did you mean dose?"),
        (("--moderator", "dose", "--at", "dose=x"), "at dose=x: not a number"),
        (("--moderator", "dose", *FEW), "1 coefficient is too many for the 2 studies of response"),
    ],
)
@pytest.mark.parametrize("command", ["fit", "priors", "report"])
def test_what_cannot_be_analysed_is_refused_before_anything_is_written(
    table, tmp_path, command, words, wanted
):
    out = tmp_path / "out"
    done = run(command, table, *words, "--out", out, "--json")
    assert done.exit_code == 2
    (problem,) = json.loads(done.stdout)["problems"]
    assert wanted in problem["message"]
    assert not out.exists()
