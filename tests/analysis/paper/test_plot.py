"""Every figure of the set from Python: drawn from the same frames as the set."""

import inspect
import re

import pandas as pd
import pytest
from matplotlib.figure import Figure

import mscpool as mp
from mscpool.analysis.paper.publish.exhibits import KINDS
from mscpool.analysis.paper.report import figure_set
from mscpool.analysis.sensitivity.borrowing import Borrowing
from mscpool.data.errors import InputError

CONTROLLED = pd.DataFrame(
    [
        (f"s{i}", arm, "improvement", events, 20, 2010 + i)
        for i in range(6)
        for arm, events in (("msc", 9 + i), ("control", 8))
    ],
    columns=["study", "arm", "outcome", "events", "n", "year"],
)
SHORT = {"engine": "exact", "draws": 20, "chains": 1}


@pytest.fixture(scope="module")
def known():
    """A fit and all that is asked of it, nothing sampled."""
    nested = pd.DataFrame(
        [
            (study, disease, arm, outcome, events, 12)
            for study, disease, more in (("Ann", "x", 0), ("Bob", "x", 2), ("Cyd", "y", 3))
            for arm, fewer in (("msc", 0), ("control", 2))
            for outcome, events in (
                ("improvement", 5 + more - fewer),
                ("remission", 3),
                ("serious_ae", 2 - fewer),
            )
        ],
        columns=["study", "disease", "arm", "outcome", "events", "n"],
    )
    evidence = mp.load_evidence(nested)
    fits = {name: mp.fit(evidence, name, **SHORT) for name in ("complete", "partial")}
    fit = fits["partial"]
    names = list(evidence.diseases)
    lent = pd.DataFrame(
        [
            {
                "outcome": "improvement",
                "disease": one,
                "left_out": other,
                "kind": "disease",
                "mean": 0.4,
                "mcse_mean": 0.01,
                "change": 0.1,
                "change_mcse": 0.01,
                "method": "refit",
                "pareto_k": None,
            }
            for one in names
            for other in names
        ]
    )
    return {
        "evidence": evidence,
        "fits": fits,
        "fit": fit,
        "of_means": mp.fit(mp.load_evidence(outcomes="improvement"), **SHORT),
        "checked": mp.check(fit, evidence),
        "comparison": mp.compare_priors(
            evidence, ["default", "sceptical"], engine="exact", threshold="usual"
        ),
        "borrowed": Borrowing(pd.DataFrame(), lent),
        "asked": mp.design.next(fit=fit, outcome="improvement", n_max=40),
        "effects": mp.effects(evidence, shares=True),
    }


#: What of these each figure is drawn from; those of moderators have a test of their own.
DRAWN_FROM = {
    "evidence_map": ("evidence",),
    "characteristics": ("evidence",),
    "forest": ("fit",),
    "rates": ("fit",),
    "joint": ("fit",),
    "safety": ("fit",),
    "benefit_harm": ("fit",),
    "later": ("of_means",),
    "cumulative": ("of_means",),
    "effects_by_year": ("of_means",),
    "pooling": ("fits",),
    "prior_posterior": ("fit",),
    "predictive": ("fit",),
    "means": ("of_means",),
    "checks": ("fit", "checked"),
    "calibration": ("fit", "checked"),
    "prior_comparison": ("fit", "comparison"),
    "flip_map": ("fit", "comparison"),
    "borrowing": ("fit", "borrowed"),
    "next_patients": ("fit", "asked"),
    "effects_forest": ("effects",),
    "labbe": ("effects",),
    "effect_rates": ("effects",),
}
#: What needs draws of a sampler.
SAMPLED = {
    *("power_scaling", "moderators", "moderated_rates", "bubbles"),
    *("effect_moderators", "moderated_effects", "effect_bubbles"),
}


def words_of(figure: Figure) -> str:
    from matplotlib.text import Text

    return " ".join(each.get_text() for each in figure.findobj(Text))


@pytest.mark.parametrize("name", DRAWN_FROM)
def test_a_figure_is_drawn_at_the_width_of_its_page(name, known):
    drawn = getattr(mp.plot, name)(*(known[each] for each in DRAWN_FROM[name]), preset="single")
    assert isinstance(drawn, Figure)
    assert drawn.get_figwidth() * 25.4 == pytest.approx(88)


def test_every_kind_of_figure_of_the_set_has_a_function():
    assert {kind.name for kind in KINDS} == set(mp.plot.__all__)
    assert set(DRAWN_FROM) | SAMPLED == set(mp.plot.__all__)


def test_a_notebook_shows_the_picture_whether_or_not_pyplot_is_set_up(known):
    from IPython.core.formatters import PNGFormatter

    shown = PNGFormatter()(mp.plot.evidence_map(known["evidence"]))
    assert shown.startswith(b"\x89PNG")


def test_every_function_takes_the_page():
    for name in mp.plot.__all__:
        parameters = inspect.signature(getattr(mp.plot, name)).parameters
        assert parameters["preset"].default == "double"
        assert parameters["preset"].kind is inspect.Parameter.KEYWORD_ONLY


@pytest.mark.parametrize("name", mp.plot.__all__)
def test_the_documentation_of_a_figure_is_whole(name):
    """Every parameter stands in it once, as optional where it is; and what is refused."""
    drawn = getattr(mp.plot, name)
    assert drawn.__name__ == name
    text = inspect.getdoc(drawn)
    assert re.match(r"Draw [^\n]+\.\n\nParameters\n----------\n", text)
    documented = dict(re.findall(r"^(\w+) : (.+)\n    [A-Z]", text, re.MULTILINE))
    parameters = inspect.signature(drawn).parameters
    assert list(documented) == list(parameters)
    for each, given in parameters.items():
        assert documented[each].endswith("optional") == (given.default is None), each
    assert "\nReturns\n-------\nmatplotlib.figure.Figure" in text
    assert max(map(len, text.splitlines())) <= 100


def test_a_set_shows_what_is_given_and_what_is_kept_beside_a_stored_fit(known, tmp_path, patched):
    fit, checked = known["fit"], known["checked"]
    mp.publish(fit, tmp_path / "out", checked=checked, comparison=known["comparison"])
    results, place = patched.pop()
    assert (results.verdict, place) == (checked.verdict, tmp_path / "out")
    assert results.comparison is known["comparison"]
    mp.fit(known["evidence"], **SHORT, path=tmp_path / "fit.nc")
    assert mp.publish(tmp_path) == []
    results, place = patched.pop()
    assert (results.verdict, place) == ("unchecked", tmp_path / "figures")
    assert results.evidence.sha256 == known["evidence"].sha256


@pytest.fixture
def patched(monkeypatch):
    """What would be written, in place of writing it."""
    asked = []

    def told(results, place, *_):
        return asked.append((results, place)) or []

    monkeypatch.setattr(figure_set, "write_figure_set", told)
    return asked


@pytest.mark.slow
def test_a_figure_is_that_of_the_set(known, tmp_path):
    files = mp.publish(
        known["fit"], tmp_path, checked=known["checked"], comparison=known["comparison"],
        evidence=known["evidence"], formats=["png"],
    )  # fmt: skip
    names = {path.name for path in files}
    assert {"forest_improvement.png", "flip_map_serious_ae.csv", "captions.md"} <= names
    own = mp.plot.forest(known["fit"], "improvement", checked=known["checked"])
    from PIL import Image

    with Image.open(tmp_path / "forest_improvement.png") as picture:
        height = picture.height / picture.width * own.get_figwidth()
    assert own.get_figheight() == pytest.approx(height, abs=0.01)
    assert "Unchecked" not in words_of(own)


def test_what_the_guard_has_not_seen_says_so(known):
    assert "Unchecked" in words_of(mp.plot.forest(known["fit"]))
    assert "Unchecked" in words_of(mp.plot.forest(known["fit"], evidence=known["evidence"]))


def test_a_figure_of_an_own_table_needs_nothing_but_the_fit(tmp_path):
    table = pd.DataFrame(
        {"study": ["Ann 2020", "Bob"], "events": [3, 5], "n": [10, 12], "disease": ["x", "y"]}
    )
    table.to_csv(tmp_path / "own.csv", index=False)
    fit = mp.fit(tmp_path / "own.csv", **SHORT, path=tmp_path / "fit.nc")
    for given, source in ((fit, None), (tmp_path, table), (fit, tmp_path / "own.csv")):
        assert "Ann 2020" in words_of(mp.plot.forest(given, evidence=source))


def test_an_outcome_is_drawn_that_is_named_and_else_the_first(known):
    assert "Improvement" in words_of(mp.plot.forest(known["fit"]))
    assert "Serious" in words_of(mp.plot.forest(known["fit"], "serious_ae"))
    for name in ("improvement", "remission"):
        assert "Remission" in words_of(mp.plot.joint(known["fit"], name))


@pytest.mark.slow
@pytest.mark.mcmc
def test_figures_of_moderators_are_drawn(tmp_path):
    lines = ["study,disease,outcome,events,n,year"]
    lines += [f"s{i},d,response,{3 + i},20,{2010 + i}" for i in range(6)]
    (tmp_path / "own.csv").write_text("\n".join(lines), "utf-8")
    evidence = mp.load_evidence(tmp_path / "own.csv", moderators="year")
    fit = mp.fit(evidence, draws=100, tune=200, chains=2)
    for drawn in (
        mp.plot.moderators(fit),
        mp.plot.moderated_rates(fit, "response"),
        mp.plot.bubbles(fit, "response", "year"),
        mp.plot.bubbles(fit, evidence=evidence),
    ):
        assert isinstance(drawn, Figure)
    effects = mp.effects(CONTROLLED, moderators="year", draws=100, tune=200, chains=2, check=False)
    for drawn in (
        mp.plot.effect_moderators(effects),
        mp.plot.moderated_effects(effects, "improvement"),
        mp.plot.effect_bubbles(effects, "improvement", "year"),
    ):
        assert isinstance(drawn, Figure)
    with pytest.raises(InputError, match="did you mean year"):
        mp.plot.bubbles(fit, moderator="yaer")
