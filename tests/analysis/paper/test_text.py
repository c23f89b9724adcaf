"""What readers are told: names in words, one of a thing in the singular."""

import re
import warnings

import pytest

from mscpool.analysis.fitting.exact_fit import left_to_the_sampler
from mscpool.analysis.fitting.fit import fit
from mscpool.analysis.guard.check import check
from mscpool.analysis.paper.frames.results import Results
from mscpool.analysis.paper.publish.checklist import checklist
from mscpool.analysis.paper.publish.exhibits import exhibits
from mscpool.analysis.paper.report.sections import heading, sections, verdict_sentences
from mscpool.analysis.sensitivity.borrowing import borrowing
from mscpool.analysis.sensitivity.compare import compare_priors
from mscpool.analysis.terminal.printing import print_checks, print_verdict
from mscpool.data.evidence import load_evidence
from mscpool.data.names import study_labels
from mscpool.models.priors.catalogue import CATALOGUE

SETS = ["default", "near_complete_pooling", "tau_uniform"]
ONE = "study,events,n\nsmith2019,1,1\n"


def results_of(evidence, engine="exact"):
    asked = {"engine": engine, "draws": 200, "tune": 200, "chains": 2}
    with warnings.catch_warnings(action="ignore"):
        made = fit(evidence, **asked)
        compared = compare_priors(evidence, SETS, fits=made, threshold="usual", **asked)
        others = borrowing(evidence, made, 200, 200, 2) if engine == "nuts" else None
        checked = check(made, evidence)
    return Results(made, evidence, checked, {"partial": made}, {}, compared, others)


@pytest.fixture(scope="module")
def shipped():
    return results_of(load_evidence(outcomes=("any_ae",)))


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    path = tmp_path_factory.mktemp("one") / "one.csv"
    path.write_text(ONE)
    return results_of(load_evidence(path))


def texts(results, capsys):
    """Everything in words: the page, its tables, captions, the checklist, and the terminal's."""
    told = [*heading(results), *verdict_sentences(results)]
    for section in sections(results, "mscpool report"):
        told.append(section.title)
        for block in section.blocks:
            if block.kind in ("text", "warning"):
                told.append(block.content)
            elif block.kind == "list" and section.name != "reproduce":
                told += block.content
            elif block.kind == "brief":
                told += [part for parts in block.content for part in parts]
            elif block.kind == "table":
                table = block.content
                told += [table.caption, table.note, *table.header]
                told += [cell for row in table.rows for cell in row]
    for exhibit in exhibits(results):
        words = exhibit.words
        told += [words.title, words.caption, words.alternative, exhibit.note]
    labels = study_labels(results.evidence.studies)
    told += results.comparison.sentences(labels)
    told += [] if results.borrowed is None else results.borrowed.sentences()
    told += [*results.evidence.cautions(), *left_to_the_sampler(results.fit)]
    told.append(checklist(results))
    print_verdict(results.checked)
    print_checks(results.checked)
    told += [capsys.readouterr().out, repr(results.checked)]
    return [line for each in told for line in str(each).splitlines()]


def keys(evidence):
    studies = [study for study, label in study_labels(evidence.studies).items() if study != label]
    outcomes, diseases = evidence.vocabulary, evidence.diseases
    return [key for key in (*studies, *outcomes, *diseases, *CATALOGUE) if re.search(r"[_\d]", key)]


def lines_with_keys(results, capsys):
    names = "|".join(map(re.escape, keys(load_evidence())))
    return [line for line in texts(results, capsys) if re.search(rf"\b({names})\b", line)]


def test_no_key_of_a_table_stands_for_a_name(shipped, capsys):
    assert not lines_with_keys(shipped, capsys)


@pytest.mark.mcmc
@pytest.mark.slow
def test_no_key_stands_for_a_name_in_what_is_said_of_draws(capsys):
    assert not lines_with_keys(results_of(load_evidence(), "nuts"), capsys)


def test_one_of_a_thing_is_said_in_the_singular(alone, capsys):
    things = "studies|rows|counts|arms|patients|diseases|outcomes|rates|conclusions|quantities"
    plural = re.compile(rf"(?<![\d.,])\b1 (?:[a-z]+ )?(?:{things}|sets|draws)\b")
    found = [line for line in texts(alone, capsys) if plural.search(line)]
    assert not found
