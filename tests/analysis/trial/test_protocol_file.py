"""The statistics section of a protocol: numbers are the design's, and what is open is marked."""

import itertools
import re
import warnings
from io import BytesIO

import pytest
from docx import Document
from docx.enum.text import WD_COLOR_INDEX

import mscpool as mp
from mscpool.analysis.fitting.exact_fit import NotIntegrated
from mscpool.analysis.guard.measured import power_of_few_studies
from mscpool.analysis.guard.result import CheckResult, OutcomeVerdict
from mscpool.data.errors import InputError

LOOKS = {"look": [6, 12], "control_rate": 0.2, "effect": 0.3, "futility": 0.1}
DESIGNS = {
    "single_arm": {"null": 0.3, "target": 0.5, "design_prior": "beta(8,4)", "n_max": 60},
    "two_arm": {"n_experimental": 12, "n_control": 6, "control_rate": 0.2, "effect": 0.3},
    "precision": {"width": 0.4, "n_max": 60},
    "safety": {"null": 0.1, "target": 0.3, "type1": 0.2},
    "monitor": {"null": 0.3, "target": 0.5, "look": [10, 20], "futility": 0.1},
    "two_stage": {"null": 0.2, "target": 0.5, "n_max": 25},
    "two_arm, watched": LOOKS,
}
SECTIONS = (
    "Endpoint", "Hypotheses", "Decision rule", "Sample size", "Operating characteristics",
    "Priors and their evidence", "Robustness to the prior", "Summary", "Software", "References",
)  # fmt: skip
ROWS = """study,disease,outcome,events,n
s1,first,imp|rove <b>,3,10
s2,first,imp|rove <b>,5,12
s3,second,imp|rove <b>,7,9
s3,second,../../evil,0,9
"""


@pytest.fixture(scope="module")
def designs():
    return {
        name: getattr(mp.design, name.partition(",")[0])(**words) for name, words in DESIGNS.items()
    }


@pytest.fixture(scope="module")
def behind(tmp_path_factory):
    """A design whose prior is taken from a fit with names that could be markup."""
    path = tmp_path_factory.mktemp("protocol") / "rows.csv"
    path.write_text(ROWS, "utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotIntegrated)
        fit = mp.fit(mp.load_evidence(path), engine="exact")
    verdict = OutcomeVerdict("imp|rove <b>", "warn", "One study surprises.", ())
    checked = CheckResult("warn", (verdict,))
    where = {"outcome": "imp|rove <b>", "disease": "first", "checked": checked}
    return mp.design.single_arm(fit=fit, **where, null=0.2, n_max=40, assurance=0.5)


def numbers(value):
    """Walk all numbers of a JSON-ready answer."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        yield from itertools.chain.from_iterable(map(numbers, value))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield value


def section(markdown, title):
    return re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", markdown, re.M | re.S)[1]


@pytest.mark.parametrize("name", DESIGNS)
def test_every_number_is_that_of_the_answer(designs, name):
    result, dropout = designs[name], 0.15
    known = {float(n) for n in numbers(result.to_dict())}
    known |= {float(n) for row in result.table.to_numpy().tolist() for n in numbers(row)}
    written = {f"{value:{shape}}" for value in known for shape in (".4f", ".2f", "g")}
    enrolled = {str(n) for n in result.protocol(dropout).enrolment.values()}
    allowed = written | enrolled | {f"{100 * dropout:g}", "0.9999", "0.0001"}
    for title in ("Hypotheses", "Decision rule", "Sample size", "Operating characteristics"):
        text = section(result.protocol(dropout).markdown, title)
        found = re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?![\w])", text)
        assert set(found) <= allowed, title


@pytest.mark.parametrize("name", DESIGNS)
def test_a_word_document_opened_again_says_what_the_text_says(designs, name):
    protocol = designs[name].protocol(dropout=0.1)
    document = Document(BytesIO(protocol.docx))
    headings = [p.text for p in document.paragraphs if p.style.name == "Heading 1"]
    assert tuple(headings[:-1]) == SECTIONS
    blanks = [
        run.text
        for paragraph in document.paragraphs
        for run in paragraph.runs
        if run.font.highlight_color == WD_COLOR_INDEX.YELLOW
    ]
    assert blanks == re.findall(r"\[TO BE COMPLETED: [^\]]*\]", protocol.markdown)
    assert blanks
    plain = re.sub(r"\\(.)", r"\1", protocol.markdown)
    for paragraph in document.paragraphs:
        assert paragraph.text in plain
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    assert all(f" {cell} " in plain for cell in cells)
    assert cells.count("[OPEN]") == sum(not item.filled for item in protocol.items)


def test_the_same_design_gives_the_same_bytes(designs, monkeypatch):
    import time

    first = designs["monitor"].protocol().docx
    monkeypatch.setattr(time, "time", lambda: 2e9)
    assert designs["monitor"].protocol().docx == first


@pytest.mark.parametrize("dropout", [0, 0.1, 0.15, 0.25, 0.5])
def test_drop_out_raises_the_number_by_the_fewest_that_suffice(designs, dropout):
    for name, result in designs.items():
        evaluable, raised = (result.protocol(d).enrolment for d in (0, dropout))
        assert evaluable, name
        for what, n in raised.items():
            assert round(n * (1 - dropout), 9) >= evaluable[what]
            assert round((n - 1) * (1 - dropout), 9) < evaluable[what]


def test_drop_out_that_nobody_named_is_left_open(designs):
    text = section(designs["single_arm"].protocol().markdown, "Sample size")
    assert "[TO BE COMPLETED: expected drop-out" in text
    for dropout in (-0.1, 1, 1.5):
        with pytest.raises(InputError, match="give a share of at least 0 and below 1"):
            designs["single_arm"].protocol(dropout)


def test_the_evidence_behind_a_prior_is_counted_and_judged(behind):
    text = section(behind.protocol().markdown, "Priors and their evidence")
    assert "2 studies with 22 patients; in all diseases 3 studies with 31 patients" in text
    assert "verdict on imp\\|rove \\<b>: warn. One study surprises." in text
    assert f"SHA-256 {behind.behind.fit.attrs['run_config'].split('data_sha256')[1][3:67]}" in text
    assert power_of_few_studies() in text


def test_effects_behind_a_prior_are_counted_against_control():
    made = mp.effects(mp.load_evidence(analysis_set="current", outcomes="improvement"))
    where = {"disease": "systemic_lupus_erythematosus", "outcome": "improvement"}
    believed = {"effect_prior": "effect", "design_prior_control": "0.3"}
    sizes = {"n_experimental": 8, "n_control": 8}
    text = mp.design.two_arm(fit=made, **where, **believed, **sizes).protocol().markdown
    text = section(text, "Priors and their evidence")
    assert "against control: 1 study with 18 patients; in all diseases 2 studies" in text
    assert "verdict on improvement: warn. Every disease has one study only" in text
    assert "the guard of effects would have noticed has not been measured" in text


def test_names_of_others_become_neither_markup_nor_paths(behind, tmp_path):
    from mscpool.analysis.paper.publish.design import publish_design

    protocol = behind.protocol()
    assert "<b>" not in protocol.markdown.replace("\\<b>", "")
    assert "imp|rove <b>" in "".join(p.text for p in Document(BytesIO(protocol.docx)).paragraphs)
    files = publish_design(behind, tmp_path, protocol=protocol)
    assert {path.parent for path in files} == {tmp_path}
    assert {"design_single_arm_protocol.md", "design_single_arm_protocol.docx"} <= {
        path.name for path in files
    }


@pytest.mark.parametrize("name", DESIGNS)
def test_an_item_is_filled_only_by_a_section_that_there_is(designs, name):
    protocol = designs[name].protocol()
    assert {item.where for item in protocol.items if item.filled} <= set(SECTIONS)
    spirit = {item.number for item in protocol.items if item.source == "SPIRIT 2025"}
    assert spirit >= {"10", "16", "17", "19", "27a", "27b", "27c", "27d", "28b"}
    by_words = {item.wanted: item for item in protocol.items}
    # What only the trial's people know is never filled by a design.
    for wanted in ("how missing data are handled", "why Bayesian methods are used"):
        assert not by_words[wanted].filled
    assert not by_words["expected drop-out"].filled
    later = {item.wanted: item for item in designs[name].protocol(0.1).items}
    assert later["expected drop-out"].filled
    watched = name in ("monitor", "safety", "two_stage", "two_arm, watched")
    assert by_words["interim analyses and stopping"].filled == watched


def test_the_number_under_other_priors_is_told_where_it_was_asked_for(behind):
    text = section(behind.protocol().markdown, "Robustness to the prior")
    for row in behind.answer.discounted.discounts:
        assert f"| {row.discount:g} | {row.recommended_n or '–'} |" in text
    given = {"outcome": "imp|rove <b>", "disease": "first", "sets": ["default", "sceptical"]}
    words = {"null": 0.2, "n_max": 40, "assurance": 0.5}
    asked = mp.design.single_arm(fit=behind.behind.fit, **given, **words)
    text = section(asked.protocol().markdown, "Robustness to the prior")
    for row in asked.answer.by_set.sets:
        assert f"| {row.set} | {row.recommended_n or '–'} |" in text
    plain = mp.design.monitor(null=0.3, look=[10])
    assert "[TO BE COMPLETED" in section(plain.protocol().markdown, "Robustness to the prior")


def test_what_plans_no_trial_has_no_protocol():
    with pytest.raises(InputError, match="design ess plans no trial"):
        mp.design.ess(prior="beta(3,7)").protocol()


def test_no_probability_is_written_as_certain_that_is_not():
    result = mp.design.monitor(null=0.05, target=0.9, look=[20, 40], futility=0.01, efficacy=0.99)
    for text in (result.paragraph, result.protocol().markdown):
        assert "1.0000" not in text
        assert "0.0000" not in text
    assert "above 0.9999" in result.paragraph
