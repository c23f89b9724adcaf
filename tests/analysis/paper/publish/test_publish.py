"""The figure set as files: whole, repeatable, with data, words, tables and the checklist."""

import csv
import io
import json
import re
import shutil
import string
import subprocess
import sys
import xml.etree.ElementTree as ET
import zlib
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import pytest
from fontTools.ttLib import TTFont
from PIL import Image

from mscpool.analysis.paper.frames import rates as gather
from mscpool.analysis.paper.frames.results import Results
from mscpool.analysis.paper.publish.checklist import checklist
from mscpool.analysis.paper.publish.exhibits import KINDS, exhibits, one_by_one
from mscpool.analysis.paper.publish.publish import (
    missing_letters,
    publish,
    sources_sha256,
    style_of,
)
from mscpool.analysis.paper.publish.rendering import Origin, draw, render
from mscpool.analysis.paper.publish.tables import as_html, as_latex, paper_tables
from mscpool.analysis.paper.words import captions, captions_sensitivity
from mscpool.analysis.paper.words.closing import abbreviations, verdict_words
from mscpool.data.evidence import load_evidence
from mscpool.figures import fonts
from mscpool.figures.style import PRESETS

from ....builders import evidence_of
from ....figures.pretend import pretend_check, pretend_fit

FEW = ("improvement", "remission")


@pytest.fixture(scope="module")
def few():
    """Two outcomes of the shipped evidence, a fit that nobody sampled, and a check."""
    evidence = load_evidence(outcomes=FEW)
    return evidence, pretend_fit(evidence), pretend_check(evidence)


@pytest.fixture(scope="module")
def brief():
    """Two diseases and two outcomes: enough for files."""
    evidence = load_evidence(outcomes="remission", diseases=("psoriasis", "atopic_dermatitis"))
    return evidence, pretend_fit(evidence), pretend_check(evidence)


@pytest.fixture(scope="module")
def coarse():
    """Rasters of few dots, whose files are soon written."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(PRESETS, "double", replace(PRESETS["double"], dpi=72))
        yield


@pytest.fixture(scope="module")
def published(brief, coarse, tmp_path_factory):
    evidence, fit, check = brief
    folder = tmp_path_factory.mktemp("published")
    return folder, publish(Results(fit, evidence, check), folder)


def test_every_figure_has_its_files_its_data_and_its_caption(brief, published):
    evidence, fit, check = brief
    folder, files = published
    captions = (folder / "captions.md").read_text("utf-8")
    for each in exhibits(Results(fit, evidence, check)):
        for ending in ("svg", "pdf", "png", "tiff", "csv"):
            assert folder / f"{each.name}.{ending}" in files
        assert f"`{each.name}`" in captions
        assert each.words.caption in captions
        assert f"Alternative text: {each.words.alternative}" in captions
    assert set(files) == set(folder.iterdir())


def test_data_of_a_figure_are_what_is_drawn(brief, published):
    evidence, fit, _ = brief
    folder, _ = published
    stored = pd.read_csv(folder / "forest_remission.csv")
    frame = gather.forest_data(fit, evidence, "remission")
    pd.testing.assert_series_equal(stored["estimate"], frame["estimate"])
    assert list(stored.columns) == list(frame.columns)


def test_a_process_that_draws_imports_nothing_that_fits():
    code = (
        "import sys, mscpool.analysis.paper.publish.rendering;"
        "print({'numba', 'xarray', 'pymc'} & sys.modules.keys())"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "set()\n"


def test_the_same_command_writes_the_same_bytes(brief, published, tmp_path, monkeypatch):
    evidence, fit, check = brief
    _, files = published
    # One process this time, two before, and a second later: a date would differ.
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    again = publish(Results(fit, evidence, check), tmp_path, formats=("svg", "pdf", "png", "tiff"))
    again = {path.name: path.read_bytes() for path in again}
    assert again == {path.name: path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def rendered(few):
    evidence, fit, check = few
    style = style_of(Results(fit, evidence, check), "single")
    exhibit = next(
        e for e in one_by_one(Results(fit, evidence, check)) if e.name == "forest_remission"
    )
    formats = ("pdf", "svg", "png", "tiff")
    origin = Origin("warn", evidence.sha256)
    return exhibit, render(draw(exhibit, style), style, formats, exhibit.words, origin)


def test_pdf_embeds_truetype_and_has_no_date(rendered):
    _, made = rendered
    assert b"/CIDFontType2" in made["pdf"] or b"/FontFile2" in made["pdf"]
    assert b"/Type3" not in made["pdf"]
    assert b"CreationDate" not in made["pdf"]


def test_fonts_within_a_pdf_have_outlines_and_no_tables_for_laying_text_out(rendered):
    _, made = rendered
    streams = re.findall(rb"/Length1 .*?stream\r?\n(.*?)\r?\nendstream", made["pdf"], re.DOTALL)
    assert streams
    for stream in streams:
        font = TTFont(io.BytesIO(zlib.decompress(stream)))
        assert {"glyf", "cvt ", "fpgm", "head", "hmtx"} <= set(font.keys())
        assert not {"GDEF", "GPOS", "GSUB"} & set(font.keys())


@pytest.mark.parametrize("name", ["png", "tiff"])
def test_rasters_have_600_dots_an_inch_and_the_width_of_the_column(rendered, name):
    _, made = rendered
    image = Image.open(io.BytesIO(made[name]))
    assert image.info["dpi"] == pytest.approx((600, 600), abs=0.1)
    assert image.width == pytest.approx(88 / 25.4 * 600, abs=1)
    assert image.mode == "RGB"


def test_files_tell_what_they_show_and_of_which_data(few, rendered):
    evidence, _, _ = few
    exhibit, made = rendered
    assert evidence.sha256 in Image.open(io.BytesIO(made["png"])).info["Source"]
    assert exhibit.words.alternative in Image.open(io.BytesIO(made["png"])).info["Description"]
    assert evidence.sha256 in str(Image.open(io.BytesIO(made["tiff"])).tag_v2[270])
    root = ET.fromstring(made["svg"])
    told = "".join(root.itertext())
    assert evidence.sha256 in told
    assert exhibit.words.alternative in told
    assert "Date" not in {element.tag.split("}")[-1] for element in root.iter()}


def test_text_of_a_vector_is_text_that_an_editor_can_change(rendered):
    _, made = rendered
    root = ET.fromstring(made["svg"])
    texts = [each for each in root.iter() if each.tag.endswith("}text")]
    assert {"".join(each.itertext()) for each in texts} > {"0", "100"}
    families = {each.get("style").split("font-family: ")[1].split(";")[0] for each in texts}
    # Where the figures' font is not installed, one of the same widths, or any without serifs.
    assert families == {"'DejaVu Sans', Verdana, sans-serif"}


def test_files_tell_verdict_data_and_version(few, rendered):
    evidence, _, _ = few
    _, made = rendered
    facts = f"guard warn; data sha256 {evidence.sha256}"
    software = f"mscpool {version('mscpool')}"
    png = Image.open(io.BytesIO(made["png"])).info
    assert (png["Source"], png["Software"]) == (facts, software)
    tiff = Image.open(io.BytesIO(made["tiff"])).tag_v2
    assert tiff[270].endswith(facts)
    assert tiff[305] == software
    for text in ("guard warn", evidence.sha256, software):
        assert text in "".join(ET.fromstring(made["svg"]).itertext())
        assert text.encode() in made["pdf"]


def not_of_effects(results):
    """Give the figures that the guard of the fit judges: effects have a guard of their own."""
    kinds = [kind for kind in KINDS if kind.section != "controlled"]
    return [each for kind in kinds for each in kind.exhibits(results)]


def test_a_picture_says_itself_that_the_guard_warns_of_its_fit(few):
    evidence, fit, check = few
    judged = tuple(
        replace(one, verdict=verdict)
        for one, verdict in zip(check.outcomes, ("warn", "pass"), strict=True)
    )
    results = Results(fit, evidence, replace(check, verdict="warn", outcomes=judged))
    style = style_of(results)
    notes = {
        exhibit.name: " ".join(
            text.get_text() for text in draw(exhibit, style).texts if text.get_gid() == "note"
        )
        for exhibit in not_of_effects(results)
    }
    end = f"Data {evidence.sha256[:12]}, mscpool {version('mscpool')}."
    of_evidence = {"evidence_map", "characteristics", "means"}
    assert {name for name, note in notes.items() if not note.endswith(end)} == of_evidence
    assert notes["forest_improvement"] == f"Guard: warn (improvement: warn). {end}"
    assert notes["forest_remission"].startswith("Guard: warn for the whole fit, pass for what is")
    assert not any(exhibit.note for exhibit in not_of_effects(Results(fit, evidence, check)))


def test_captions_say_n_interval_model_and_verdict(few):
    evidence, fit, check = few

    def caption_of(name, *checked):
        found = one_by_one(Results(fit, evidence, *checked))
        return next(each.words.caption for each in found if each.name == name)

    caption = caption_of("forest_improvement", check)
    assert "113 to 115 of 194 patients in 13 arms of 12 studies" in caption
    assert "central 95 % interval" in caption
    assert "partial pooling" in caption
    assert "Guard: pass." in caption
    assert "Unchecked" in caption_of("forest_improvement")
    assert "Do not use" in caption_of("rates", replace(check, verdict="fail"))


def test_estimates_in_the_alternative_text_are_those_of_the_frame(few):
    evidence, fit, check = few
    each = next(
        e for e in one_by_one(Results(fit, evidence, check)) if e.name == "forest_improvement"
    )
    row = each.frame[(each.frame["row"] == "rate") & (each.frame["disease"] == "psoriasis")].iloc[0]
    low, high = 100 * row["low"], 100 * row["high"]
    said = f"psoriasis {100 * row['estimate']:.0f} % ({low:.0f} to {high:.0f})"
    assert said in each.words.alternative


def test_abbreviations_are_spelled_out_where_they_are_shown():
    shipped = load_evidence()
    assert abbreviations({"SLE", "Any"}, shipped) == "SLE, systemic lupus erythematosus."
    assert abbreviations({"Any", "AE"}, shipped) == "AE, adverse event."
    assert not abbreviations({"Psoriasis"}, shipped)


def test_observed_mortality_is_turned_into_12_month_risk(tmp_path):
    evidence = evidence_of(
        tmp_path, "study,outcome,events,n,months\nlong,death,5,10,24\nshort,death,0,10,3\n"
    )
    frame = gather.forest_data(pretend_fit(evidence), evidence, "death").set_index("study")
    # Half survive two years: at a constant hazard the root of a half survives one.
    assert frame.loc["long", "raw_min"] == pytest.approx(1 - 0.5**0.5)
    assert frame.loc["short", "raw_min"] == 0
    # Wilson's upper limit of 0 of 10 is z^2 / (n + z^2); it is of three months, four times a year.
    wilson = 1.959963985**2 / (10 + 1.959963985**2)
    assert frame.loc["short", "raw_high"] == pytest.approx(1 - (1 - wilson) ** 4)


def test_interval_of_a_bounded_count_spans_those_of_its_bounds(tmp_path):
    from statsmodels.stats.proportion import proportion_confint

    evidence = evidence_of(tmp_path, "study,events_min,events_max,n\na,3,5,7\n")
    row = gather.forest_data(pretend_fit(evidence), evidence, "response").loc[1]
    low, high = (proportion_confint(k, 7, method="wilson") for k in (3, 5))
    assert [row["raw_min"], row["raw_max"]] == [3 / 7, 5 / 7]
    assert row["raw_low"] == pytest.approx(low[0])
    assert row["raw_high"] == pytest.approx(high[1])


def test_a_table_of_one_unknown_outcome_has_a_figure_set(tmp_path, monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    evidence = evidence_of(tmp_path, "study,events,n\na,3,7\nb,0,12\n")
    fit, check = pretend_fit(evidence), pretend_check(evidence)
    files = publish(Results(fit, evidence, check), tmp_path / "out", formats=("svg",))
    assert tmp_path / "out" / "forest_response.svg" in files


def test_unknown_format_and_preset_are_named(few, tmp_path):
    evidence, fit, _ = few
    with pytest.raises(ValueError, match="unknown format 'bmp'; valid: pdf, svg, png, tiff"):
        publish(Results(fit, evidence), tmp_path / "out", formats=("bmp",))
    with pytest.raises(ValueError, match="unknown preset 'poster'"):
        publish(Results(fit, evidence), tmp_path / "out", preset="poster")
    assert not (tmp_path / "out").exists()


def test_interrupted_writing_leaves_no_half_file(brief, published, tmp_path, monkeypatch):
    evidence, fit, check = brief
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    shutil.copytree(published[0], tmp_path, dirs_exist_ok=True)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def cut(self, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", cut)
    with pytest.raises(KeyboardInterrupt):
        publish(Results(fit, evidence, check), tmp_path, formats=("svg",))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_names_are_drawn_as_written(tmp_path, monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    evidence = evidence_of(tmp_path, "study,events,n\n$a^{$ <b>,3,7\n$b_c$,0,12\n")
    fit = pretend_fit(evidence)
    publish(Results(fit, evidence), tmp_path / "out", formats=("pdf", "svg"))
    forest = next(captions.FOREST.exhibits(Results(fit, evidence)))
    figure = draw(forest, style_of(Results(fit, evidence)))
    named = [text for text in figure.texts if "$" in text.get_text()]
    assert len(named) == 2
    assert not any(text.get_parse_math() for text in named)


def test_names_open_no_tags_in_the_pages_of_words(tmp_path):
    evidence = evidence_of(tmp_path, "study,disease,events,n\na,<img src=x>,3,7\nb,<b>,0,12\n")
    publish(Results(pretend_fit(evidence), evidence), tmp_path / "out", formats=())
    for name in ("captions.md", "checklist.md"):
        text = (tmp_path / "out" / name).read_text("utf-8")
        assert "<img" not in text
        assert "&lt;img src=x>" in text


@pytest.fixture
def many_scripts(tmp_path):
    rows = ["张伟 2019,狼疮,3,13", "Иванов 2020,狼疮,4,14", "محمد 2021,other,0,15"]
    return evidence_of(tmp_path, "study,disease,events,n\n" + "\n".join(rows) + "\n")


def test_letters_that_no_font_has_are_said_in_one_line(many_scripts, recwarn, monkeypatch):
    results = Results(pretend_fit(many_scripts), many_scripts)
    of_own = fonts._letters
    monkeypatch.setattr(fonts, "_letters", lambda p: of_own(p) if "DejaVuSans.t" in p else set())
    fonts.covering.cache_clear()
    try:
        [line] = missing_letters(many_scripts)
        style = style_of(results)
    finally:
        fonts.covering.cache_clear()
    assert line.endswith("that no font on this machine has: 伟张狼疮")
    for exhibit in exhibits(results):
        render(draw(exhibit, style), style, ("svg", "png"), exhibit.words, Origin())
    assert not [each for each in recwarn if "missing from" in str(each.message)]


def test_letters_are_drawn_in_a_font_of_the_machine_that_has_them(many_scripts, monkeypatch):
    def letters(path):
        return set("伟张狼疮") if path.endswith("STIXGeneral.ttf") else set(string.printable)

    monkeypatch.setattr(fonts, "_letters", letters)
    fonts.covering.cache_clear()
    try:
        found = fonts.covering("伟张狼疮 Б")
    finally:
        fonts.covering.cache_clear()
    assert found == (("STIXGeneral",), "Б")


def test_tables_are_set_three_ways_with_their_texts_escaped(tmp_path):
    evidence = evidence_of(tmp_path, "study,disease,events,n\n<b>A & B</b>_%,=1+1,3,7\nb,c,0,12\n")
    fit, check = pretend_fit(evidence), pretend_check(evidence)
    made = {each.name: each for each in paper_tables(Results(fit, evidence, check))}
    html = as_html(made["table_characteristics"])
    assert "<b>A" not in html
    assert "&lt;b&gt;A &amp; B" in html
    assert r"\&" in as_latex(made["table_characteristics"])
    assert as_html(made["table_characteristics"]) == html
    publish(Results(fit, evidence, check), tmp_path / "out", formats=())
    with (tmp_path / "out" / "table_characteristics.csv").open(encoding="utf-8") as stream:
        cells = [cell for row in csv.reader(stream) for cell in row]
    assert not [cell for cell in cells if cell.startswith("=")]


def test_rates_in_the_table_are_those_of_the_figure(few):
    evidence, fit, check = few
    tables = {each.name: each for each in paper_tables(Results(fit, evidence, check))}
    table = tables["table_rates"].cells
    frame = gather.rates_data(fit, evidence)
    assert len(table) == (frame["quantity"] == "rate").sum()
    first = frame[frame["quantity"] == "rate"].iloc[0]
    assert table["Rate (95 % interval)"].iloc[0].startswith(f"{100 * first['q50']:.0f} % (")
    assert "guard: pass" in table["Outcome"].iloc[0]


def test_checklist_is_filled_from_the_run_and_says_what_is_open(few):
    evidence, fit, check = few
    done = checklist(Results(fit, evidence, check))
    assert "| Posterior predictive checks | yes |" in done
    assert "| Sensitivity to the prior | no | Not done" in done
    assert "remission within improvement" in done
    assert re.search(r"We analysed 22 counts from \d+ studies", done)
    assert "tau ~ HalfNormal(sigma=1)" in done
    assert "| Posterior predictive checks | no |" in checklist(Results(fit, evidence))


def test_checklist_claims_no_more_than_is_there(tmp_path):
    evidence = evidence_of(
        tmp_path, "study,disease,outcome,events,n\na,psoriasis,improvement,3,7\n"
    )
    fit = pretend_fit(evidence)
    done = checklist(Results(fit, evidence))
    assert "We analysed 1 count from 1 study in 1 disease" in done
    assert "improvement was modelled" in done
    assert "one disease, with a level of its own" in done
    for absent in ("death", "tau ~", "within bounds", "partial pooling", "doubled"):
        assert absent not in done
    assert "| Data and code available | no |" in done
    del fit["prior"]
    assert "| Prior predictive | no |" in checklist(Results(fit, evidence))


def test_draws_are_told_as_they_were_sampled(few):
    evidence, fit, check = few
    asked = json.loads(fit.attrs["run_config"])
    halved = fit.copy()
    halved.attrs["run_config"] = json.dumps(asked | {"draws": asked["draws"] // 2, "tune": 50})
    assert "4 chains of 100 draws after 100 of tuning (seed 1)" in checklist(
        Results(fit, evidence, check)
    )
    told = "4 chains of 100 draws after 100 of tuning (seed 1; doubled because"
    assert told in checklist(Results(halved, evidence, check))
    caption = next(captions.FOREST.exhibits(Results(halved, evidence, check))).words.caption
    assert "4 chains of 100 draws (NUTS)" in caption


def test_refits_are_told_where_there_were_some(few):
    evidence, fit, check = few
    assert "no Pareto k above 0.7)" in checklist(Results(fit, evidence, check))
    doubtful = replace(check, loo=(*check.loo[1:], {**check.loo[0], "pareto_k": 0.9}))
    told = "the model was fitted anew for 1 with Pareto k above 0.7)"
    assert told in checklist(Results(fit, evidence, doubtful))
    exact = replace(check, loo=tuple({**one, "pareto_k": None} for one in check.loo))
    assert "over its effect; without approximation)" in checklist(Results(fit, evidence, exact))


def test_the_verdict_of_a_caption_tells_whose_it_is(few):
    evidence, fit, check = few
    judged = tuple(
        replace(one, verdict=v) for one, v in zip(check.outcomes, ("warn", "pass"), strict=True)
    )
    check = replace(check, verdict="warn", outcomes=judged)
    results = Results(fit, evidence, check)
    first, second = (one.outcome for one in judged)
    assert verdict_words(results, [first]) == f"Guard: warn ({first}: warn)."
    assert (
        verdict_words(results, [second]) == "Guard: warn for the whole fit, pass for what is shown."
    )
    assert verdict_words(results) == verdict_words(results, [first])


def test_a_square_root_axis_is_told_where_there_is_one(few):
    evidence, fit, check = few
    frame = gather.forest_data(fit, evidence, "improvement")
    results = Results(fit, evidence, check)
    assert "square-root" not in captions.forest(frame, results).caption
    rare = frame.assign(raw_min=0.0, raw_max=0.0, estimate=0.01, low=0.0, high=0.02)
    assert "square-root" in captions.forest(rare, results).caption


def test_flips_within_the_monte_carlo_error_or_unknown_are_none(few):
    evidence, fit, check = few
    results = Results(fit, evidence, check)
    grid = pd.DataFrame({"mu": [0.0, 1.0, 2.0, 3.0], "distance": [0.0, 1.0, 2.0, 3.0]})
    grid = grid.assign(outcome="improvement", disease="psoriasis", tau_scale=1.0, mcse=0.01)
    grid = grid.assign(threshold=0.3, direction="above", wanted=0.95, evidence="direct")
    near = grid.assign(probability=[0.98, 0.94, float("nan"), 0.96])
    assert "flips nowhere on the map" in captions_sensitivity.flip_map(near, results).alternative
    far = grid.assign(probability=[0.98, 0.94, float("nan"), 0.9])
    assert "flips at distance 3.0" in captions_sensitivity.flip_map(far, results).alternative
    close = grid.assign(probability=[0.951, 0.94, float("nan"), 0.9])
    assert "0.95, undecided" in captions_sensitivity.flip_map(close, results).alternative
    assert "under those with a dot" in captions_sensitivity.flip_map(close, results).caption
    clear = grid.assign(probability=[0.99, 0.9, 0.99, 0.9], mcse=0.001)
    assert "with a dot" not in captions_sensitivity.flip_map(clear, results).caption


def test_latex_has_only_signs_that_its_fonts_know(few):
    evidence, fit, check = few
    tables = {each.name: each for each in paper_tables(Results(fit, evidence, check))}
    text = as_latex(tables["table_diagnostics"])
    assert "\\fontsize{6.5pt}{7.8pt}\\selectfont\n\\setlength{\\tabcolsep}{2pt}\n" in text
    assert r"($\mu$)" in text
    few_cells = {"header": ("Disease", "Study"), "rows": [("x", "a−b"), ("x", "*c")]}
    named = as_latex(replace(tables["table_characteristics"], **few_cells))
    assert "a$-$b" in named
    assert "\\\\\n{}*c" in named


def test_gallery_is_that_of_the_current_sources(root):
    gallery = root / "figures" / "gallery"
    stored = (gallery / "sources.sha256").read_text("utf-8").strip()
    assert stored == sources_sha256(), "the gallery is stale: run 'make gallery'"


def test_gallery_is_small_and_wholly_shown(root):
    pictures = sorted((root / "figures" / "gallery").glob("*.png"))
    page = (root / "figures" / "README.md").read_text("utf-8")
    assert re.findall(r"\(gallery/(\w+\.png)\)", page)
    assert sorted(re.findall(r"\(gallery/(\w+\.png)\)", page)) == [path.name for path in pictures]
    assert sum(path.stat().st_size for path in pictures) < 1_500_000
