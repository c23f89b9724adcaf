"""The dictionary of outcomes: complete, and the only place that knows one by name."""

import ast

import pytest

from mscpool.analysis.sensitivity.questions import questions
from mscpool.data.names import (
    counted_words,
    level_scale,
    outcome_in_text,
    outcome_plural,
    outcome_words,
    timed_words,
)
from mscpool.data.outcomes import DICTIONARY, OUTCOMES, PARENTS, Outcome, outcome
from mscpool.models.priors.prior import Prior
from mscpool.models.priors.sets import DEFAULT

# The named prior sets give single outcomes their published priors: that is what they are.
NAMING = {"data/outcomes.py", "models/priors/catalogue.py", "models/effects/priors.py"}


def test_every_outcome_has_a_name_of_its_own_and_words():
    for field in ("name", "label", "short"):
        values = [getattr(each, field) for each in DICTIONARY]
        assert all(values)
        assert len(set(values)) == len(values)


def test_relations_are_to_outcomes_of_the_dictionary():
    assert set(PARENTS.values()) <= set(OUTCOMES)
    for each in DICTIONARY:
        assert each.also_counts_as is None or each.also_counts_as in OUTCOMES
        if each.parent:
            # One link and one side, or a product of the two rates would mean nothing.
            parent = outcome(each.parent)
            assert (parent.link, parent.is_harm) == (each.link, each.is_harm)
            assert parent.parent is None
            assert OUTCOMES.index(each.parent) < OUTCOMES.index(each.name)


def test_an_unknown_outcome_stands_alone_as_a_benefit_on_the_log_odds():
    assert outcome("response") == Outcome("response", None, "logit")
    assert not outcome("response").timed
    assert outcome_words("pain_free") == "Pain free"
    assert outcome_in_text("CR/PR") == "CR/PR"


def test_words_follow_from_the_entry():
    assert outcome_words("death") == "Death within 12 months"
    assert counted_words("death") == "Death"
    assert outcome_plural("serious_ae") == "serious adverse events"
    assert timed_words(("improvement", "death")) == "death"
    assert timed_words(("improvement",)) == ""


@pytest.mark.parametrize(
    ("names", "scale"),
    [
        (["improvement"], "log-odds scale"),
        (["death"], "log hazard a year scale"),
        (["improvement", "death"], "log-odds scale (death: log hazard a year)"),
    ],
)
def test_the_scale_of_levels_is_named(names, scale):
    assert level_scale(names, " scale") == scale


def test_usual_questions_follow_from_the_entry():
    asked = questions("usual", [*OUTCOMES, "response"])
    assert {name: (each.threshold, str(each.direction)) for name, each in asked.items()} == {
        "improvement": (0.3, "above"),
        "remission": (0.3, "above"),
        "any_ae": (0.5, "below"),
        "moderate_severe_ae": (0.3, "below"),
        "serious_ae": (0.1, "below"),
        "death": (0.1, "below"),
        "response": (0.3, "above"),
    }


def test_the_default_level_is_that_of_the_entry():
    for each in DICTIONARY:
        mean, sd = each.level or (0, 1.5)
        assert DEFAULT.of(each.name).mu == Prior.make("Normal", mu=mean, sigma=sd)


def strings_of(tree):
    """Texts of a module that are values, not docstrings."""
    spoken = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and node not in spoken and isinstance(node.value, str)
    }


def test_no_module_asks_for_an_outcome_by_its_name(root):
    rooms = ("data", "models", "figures", "analysis")
    sources = [path for room in rooms for path in (root / room).rglob("*.py")]
    naming = {}
    for path in sources:
        named = strings_of(ast.parse(path.read_text("utf-8"))) & set(OUTCOMES)
        if named and path.relative_to(root).as_posix() not in NAMING:
            naming[path.relative_to(root).as_posix()] = named
    # Data sets that are made up to calibrate the guard have one outcome, whichever.
    assert naming == {"analysis/calibration/defects.py": {"improvement"}}
