"""The dictionary of outcomes: complete, and the only place that knows one by name."""

import ast
import json
import os
import subprocess
import sys

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
    # Data sets that are made up to calibrate have one outcome, whichever; of means an improvement
    # is a column.
    made_up = ("analysis/calibration/defects.py", "analysis/calibration/effects.py")
    of_means = ("data/controlled.py", "models/effects/standardised.py")
    planted = {"analysis/calibration/faults.py": {"serious_ae"}}
    assert naming == dict.fromkeys((*made_up, *of_means), {"improvement"}) | planted


#: The dictionary with a second entry that is all that death is, under another name. It is made in
#: a process of its own, as modules read the dictionary where they are imported.
TWINS = """
import json, sys
from dataclasses import replace
from mscpool.data import outcomes

names = "death", "loss"
twin = replace(outcomes.outcome("death"), name="loss", label="Loss", short="Loss")
outcomes.DICTIONARY += (twin,)
outcomes.OUTCOMES += ("loss",)
outcomes._BY_NAME["loss"] = twin

import mscpool as mp
from mscpool.analysis.effects import effects
from mscpool.analysis.effects import results
from mscpool.models.effects.priors import EFFECT_SETS
from mscpool.models.priors.catalogue import CATALOGUE

evidence = mp.load_evidence(sys.argv[1])
made = effects.effects(evidence, check=False)
compared = mp.compare_priors(
    evidence, ["mu_uniform_rate", "mu_vague"], engine="exact", threshold="usual"
)
tables = mp.rates(mp.fit(evidence, engine="exact")), results.contrasts(made), compared.rates
tables += results.absolute_effects(made), compared.hyper, compared.flips
told = {
    name: [
        *(table[table["outcome"] == name].to_json(orient="records") for table in tables),
        *(f"{given}: {CATALOGUE[given].of(name)}" for given in CATALOGUE),
        *(f"{given}: {EFFECT_SETS[given].priors.of(name)}" for given in EFFECT_SETS),
    ]
    for name in names
}
print(json.dumps(told))
"""
COUNTS = (
    "a,x,NAME,msc,1,20,6\na,x,NAME,control,3,21,6\nb,x,NAME,msc,0,15,12\nc,y,NAME,msc,2,30,24\n"
)


def test_another_timed_outcome_is_treated_as_death_is(tmp_path):
    rows = COUNTS.replace("NAME", "death") + COUNTS.replace("NAME", "loss")
    table = tmp_path / "counts.csv"
    table.write_text("study,disease,outcome,arm,events,n,months\n" + rows, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-c", TWINS, table], capture_output=True, text=True, env=os.environ
    )
    assert not run.returncode, run.stderr
    told = json.loads(run.stdout)
    differing = [
        line
        for line, twin in zip(told["death"], told["loss"], strict=True)
        if line != twin.replace("loss", "death").replace("Loss", "Death")
    ]
    assert all("0." in line for line in told["death"][:6])
    # A set that gives the published prior of deaths says nothing of what is lost.
    named = {line.partition(":")[0] for line in differing}
    assert named == {"turner_outcomes", "sceptical", "enthusiastic"}
