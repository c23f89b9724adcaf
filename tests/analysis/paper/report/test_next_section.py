"""The report says where the next patients would teach most."""

import pytest

from mscpool.analysis.fitting.fit import fit
from mscpool.analysis.guard.result import UNCHECKED
from mscpool.analysis.paper.frames.next_patients import gain_lines, next_patients_of
from mscpool.analysis.paper.frames.results import Results
from mscpool.analysis.paper.publish.exhibits import one_by_one
from mscpool.analysis.paper.report.sections_next import next_section
from mscpool.data.evidence import load_evidence
from mscpool.figures.style import make_style


@pytest.fixture(scope="module")
def results():
    evidence = load_evidence(outcomes=["serious_ae", "death"])
    made = fit(evidence, engine="exact", draws=50, seed=1)
    asked = next_patients_of(made, UNCHECKED, lambda stage, done, total: None)
    return Results(made, evidence, next_patients=asked)


def test_the_table_shows_the_trials_that_the_sentences_tell_of(results):
    section = next_section(results)
    (table,) = section.tables
    assert len(table.rows) == 2 * 6
    sentences = next(block.content for block in section.blocks if block.kind == "list")
    assert len(sentences) == 2
    for sentence in sentences:
        outcome = sentence.partition(":")[0]
        shares = [row[2] for row in table.rows if row[0] == outcome]
        told = sentence.partition("expected to fall by ")[2].partition(" (")[0]
        assert told in shares, sentence


def test_the_figure_has_a_panel_an_outcome_and_says_what_it_shows(results):
    each = next(each for each in one_by_one(results) if each.name == "next_patients")
    assert list(each.frame["panel"].unique()) == ["Serious adverse event", "Death within 12 months"]
    assert each.frame["series"].nunique() == 6
    for text in (each.words.caption, each.words.alternative):
        assert "variance" in text or "patients" in text
    figure = each.draw(each.frame, make_style("double", (), "pass"))
    titles = {text.get_text() for text in figure.texts}
    assert {"Serious adverse event", "Death within 12 months"} <= titles


def test_nothing_is_said_where_nothing_was_asked(results):
    plain = Results(results.fit, results.evidence)
    assert next_section(plain) is None
    assert gain_lines(plain).empty
