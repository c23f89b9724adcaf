"""What people read has names that they know, and nouns that go with their numbers."""

import ast
import re

import pandas as pd
import pytest

import mscpool as mp
from mscpool.analysis.effects.guard import check_effects
from mscpool.analysis.effects.model import fit_effects
from mscpool.analysis.fitting.fit import fit
from mscpool.analysis.guard.check import check
from mscpool.analysis.paper.frames.results import Results
from mscpool.analysis.paper.publish.exhibits import exhibits
from mscpool.analysis.paper.report.sections import sections, verdict_sentences
from mscpool.analysis.terminal.validate import validate
from mscpool.data.controlled import controlled_rows
from mscpool.data.evidence import load_evidence
from mscpool.data.suspicions import suspicions
from mscpool.models.effects.priors import effect_priors

COUNTED = (
    "studies patients diseases outcomes counts rows draws chains arms events responses sets trials "
    "files steps sheets simulations"
)
AFTER_A_NUMBER = re.compile(rf"^ (?:[a-z]+ )?(?:{'|'.join(COUNTED.split())})\b")
#: What stands before such a noun and is no number, or is never one.
NEVER_ONE = {
    "one",  # cautions: the name of an outcome
    "column",
    "high",  # events beyond the patients of a row
    "beside",
    "row['direction']",  # more or fewer
    "POOLINGS[run['pooling']].words",
    "len(studies)",  # said where there are several
    "diseases",
    "len(frame)",
    "len(self.sets)",
    "len(filled)",
    "count",  # prior sets, said where there are several
    "looks",  # a list
    "among",
    "parent.n",  # beside that of another row, which differs
    "most",  # a limit of a design
}


def bare_plurals(source):
    """List the f-strings in which a plural stands after what may be one."""
    found = []
    for node in ast.walk(ast.parse(source)):
        values = node.values if isinstance(node, ast.JoinedStr) else []
        for number, after in zip(values, values[1:], strict=False):
            if not (isinstance(number, ast.FormattedValue) and isinstance(after, ast.Constant)):
                continue
            expression = ast.unparse(number.value)
            decimal = number.format_spec is not None and ".1f" in ast.unparse(number.format_spec)
            called = expression.startswith("numbered(")
            if AFTER_A_NUMBER.match(str(after.value)) and not (
                decimal or called or expression in NEVER_ONE
            ):
                found.append(f"{expression}{after.value}")
    return found


@pytest.mark.parametrize("room", ["data", "models", "figures", "analysis"])
def test_no_sentence_writes_a_plural_after_what_may_be_one(room, root):
    wrong = {
        str(path.relative_to(root)): found
        for path in (root / room).rglob("*.py")
        if (found := bare_plurals(path.read_text("utf-8")))
    }
    assert not wrong


def test_a_plural_after_a_number_would_be_found():
    assert bare_plurals('f"{n} studies"') == ["n studies"]
    assert bare_plurals('f"{n} treated patients of"') == ["n treated patients of"]
    assert not bare_plurals("f\"{numbered(n, 'study', 'studies')} of studies\"")


def test_one_study_is_counted_as_one(tmp_path, capsys):
    table = tmp_path / "one.csv"
    table.write_text("study,events,n\nOne 2019,1,1\n", "utf-8")
    validate(str(table))
    said = capsys.readouterr().out
    assert said.startswith("valid: 1 study, 1 row, 1 patient treated")
    assert said.strip().endswith("1 row of 1 study")


@pytest.fixture(scope="module")
def evidence():
    return load_evidence()


@pytest.fixture(scope="module")
def keys(evidence):
    """Find what only the shipped tables call by its name."""
    names = {*evidence.studies["study"], *evidence.studies["disease"], *evidence.vocabulary}
    only = [name for name in names if re.search(r"\d$|_", name)]
    assert len(only) > 40
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, only))})\b")


def test_no_message_of_the_evidence_has_a_key(evidence, keys):
    for selection in ("core", "everything", "current"):
        for moderators in ((), ("n_msc",), ("donor",)):
            outcome = ("improvement",) if moderators else ()
            chosen = evidence.select(
                analysis_set=selection, moderators=moderators, outcomes=outcome
            )
            for line in (*chosen.messages, *chosen.cautions()):
                assert not keys.search(line.replace("n_msc", "")), line


def test_totals_and_doubles_are_told_by_the_names_that_readers_know(evidence, keys):
    rows = evidence.rows[evidence.rows["outcome"] == "serious_ae"].head(4)
    counts = ["events_min", "events_max", "n"]
    total = rows.head(1).assign(study="wang2018")
    rows = rows.assign(**{name: rows[name] + 1 for name in counts})
    total = total.assign(**rows[counts].sum().to_dict())
    labels = dict(zip(evidence.studies["study"], evidence.studies["label"], strict=True))
    made = pd.concat([rows, total], ignore_index=True)
    said = suspicions(made, labels)
    assert said[0].startswith("Wang 2018, serious adverse event: ")
    assert not [line for line in said if keys.search(line)]


def test_no_sentence_of_effects_has_a_key(evidence, keys):
    compared = controlled_rows(evidence.select(analysis_set="everything"))
    rows = compared.rows[compared.rows["outcome"] == "moderate_severe_ae"]
    made = fit_effects(rows, list(rows["disease"].unique()), "partial", effect_priors("default"))
    labels = dict(zip(evidence.studies["study"], evidence.studies["label"], strict=True))
    [judged] = check_effects(made, {}, labels=labels).outcomes
    assert judged.checks[0].reason.startswith("In Deng 2017, 2 of 12 treated patients")
    assert not [each for each in judged.checks if keys.search(each.reason)]


@pytest.fixture(scope="module")
def results(evidence):
    chosen = evidence.select(outcomes=("serious_ae", "death"))
    made = fit(chosen, engine="exact", draws=200, seed=1)
    return Results(made, chosen, check(made, chosen))


def test_no_sentence_of_the_page_has_a_key(results, keys):
    said = verdict_sentences(results)
    written = sections(results, "")
    for block in (block for section in written for block in section.blocks):
        if block.kind in ("text", "warning"):
            said.append(block.content)
        elif block.kind == "list":
            said += block.content
        elif block.kind == "brief":
            said += [text for entry in block.content for text in entry]
        elif block.kind == "table":
            said += [block.content.caption, *block.content.header]
            said += [cell for row in block.content.rows for cell in row]
    for exhibit in exhibits(results):
        said += [exhibit.words.title, exhibit.words.caption, exhibit.words.alternative]
    said = [line for line in said if not line.startswith("Data: SHA-256")]
    assert len(said) > 300
    assert not [line for line in said if keys.search(line)]


def test_no_paragraph_of_a_design_has_a_key(results, keys):
    made = mp.design.single_arm(
        fit=results.fit,
        disease="atopic_dermatitis",
        outcome="serious_ae",
        null=0.1,
        direction="below",
        design_prior="new-study",
        n_max=30,
    )
    assert not keys.search(made.paragraph)
    assert not keys.search(results.checked._repr_html_().partition("<table")[0])
