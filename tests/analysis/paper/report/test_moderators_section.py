"""The report says why studies differ: each moderator alone, with what speaks against it."""

import numpy as np
import pandas as pd
import pytest

from mscpool.analysis.fitting.fit import fit, rates
from mscpool.analysis.fitting.moderated import moderators
from mscpool.analysis.fitting.sampling import Sampling
from mscpool.analysis.paper.frames.moderators import bubble_data, rates_at_data
from mscpool.analysis.paper.frames.results import Results
from mscpool.analysis.paper.publish.exhibits import exhibits, one_by_one
from mscpool.analysis.paper.report.fits import MODERATORS, Request, explaining
from mscpool.analysis.paper.report.sections import sections
from mscpool.analysis.paper.report.sections_moderators import moderators_section
from mscpool.analysis.paper.words.wording import ratio_interval
from mscpool.data.evidence import load_evidence
from mscpool.figures.style import make_style
from mscpool.models.priors.sets import DEFAULT

TABLE = """study,events,n,year,donor,site
s0,4,20,2011,own,a
s1,3,15,2012,own,b
s2,11,30,2013,other,c
s3,5,12,2014,other,d
s4,9,25,2015,other,e
s5,12,18,2016,own,f
s6,14,22,2017,other,g
s7,13,16,2040,other,h
"""
SAMPLING = Sampling(draws=300, tune=300, chains=2, seed=4)


def request_of(evidence, folder, sampling=SAMPLING):
    return Request(evidence, "partial", DEFAULT, sampling, folder / "fit.nc", False)


@pytest.fixture(scope="module")
def evidence(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "table.csv"
    path.write_text(TABLE, "utf-8")
    return load_evidence(path)


@pytest.fixture(scope="module")
def asked(evidence, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    return explaining(request_of(evidence, out), out)


@pytest.fixture(scope="module")
def results(evidence, asked):
    explained = {name: each.fitted() for name, each in asked.items()}
    return Results(fit(evidence, engine="exact", draws=50), evidence, explained=explained)


@pytest.fixture(scope="module")
def moderated(evidence):
    own = evidence.select(moderators=("year", "donor=own"), at="year=2016")
    return Results(fit(own, draws=300, tune=300, chains=2, seed=4), own)


def text_of(section):
    return " ".join(str(block.content) for block in section.blocks if block.kind == "text")


@pytest.mark.mcmc
def test_a_report_of_a_fit_with_moderators_says_where_its_rates_stand(moderated):
    written = {each.name: each for each in sections(moderated, "")}
    said = "Rates are those at Year 2016, Donor own."
    for name in ("question", "rates", "moderators"):
        assert said in text_of(written[name])
    section = written["moderators"]
    assert "explains the studies by year and donor, together" in text_of(section)
    (table,) = section.tables
    own = moderators(moderated.fit).query("per != 'unit'")
    assert [row[2] for row in table.rows] == [ratio_interval(row) for _, row in own.iterrows()]
    assert [row[0] for row in table.rows] == ["Year, one SD more", "Donor: other against own"]
    assert table.of_fit
    placed = [block.content for block in section.blocks if block.kind == "figure"]
    drawn = {each.name: each for each in exhibits(moderated)}
    assert set(placed) <= set(drawn)
    assert {"moderators", "bubbles_response_year"} <= set(placed)
    assert said[:-1] in drawn["forest_response"].words.caption
    assert "All moderators are in one fit." in drawn["moderators"].words.caption
    assert "one fit" in table.caption


def figure_of(results, name):
    each = next(each for each in one_by_one(results) if each.name == name)
    return each, each.draw(each.frame, make_style("double", ("all",), "pass"))


def marks(figure, gid):
    shown = [axes for axes in figure.axes if axes.get_gid() != "key"]
    return [line for axes in shown for line in axes.lines if line.get_gid() == gid]


def test_a_report_asks_what_the_shipped_evidence_supports(tmp_path):
    asked = explaining(request_of(load_evidence(), tmp_path), tmp_path)
    assert tuple(asked) == MODERATORS
    for name, each in asked.items():
        assert each.evidence.outcome_names == ("improvement",)
        assert [one.name for one in each.evidence.moderators] == [name]
    integrated = request_of(load_evidence(), tmp_path, Sampling("exact"))
    assert explaining(integrated, tmp_path) == {}


@pytest.mark.mcmc
def test_kept_fits_with_moderators_are_known_again(results, asked):
    assert tuple(results.explained) == ("year", "donor")
    assert all(each.is_kept() for each in asked.values())


@pytest.mark.mcmc
def test_the_section_tells_of_each_moderator_alone_and_of_what_speaks_against_it(results):
    section = moderators_section(results)
    studies, table = section.tables
    assert studies.rows[0] == ("s0", "All", "4 of 20", "2011", "own")
    assert len(studies.rows) == 8
    assert [row[0] for row in table.rows] == ["Year, one SD more", "Donor: own against other"]
    for row, name in zip(table.rows, ("year", "donor"), strict=True):
        own = moderators(results.explained[name]).query("per != 'unit'").iloc[0]
        assert row[2] == ratio_interval(own)
        assert row[1] == "8"
    text = section.blocks[0].content
    assert "adjusted for nothing" in text
    lists = [block.content for block in section.blocks if block.kind == "list"]
    assert "Year hangs on one study: s7 has over half of its variation." in lists[1]


@pytest.mark.mcmc
def test_rates_at_values_are_those_that_fits_report_there(results):
    frame = rates_at_data(results, "response").set_index(["moderator", "value"])
    own = rates(results.explained["donor"]).set_index("quantity").loc["rate"]
    for name in ("q50", "q2.5", "q97.5"):  # reported at the reference
        assert frame.at[("donor", "other"), name] == pytest.approx(own[name])
    assert frame.at[("donor", "own"), "studies"] == 3
    assert list(frame.loc["year"].index) == [2011.0, 2014.5, 2040.0]


@pytest.mark.mcmc
def test_lines_run_through_the_reported_rate_and_circles_are_the_studies(results):
    ((name, frame),) = bubble_data(results)
    assert name == "response_year"
    studies = frame[frame["row"] == "study"].set_index("study")
    raw = pd.read_csv(pd.io.common.StringIO(TABLE)).set_index("study")
    np.testing.assert_allclose(studies["raw_min"], raw["events"] / raw["n"])
    np.testing.assert_array_equal(studies["x"], raw["year"])
    line = frame[frame["row"] == "line"]
    own = rates(results.explained["year"]).set_index("quantity").loc["rate"]
    middle = raw["year"].mean()
    for name in ("q50", "q2.5", "q97.5"):
        assert np.interp(middle, line["x"], line[name]) == pytest.approx(own[name], abs=2e-3)


@pytest.mark.mcmc
def test_figures_show_every_row_and_say_that_association_is_no_cause(results):
    each, figure = figure_of(results, "bubbles_response_year")
    circles = marks(figure, "study")
    assert len(circles) == 8
    sizes = {line.get_xdata()[0]: line.get_markersize() ** 2 for line in circles}
    assert sizes[2013] / sizes[2012] == pytest.approx(30 / 15)  # areas are patients
    for name, rows in (("moderators", 2), ("moderated_rates_response", 5)):
        each, figure = figure_of(results, name)
        assert len(marks(figure, "middle")) == rows == len(each.frame)
        assert "says nothing of why" in each.words.caption
        written = {text.get_text() for text in figure.texts}
        assert set(each.frame["text"]) <= written
