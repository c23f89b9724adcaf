"""All that a report cites is in its BibTeX file, once, and in a form that BibTeX reads."""

import re
from dataclasses import replace

import pytest

from mscpool.analysis.fitting.fit import fit
from mscpool.analysis.paper.frames.results import Results
from mscpool.analysis.paper.report.page import linked
from mscpool.analysis.paper.report.references import bibliography, methods_of
from mscpool.analysis.paper.report.sections import sections
from mscpool.data.about import Review
from mscpool.data.evidence import load_evidence

ENTRY = re.compile(r"@(article|misc)\{([a-z0-9_-]+),\n((?:  \w+ = \{.*\},?\n)+)\}\n")


def entries(text):
    """Read a BibTeX file of one field a line: fields by key."""
    found = ENTRY.findall(text)
    assert "".join(ENTRY.split(text)[::4]).strip() == ""
    return {
        key: dict(re.findall(r"^  (\w+) = \{(.*)\},?$", fields, re.MULTILINE))
        for _, key, fields in found
    }


@pytest.fixture(scope="module")
def results():
    evidence = load_evidence().select(outcomes="serious_ae")
    return Results(fit(evidence, engine="exact", draws=100, seed=1), evidence)


def test_every_doi_that_a_report_cites_is_in_the_file_once(results):
    written = sections(results, "")
    cited = entries(bibliography(results, written))
    dois = [each["doi"].lower() for each in cited.values() if each.get("doi")]
    assert len(dois) == len(set(dois)) > 30
    texts = [block.content for each in written for block in each.blocks if block.kind == "text"]
    texts += [
        line
        for each in written
        for block in each.blocks
        if block.kind == "list"
        for line in block.content
    ]
    texts += [cell for each in written for t in each.tables for row in t.rows for cell in row]
    found = {doi.lower() for text in texts for doi in re.findall(r">(10\.[^<]+)<", linked(text))}
    assert len(found) > 30
    assert {doi.replace("&lt;", "<").replace("&gt;", ">") for doi in found} <= set(dois)


def test_a_study_stands_with_its_source(results):
    cited = entries(bibliography(results, []))
    assert cited["deng2017"]["doi"] == "10.1136/annrheumdis-2017-211073"
    assert cited["deng2017"]["author"] == "{Deng} and others"
    assert cited["ozgulozdemir2021"]["author"] == "{Ozgul Ozdemir} and others"
    assert cited["review"]["author"].startswith("{Pezzolo} and {Di Leo} and")


def test_signs_that_bibtex_reads_are_kept_from_it(results):
    about = results.evidence.about
    review = Review("A {B}, C & D", "100 % of_it} #1 \\input{x}", "J", 2020, "10.1000/a_b{}")
    evidence = replace(results.evidence, about=replace(about, review=review))
    fields = entries(bibliography(replace(results, evidence=evidence), []))["review"]
    assert fields["title"] == r"100 \% of\_it) \#1 /input(x)"
    assert fields["author"] == r"{A (B)} and {C \& D}"
    assert fields["doi"] == "10.1000/a_b"


def test_methods_are_those_that_the_report_uses(results):
    named = {each.author.split(" ")[0] for each in methods_of(results, [])}
    assert "Wilson" in named
    assert not named & {"Newcombe", "Evans", "Kallioinen"}
    assert sum("R-hat" in each.purpose for each in methods_of(results, [])) == 0
    assert any(
        each.author.startswith("Newcombe") for each in methods_of(results, sections(results, ""))
    )


@pytest.mark.parametrize(
    ("text", "address", "shown"),
    [
        ("J 2020, doi 10.1000/a.b.", "https://doi.org/10.1000/a.b", "10.1000/a.b"),
        ("doi 10.1/x", "", ""),
        (
            "doi 10.1002/(SICI)1:8<873::AID>3.0.CO;2-I; and",
            "https://doi.org/10.1002/(SICI)1:8%3C873::AID%3E3.0.CO;2-I",
            "10.1002/(SICI)1:8&lt;873::AID&gt;3.0.CO;2-I",
        ),
        (
            'doi 10.1000/"onclick=x',
            "https://doi.org/10.1000/%22onclick%3Dx",
            "10.1000/&#34;onclick=x",
        ),
    ],
)
def test_a_doi_is_a_link_and_the_rest_is_escaped(text, address, shown):
    made = str(linked(f"<b> {text}"))
    assert made.startswith("&lt;b&gt; ")
    assert re.findall(r'<a href="([^"]*)" rel="noreferrer">(.*?)</a>', made) == (
        [(address, shown)] if address else []
    )
