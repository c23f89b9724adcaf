import json
import shlex

import pytest
from typer.testing import CliRunner

from mscpool.analysis.explore.state import PRIOR_FILE, State, read_state
from mscpool.analysis.terminal.cli import app
from mscpool.data.errors import InputError
from mscpool.models.priors.files import prior_set
from mscpool.models.priors.prior import Prior

SCEPTICAL = Prior.make("Normal", mu=-2.0, sigma=0.7)
SQUARE = Prior.make("InverseGamma", "variance", alpha=2.5, beta=0.1)
MOVED = State(
    outcome="death",
    threshold=0.05,
    analysis_set="reported",
    drop=("cheng2022", "a&b=c"),
    means=True,
    pooling="robust",
    base="sceptical",
    own=(("mu", SCEPTICAL), ("tau", SQUARE)),
)


@pytest.mark.parametrize("state", [State(), MOVED, State(outcome="death"), State(base="sceptical")])
def test_an_address_restores_its_state(state):
    assert read_state(f"?{state.query}", State()) == state


def test_the_prior_file_of_a_state_is_read_back_as_its_priors():
    assert prior_set(MOVED.prior_text) == MOVED.priors
    assert MOVED.priors.of("death").mu == SCEPTICAL
    assert MOVED.priors.of("improvement") == MOVED.reference.of("improvement")


def test_priors_moved_back_are_those_of_the_reference_again():
    mu = State().reference.of("improvement").mu
    assert State(own=(("mu", mu),)) == State()


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("pooling=parital", "did you mean partial"),
        ("threshold=2", "threshold must lie strictly between 0 and 1"),
        ("threshold=half", "threshold: 'half' is not a number"),
        ("mu=Normal(0)", "must be Normal"),
        ("mu=Normal(0,-1)", "sigma must be positive"),
        ("tau=Normal(0,1)", "tau is a standard deviation"),
        ("mu=Norma(0,1)", "did you mean Normal"),
        ("colour=red", "unknown part of a state 'colour'"),
    ],
)
def test_a_query_that_is_no_state_is_told_in_a_line(query, said):
    with pytest.raises(InputError, match="^[^\n]*$") as wrong:
        read_state(query, State())
    assert said in str(wrong.value)


def test_the_command_taken_home_gives_the_numbers_of_the_page(tmp_path, monkeypatch):
    from mscpool.analysis.explore.answers import Answers
    from mscpool.analysis.fitting.fit import fit
    from mscpool.data.evidence import load_evidence

    state = State(own=(("mu", Prior.make("Normal", mu=-3.0, sigma=0.5)),), drop=("wang2018",))
    monkeypatch.chdir(tmp_path)
    (tmp_path / PRIOR_FILE).write_text(state.prior_text, "utf-8")
    other = load_evidence(outcomes="death")
    fit(other, engine="exact", draws=10, chains=1, path="results/fit.nc")
    program, *arguments = shlex.split(state.command())
    ran = CliRunner().invoke(app, [*arguments, "--json"])
    assert (program, ran.exit_code) == ("mscpool", 0), ran.output
    told = json.loads(ran.stdout)["sets"][1]
    page = Answers(load_evidence()).answer(state).rates
    theirs = {(row["disease"], row["quantity"]): row for row in told["rates"]}
    for row in page.dropna(subset="disease").to_dict("records"):
        other = theirs[row["disease"], row["quantity"]]
        assert row["q50"] == pytest.approx(other["q50"], abs=2e-4)
        assert row["q97.5"] == pytest.approx(other["q97.5"], abs=2e-4)
