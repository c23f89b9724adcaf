"""The public face: what `import mscpool` offers, and how forgiving it is of what it is given."""

import inspect
import pickle
import re
from html.parser import HTMLParser

import pandas as pd
import pytest
import xarray as xr

import mscpool as mp
from mscpool.analysis.guard.result import UNCHECKED
from mscpool.analysis.paper.report.report import Report
from mscpool.analysis.sensitivity.borrowing import Borrowing
from mscpool.data.errors import InputError

TABLE = pd.DataFrame({"study": ["a", "b"], "events": [3, 5], "n": [10, 12]})
TWO_ARMS = pd.DataFrame(
    {
        "study": ["a", "a", "b", "b", "c", "c"],
        "arm": ["msc", "control"] * 3,
        "disease": ["<b>d</b>"] * 4 + ["e"] * 2,
        "outcome": "improvement",
        "events": [7, 3, 9, 4, 6, 5],
        "n": [10, 10, 12, 11, 9, 9],
    }
)
SHORT = {"engine": "exact", "draws": 10, "chains": 1}


def test_completion_shows_what_is_for_users_and_nothing_else():
    assert set(dir(mp)) == {*mp.__all__, "__version__"}
    for name in mp.__all__:
        assert not name.startswith("_")
        assert (getattr(mp, name).__doc__ or "").strip(), name


def test_modules_among_the_public_names_show_what_is_for_users_too():
    for module in (mp.design, mp.plot):
        assert set(dir(module)) == set(module.__all__)
        for name in module.__all__:
            assert "Parameters\n" in (getattr(module, name).__doc__ or ""), name


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


@pytest.fixture(scope="module")
def controlled(tmp_path_factory):
    """A fit, effects and a comparison of one table with control arms, and where they are kept."""
    folder = tmp_path_factory.mktemp("kept")
    return {
        "folder": folder,
        "evidence": mp.load_evidence(TWO_ARMS),
        "fit": mp.fit(TWO_ARMS, **SHORT, path=folder / "fit.nc"),
        "effects": mp.effects(TWO_ARMS, path=folder),
        "comparison": mp.compare_priors(fits=folder, sets=["default", "sceptical"], engine="exact"),
    }


@pytest.fixture(scope="module")
def results(controlled):
    """One of every result that the public face gives; nothing is sampled."""
    fit, effects = controlled["fit"], controlled["effects"]
    checked = mp.check(fit)
    lent = pd.DataFrame(
        {
            "outcome": ["improvement"],
            "disease": ["<b>d</b>"],
            "mean": [0.5],
            "others_mean": [0.4],
            "own_share": [0.7],
            "verdict": ["ok"],
            "sentence": ["Its own <b>patients</b> carry most of it."],
        }
    )
    return {
        "fit": fit,
        "effects": effects,
        "check of effects": effects.checked,
        "check": checked,
        "no check": UNCHECKED,
        "comparison": controlled["comparison"],
        "borrowing": Borrowing(lent, pd.DataFrame({"left_out": ["e"], "change": [0.1]})),
        "design": mp.design.single_arm(null=0.3, design_prior="beta(8,4)", n_max=40),
        "next": mp.design.next(fit=fit, outcome="improvement", n_max=40),
        "priors": mp.elicit(0.2, 0.6, factor=4),
        "set of the catalogue": mp.named_set("default"),
        "report": Report(checked, ("results/report.html", "results/fit.nc")),
    }


RESULTS = (
    *("fit", "effects", "check of effects", "check", "no check", "comparison"),
    *("borrowing", "design", "next", "priors", "set of the catalogue", "report"),
)


@pytest.mark.parametrize("name", RESULTS)
def test_every_result_tells_itself_shortly_as_a_page_as_a_table_and_as_values(results, name):
    result = results[name]
    assert 0 < len(repr(result)) < 1000
    shown = result._repr_html_()
    assert "<table" in shown
    assert "<b>d</b>" not in shown
    assert "<b>patients</b>" not in shown
    reader = Balanced()
    reader.feed(shown)
    assert not reader.open
    table = result.table if hasattr(result, "table") else result.to_frame()
    assert isinstance(table, pd.DataFrame)
    assert isinstance(result.to_dict(), dict)


def test_every_kind_of_result_is_looked_at(results):
    assert set(results) == set(RESULTS)
    made = {type(each).__name__ for each in results.values()}
    assert made >= {"Fit", "Effects", "CheckResult", "PriorComparison", "Borrowing", "Design"}


def test_a_result_that_has_a_verdict_shows_it(results):
    for name in ("check", "effects", "report"):
        verdict = getattr(results[name], "checked", results[name]).verdict
        assert verdict in results[name]._repr_html_()
    assert "mp.check(fit)" in repr(results["fit"])


def test_a_fit_stays_the_tree_that_arviz_and_xarray_know(results, controlled):
    fit = results["fit"]
    assert isinstance(fit, xr.DataTree)
    assert len(fit.isel(draw=slice(0, 3), missing_dims="ignore")["posterior"]["draw"]) == 3
    assert "Dimensions" in repr(fit["posterior"])
    assert pickle.loads(pickle.dumps(fit)).identical(fit)
    assert repr(mp.load_fit(controlled["folder"])) == repr(fit)
    part = mp.load_fit(controlled["folder"], groups=["posterior"])
    assert "Dimensions" in repr(part)
    assert "posterior" in part._repr_html_()


#: What each public function answers where a name is misspelt, or a thing is of another kind.
MISTAKEN = {
    "absolute_effects": [(lambda _: mp.absolute_effects(3), "effects must be what effects gives")],
    "borrowing": [
        (lambda _: mp.borrowing(TWO_ARMS, 3), "fit must be what fit gives"),
        (lambda a: mp.borrowing(3, a["fit"]), "evidence must be a path"),
    ],
    "build_effects_model": [
        (lambda _: mp.build_effects_model(TWO_ARMS, "partail"), "did you mean partial"),
        (lambda _: mp.build_effects_model(3), "evidence must be a path"),
    ],
    "build_model": [
        (lambda _: mp.build_model(TWO_ARMS, "partail"), "did you mean partial"),
        (lambda _: mp.build_model(TWO_ARMS, priors="sceptcal"), "did you mean sceptical"),
    ],
    "check": [
        (lambda a: mp.check(a["effects"]), "these are effects: give a fit of rates"),
        (lambda a: mp.check(a["fit"], 3), "evidence must be a path"),
        (lambda a: mp.check(a["fit"], TABLE), "made from other data"),
    ],
    "compare_priors": [
        (lambda _: mp.compare_priors(TABLE, ["defalt"], engine="exact"), "did you mean default"),
        (lambda _: mp.compare_priors(TABLE, fits=3), "fit must be what fit gives"),
        (lambda _: mp.compare_priors(TABLE, engine="exakt"), "did you mean exact"),
    ],
    "contrasts": [(lambda a: mp.contrasts(a["fit"]), "effects must be what effects gives")],
    "effects": [
        (lambda _: mp.effects(TWO_ARMS, priors="turner_marginl"), "did you mean turner_marginal"),
        (lambda _: mp.effects(TWO_ARMS, priors="none.toml"), "there is no such file"),
        (lambda _: mp.effects(TWO_ARMS, priors=3), "priors must be a name"),
        (lambda _: mp.effects(TWO_ARMS, pooling=["partial"]), "unknown pooling"),
        (lambda _: mp.effects(3), "evidence must be a path"),
    ],
    "elicit": [(lambda _: mp.elicit(0.6, 0.2), "0 < lower < upper < 1")],
    "explore": [(lambda _: mp.explore(3, browser=False), "evidence must be a path")],
    "fit": [
        (lambda _: mp.fit(TABLE, priors="scepticle"), "did you mean sceptical"),
        (lambda _: mp.fit(TABLE, priors="none.toml"), "there is no such file"),
        (lambda _: mp.fit(TABLE, priors=3), "priors must be a name"),
        (lambda _: mp.fit(TABLE, "partail"), "did you mean partial"),
        (lambda _: mp.fit(TABLE, engine="exakt"), "did you mean exact"),
        (lambda _: mp.fit(None), "evidence must be a path"),
        (lambda _: mp.fit([1, 2]), "evidence must be a path"),
    ],
    "heterogeneity": [(lambda _: mp.heterogeneity(TABLE), "fit must be what fit gives")],
    "hyper": [(lambda a: mp.hyper(a["effects"]), "give a fit of rates")],
    "load_effects": [(lambda _: mp.load_effects("nowhere"), "no stored effects here")],
    "load_evidence": [
        (lambda _: mp.load_evidence(3), "evidence must be a path"),
        (lambda _: mp.load_evidence(outcomes="remision"), "did you mean remission"),
        (lambda _: mp.load_evidence(analysis_set="cor"), "did you mean core"),
        (lambda _: mp.load_evidence("nowhere.csv"), "there is no such file"),
    ],
    "load_fit": [
        (lambda _: mp.load_fit(3), "named by its file or folder"),
        (lambda _: mp.load_fit("nowhere"), "no stored fit here"),
    ],
    "moderators": [(lambda _: mp.moderators("nowhere"), "no stored fit here")],
    "named_set": [
        (lambda _: mp.named_set("scepticle"), "did you mean sceptical"),
        (lambda _: mp.named_set(["default"]), "unknown prior set"),
    ],
    "own_shares": [(lambda _: mp.own_shares(TABLE), "effects must be what effects gives")],
    "prior_set": [
        (lambda _: mp.prior_set("scepticle"), "did you mean sceptical"),
        (lambda _: mp.prior_set("[taw]\nsigma = 1"), "did you mean tau"),
    ],
    "publish": [
        (lambda _: mp.publish("nowhere"), "no stored fit here"),
        (lambda a: mp.publish(a["fit"], a["out"], preset="doubel"), "did you mean double"),
        (lambda a: mp.publish(a["fit"], a["out"], formats=["pgn"]), "did you mean png"),
        (lambda a: mp.publish(a["fit"], a["out"], evidence=TABLE), "other data"),
    ],
    "rates": [
        (lambda a: mp.rates(a["effects"]), "give a fit of rates"),
        (lambda _: mp.rates("nowhere"), "no stored fit here"),
    ],
    "report": [
        (lambda a: mp.report(TABLE, a["out"], "partail"), "did you mean partial"),
        (lambda a: mp.report(TABLE, a["out"], priors="scepticle"), "did you mean sceptical"),
        (lambda _: mp.report(TABLE, __file__), "is a file; name a folder"),
    ],
    "study_effects": [(lambda _: mp.study_effects("nowhere"), "no stored effects here")],
    "unanchored_effects": [(lambda _: mp.unanchored_effects(3), "effects must be what")],
    "design": [
        (lambda a: mp.design.next(fit=a["fit"], outcome="improvment"), "did you mean improvement"),
        (
            lambda a: mp.design.single_arm(
                null=0.3, fit=a["fit"], outcome="improvment", disease="e"
            ),
            "did you mean improvement",
        ),
        (lambda _: mp.design.next(fit=3), "fit must be what fit gives"),
        (lambda _: mp.design.next(fit="nowhere"), "no stored fit here"),
    ],
    "plot": [
        (lambda a: mp.plot.forest(a["fit"], "improvment"), "did you mean improvement"),
        (lambda a: mp.plot.forest(a["fit"], preset="singel"), "did you mean single"),
        (lambda a: mp.plot.forest(a["fit"], evidence=TABLE), "other data"),
        (lambda a: mp.plot.rates(a["effects"]), "give a fit of rates"),
        (lambda a: mp.plot.effects_forest(a["fit"]), "effects must be what effects gives"),
        (lambda a: mp.plot.effects_forest(a["effects"], "improvment"), "mean improvement"),
        (lambda a: mp.plot.checks(a["fit"], None), "checked must be a CheckResult, not None"),
        (lambda a: mp.plot.flip_map(a["fit"], a["fit"]), "comparison must be a PriorComparison"),
        (lambda a: mp.plot.moderators(a["fit"]), "moderators: nothing to draw"),
        (lambda a: mp.plot.pooling([a["fit"]]), "fits must be two or more"),
        (lambda _: mp.plot.evidence_map(3), "evidence must be a path"),
    ],
}
CASES = [
    pytest.param(call, said, id=f"{name}-{number}")
    for name, cases in MISTAKEN.items()
    for number, (call, said) in enumerate(cases)
]


@pytest.mark.parametrize(("call", "said"), CASES)
def test_a_mistake_is_answered_in_a_line_that_says_what_would_be_right(
    call, said, controlled, tmp_path
):
    with pytest.raises(InputError, match=re.escape(said)) as refused:
        call({**controlled, "out": tmp_path / "out"})
    assert len(str(refused.value).splitlines()) == 1
    assert len(str(refused.value)) < 400


def test_a_mistake_is_tried_for_every_public_function():
    assert set(MISTAKEN) == set(mp.__all__) - {"PriorSet"}


def test_answers_are_read_from_where_they_are_stored(controlled, results):
    fit, effects, folder = (controlled[name] for name in ("fit", "effects", "folder"))
    pd.testing.assert_frame_equal(mp.rates(folder), mp.rates(fit))
    pd.testing.assert_frame_equal(mp.hyper(str(folder / "fit.nc")), mp.hyper(fit))
    pd.testing.assert_frame_equal(mp.contrasts(folder), mp.contrasts(effects))
    assert mp.check(folder, TWO_ARMS).to_dict() == results["check"].to_dict()
    assert results["comparison"].run["data_sha256"] == controlled["evidence"].sha256


def test_priors_of_effects_are_a_set_its_name_a_file_or_a_text(tmp_path):
    text = 'name = "mine"\n[mu]\ndist = "Normal"\nmu = 0\nsigma = 1\n'
    (tmp_path / "mine.toml").write_text(text, "utf-8")
    given = (tmp_path / "mine.toml", str(tmp_path / "mine.toml"), text)
    frames = [mp.contrasts(mp.effects(TWO_ARMS, priors=each, check=False)) for each in given]
    for frame in frames[1:]:
        pd.testing.assert_frame_equal(frame, frames[0])
    named = mp.contrasts(mp.effects(TWO_ARMS, priors="turner_marginal", check=False))
    assert not named.equals(frames[0])


class Balanced(HTMLParser):
    """Reads HTML and keeps the tags that are open."""

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attributes):
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
