"""The public face: what `import mscpool` offers, and how forgiving it is of what it is given."""

import inspect
from html.parser import HTMLParser

import pandas as pd
import pytest

import mscpool as mp
from mscpool.data.errors import InputError

TABLE = pd.DataFrame({"study": ["a", "b"], "events": [3, 5], "n": [10, 12]})
SHORT = {"engine": "exact", "draws": 10, "chains": 1}


def test_completion_shows_what_is_for_users_and_nothing_else():
    assert set(dir(mp)) == {*mp.__all__, "__version__"}
    for name in mp.__all__:
        assert not name.startswith("_")
        assert (getattr(mp, name).__doc__ or "").strip(), name


def test_no_public_name_is_that_of_a_folder_of_code():
    # An attribute of a package is lost where a subpackage of that name is imported.
    assert not {"data", "models", "figures", "analysis"} & set(mp.__all__)


def test_every_public_function_with_parameters_says_what_they_are():
    for name in mp.__all__:
        public = getattr(mp, name)
        if inspect.isfunction(public) and len(inspect.signature(public).parameters) > 1:
            assert "Parameters\n" in (public.__doc__ or ""), name
            assert "Returns\n" in (public.__doc__ or ""), name


def test_a_fit_takes_a_path_a_table_or_an_evidence(tmp_path):
    TABLE.to_csv(tmp_path / "own.csv", index=False)
    given = (TABLE, tmp_path / "own.csv", str(tmp_path / "own.csv"), mp.load_evidence(TABLE))
    frames = [mp.rates(mp.fit(each, **SHORT)) for each in given]
    for frame in frames[1:]:
        pd.testing.assert_frame_equal(frame, frames[0])


def test_priors_are_a_set_its_name_a_file_or_a_text(tmp_path):
    text = 'name = "mine"\n[mu]\ndist = "Normal"\nmu = 0\nsigma = 1\n'
    (tmp_path / "mine.toml").write_text(text, "utf-8")
    given = (tmp_path / "mine.toml", str(tmp_path / "mine.toml"), text, mp.prior_set(text))
    frames = [mp.rates(mp.fit(TABLE, priors=each, **SHORT)) for each in given]
    for frame in frames[1:]:
        pd.testing.assert_frame_equal(frame, frames[0])
    named = mp.rates(mp.fit(TABLE, priors="sceptical", **SHORT))
    assert not named.equals(frames[0])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"priors": "scepticle"}, "did you mean sceptical"),
        ({"priors": "none.toml"}, "none.toml:1: file: there is no such file"),
        ({"priors": 3}, "priors must be a name"),
        ({"pooling": "partail"}, "did you mean partial"),
        ({"engine": "exakt"}, "did you mean exact"),
    ],
)
def test_what_is_unknown_is_answered_with_the_nearest(given, said):
    with pytest.raises(InputError, match=said):
        mp.fit(TABLE, **given)


def test_what_is_no_evidence_is_refused_in_a_line():
    with pytest.raises(InputError, match="evidence must be a path, a DataFrame or"):
        mp.fit([1, 2])


@pytest.fixture(scope="module")
def results():
    """Answers to the usual questions, by exact integration."""
    fit = mp.fit(TABLE.assign(disease=["<b>d</b>", "e"]), **SHORT)
    evidence = mp.load_evidence(TABLE.assign(disease=["<b>d</b>", "e"]))
    return {
        "check": mp.check(fit),
        "comparison": mp.compare_priors(evidence, ["default", "sceptical"], engine="exact"),
        "design": mp.design.single_arm(null=0.3, design_prior="beta(8,4)", n_max=40),
    }


@pytest.mark.parametrize("name", ["check", "comparison", "design"])
def test_every_result_has_a_short_repr_and_html_whose_tags_close(results, name):
    result = results[name]
    assert len(repr(result)) < 1000
    shown = result._repr_html_()
    assert "<b>d</b>" not in shown
    reader = Balanced()
    reader.feed(shown)
    assert not reader.open
    assert isinstance(result.to_dict(), dict)


class Balanced(HTMLParser):
    """Reads HTML and keeps the tags that are open."""

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attributes):
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
