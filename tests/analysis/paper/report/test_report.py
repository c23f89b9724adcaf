"""The report stands alone, says what was found, and cannot be taken for what it is not."""

import gzip
import json
import re
from base64 import b64decode, b64encode
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from mscpool.analysis.fitting.fit import load_fit
from mscpool.analysis.fitting.sampling import Sampling
from mscpool.analysis.guard.result import UNCHECKED, Check, CheckResult, OutcomeVerdict
from mscpool.analysis.paper.frames.results import Results, stamped
from mscpool.analysis.paper.publish.exhibits import KINDS
from mscpool.analysis.paper.report import files, fits, report, sections_limits
from mscpool.analysis.paper.report import sections as findings
from mscpool.analysis.paper.report import tables as report_tables
from mscpool.analysis.paper.report.controlled import risk_differences
from mscpool.analysis.paper.report.page import page
from mscpool.analysis.paper.report.svg import Drawing
from mscpool.analysis.paper.words.exhibit import FigureKind
from mscpool.data.about import shipped_about
from mscpool.data.evidence import load_evidence
from mscpool.models.priors.catalogue import CATALOGUE
from mscpool.models.priors.sets import DEFAULT

TABLE = """study,disease,outcome,arm,events_min,events_max,n,months
<script>alert(1)</script>,a disease,improvement,msc,3,3,10,
<script>alert(1)</script>,a disease,improvement,control,1,1,9,
"quoted ""name"" & more",a disease,improvement,msc,5,5,12,
=HYPERLINK(1),another,improvement,msc,7,7,9,
plain,another,improvement,msc,2,2,10,
<script>alert(1)</script>,a disease,death,msc,1,1,10,12
plain,another,death,msc,0,0,10,6
"quoted ""name"" & more",a disease,death,msc,0,0,12,6
"""
SAMPLING = Sampling("exact", draws=250, tune=250, seed=1)
VOID = {"meta", "br", "img", "hr", "input", "link"}


class Passed(NamedTuple):
    """A report that the guard passed: its folder, what was written, and its page."""

    folder: Path
    report: report.Report
    page: str


class Page(HTMLParser):
    """What a page is made of, and whether its tags are closed."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.open, self.text = [], [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *each) for each in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *each) for each in attrs]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def found(verdict, outcomes, studies):
    return CheckResult(
        verdict,
        tuple(
            OutcomeVerdict(
                name,
                verdict,
                f"Because of {name}.",
                (Check("total events", "pass", name, 1.0, 1.5, 0.4),),
            )
            for name in outcomes
        ),
        Check("sampling", "pass", reason="Integrated numerically, not sampled."),
        tuple(
            {
                "study": study,
                "outcome": name,
                "elpd": -1.0,
                "pareto_k": None,
                "pit": 0.5,
                "mid_p": 1.0,
                "mid_p_mcse": 0.0,
            }
            for name in outcomes
            for study in studies
        ),
    )


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "table.csv"
    path.write_text(TABLE, "utf-8")
    return path


@pytest.fixture(scope="module")
def evidence(table):
    return load_evidence(table)


def guard(verdict):
    studies = ["<script>alert(1)</script>", "plain"]
    return lambda fit, evidence=None: found(verdict, ["improvement", "death"], studies)


def written(evidence, out, verdict, drawn=False):
    """Write a report under a guard that always says the same; figures as SVG, or none."""
    check = import_module("mscpool.analysis.guard.check")
    asked = {"checking": verdict is not None, "command": "mscpool report <x>", "refit": False}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(check, "check", guard(verdict))
        patched.setattr(files, "FIGURE_FORMATS", ("svg",))
        patched.setattr("os.cpu_count", lambda: 1)  # drawn in this process, and quickly
        patched.setattr(fits, "compared_sets", lambda own: [own, CATALOGUE["sceptical"]])
        if not drawn:
            patched.setattr(report, "write_figures", lambda *_: ({}, []))
        done = report.write_report(
            evidence, "partial", DEFAULT, SAMPLING, out, progress=lambda *_: None, **asked
        )
    return done, (out / report.PAGE).read_text("utf-8")


@pytest.fixture(scope="module")
def kept_fits(passed, tmp_path_factory):
    """Give a new folder with the fits of the passed report and nothing else."""

    def copied():
        out = tmp_path_factory.mktemp("fits")
        for path in passed.folder.rglob("*.nc"):
            place = out / path.relative_to(passed.folder)
            place.parent.mkdir(exist_ok=True)
            place.write_bytes(path.read_bytes())
        return out

    return copied


@pytest.fixture(scope="module")
def passed(evidence, tmp_path_factory):
    out = tmp_path_factory.mktemp("passed")
    return Passed(out, *written(evidence, out, "pass", drawn=True))


@pytest.fixture(scope="module")
def unchecked(evidence, kept_fits):
    return written(evidence, kept_fits(), None)


@pytest.fixture(scope="module")
def failed(evidence, kept_fits):
    return written(evidence, kept_fits(), "fail")


def test_page_needs_nothing_else(passed):
    page = Page(passed.page)
    assert not {"link", "img", "iframe", "object"} & set(page.tags)
    places = [each for each in page.attributes if each[1] in ("src", "href", "xlink:href")]
    assert places
    assert all(name != "src" for _, name, _ in places)
    other = re.compile(r"(?!data:application/gzip;base64,|https://doi.org/10)([a-z]+:|//)")
    assert not [each for *_, each in places if other.match(each)]
    assert "@import" not in passed.page
    assert not re.findall(r"url\((?!#)", passed.page)


def test_only_its_own_script_may_run(passed):
    page = Page(passed.page)
    assert page.tags.count("script") == passed.page.count("<script>") == 1
    script = passed.page[passed.page.index("<script>") + 8 : passed.page.index("</script>")]
    digest = b64encode(sha256(script.encode()).digest()).decode()
    [policy] = [value for *_, value in page.attributes if value and "default-src" in value]
    assert f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'" == policy


def test_the_page_holds_every_table_that_it_links(passed):
    page = Page(passed.page)
    links = [value for tag, name, value in page.attributes if (tag, name) == ("a", "href")]
    held = [each for each in links if each.startswith("data:")]
    files = [*passed.folder.rglob("*.csv"), passed.folder / "references.bib"]
    written = [path.read_bytes() for path in files]
    contents = {gzip.decompress(b64decode(each.split(",")[1])) for each in held}
    assert len(held) > 10
    assert contents <= set(written)
    assert not [each for each in links if each.endswith((".csv", ".bib"))]


def test_long_sections_fold_and_everything_is_readable_without_script(passed):
    page = Page(passed.page)
    folds = [each for each in page.attributes if each[:2] == ("details", "class")]
    folds = [each for each in folds if each[2] == "fold"]
    assert len(folds) == page.attributes.count(("details", "open", None)) > 3
    for part in re.findall(r"<section.*?</section>", passed.page, re.DOTALL):
        assert ("<table" in part or "<figure" in part) <= ('<details class="fold"' in part)


def test_the_contents_name_every_table_and_figure_of_the_page(passed):
    contents = passed.page[passed.page.index("<nav") : passed.page.index("</nav>")]
    for name in re.findall(r'id="((?:figure|table)-[^"]+)"', passed.page):
        assert contents.count(f'href="#{name}"') == 1
    assert ">Table: Improvement: rate of a typical study, and of the next trial</a>" in contents


def test_every_tag_is_closed(passed):
    assert Page(passed.page).open == []


def test_identifiers_are_unique_and_references_meet_one(passed):
    page = Page(passed.page)
    names = [value for _, name, value in page.attributes if name == "id"]
    assert len(names) == len(set(names))
    wanted = [v[1:] for _, name, v in page.attributes if name.endswith("href") and v[:1] == "#"]
    wanted += re.findall(r"url\(#([^)]+)\)", passed.page)
    assert set(wanted) <= set(names)


def test_text_of_the_data_is_escaped(passed):
    assert "<script>alert" not in passed.page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in passed.page
    assert "mscpool report &lt;x&gt;" in passed.page


def test_formulas_are_neutralised_in_every_csv(passed):
    studies = (passed.folder / "tables" / "studies.csv").read_text("utf-8")
    assert "'=HYPERLINK(1)" in studies
    for path in passed.folder.rglob("*.csv"):
        assert not re.search(r"(^|,)=", path.read_text("utf-8"), re.M), path


def test_page_is_accessible(passed):
    page = Page(passed.page)
    assert ("html", "lang", "en") in page.attributes
    assert page.tags.count("h1") == 1
    assert page.tags.count("caption") == page.tags.count("table") > 3
    drawings = [value for tag, name, value in page.attributes if (tag, name) == ("div", "role")]
    told = [v for tag, name, v in page.attributes if (tag, name) == ("div", "aria-label")]
    assert drawings.count("img") == len(told) == page.tags.count("svg") > 3
    assert all(len(each) > 20 for each in told)


def test_every_file_that_is_named_exists(passed):
    out, done, text = passed
    links = [v for _, name, v in Page(text).attributes if name == "href"]
    links = [each for each in links if not each.startswith(("#", "data:", "https://doi.org/"))]
    assert links
    assert not [each for each in links if not (out / each).is_file()]
    assert not [
        each for each in done.files if not (out / each).is_file() and not each.startswith("/")
    ]
    assert done.files[0] == str(out / "report.html")


def test_a_failed_guard_cannot_be_missed(failed):
    done, text = failed
    assert done.verdict == "fail"
    head = text[text.index("<body>") :]
    assert head.index('class="verdict fail" role="alert"') < head.index("<h1>")
    assert "Because of improvement." in head[: head.index("<h1>")]
    assert "position: sticky" in text
    assert 'class="follows fail"' in head
    assert "(guard: fail)</title>" in text
    captions = re.findall(r"<caption.*?</caption>", text, re.S)
    stamps = [each for each in captions if 'badge fail">fail' in each]
    assert len(stamps) > 3


def test_unchecked_is_said_everywhere(unchecked, passed):
    done, text = unchecked
    assert done.verdict is None
    assert 'class="verdict unchecked"' in text
    assert "(guard: unchecked)</title>" in text
    for caption in re.findall(r"<caption.*?</caption>", text, re.S):
        assert 'badge unchecked">unchecked' in caption or "Guard" not in caption
    assert 'badge pass">' not in text


def test_a_pass_says_how_little_it_can_notice(passed):
    text = " ".join(passed.page.split())
    assert "A pass means that nothing was noticed, not that nothing is wrong." in text
    assert "4 studies with a median of" in text


def test_a_passed_guard_is_no_alarm(passed):
    assert 'class="verdict pass" role="status"' in passed.page
    assert 'class="follows' not in passed.page


def test_the_answer_stands_first_with_every_rate_and_what_it_rests_on(evidence, passed):
    head = passed.page[passed.page.index("<h1>") : passed.page.index("<nav")]
    cells = re.findall(r'<td class="(\w+)"><b>([^<]+)</b>', head)
    rates = pd.read_csv(passed.folder / "rates.csv")
    rates = rates[rates["quantity"] == "rate"]
    assert len(cells) == len(rates) == 4
    for row in rates.to_dict("records"):
        digits = int(row["q97.5"] < 0.2)
        strength = "borrowed" if row["evidence"] == "borrowed" else "few"
        strength = "some" if strength == "few" and row["patients"] >= 20 else strength
        assert (strength, f"{100 * row['q50']:.{digits}f} %") in cells
    assert head.count('badge pass">pass') == 2


def test_sections_stand_in_the_order_of_importance(passed):
    names = re.findall(r'<h2 id="([a-z]+)">', passed.page)
    wanted = ["question", "evidence", "model", "priors", "rates", "safety", "controlled", "guard"]
    assert [name for name in names if name in wanted] == wanted
    assert names[-3:] == ["limits", "reproduce", "references"]
    assert names.index("pooling") < names.index("sensitivity") < names.index("limits")


def test_the_section_on_priors_counts_what_its_table_shows(passed):
    flips = pd.read_csv(passed.folder / "tables" / "prior_flips.csv")
    firm = flips["changed_by"].isna().sum()
    assert f"Of {len(flips)} conclusions" in passed.page
    assert f"{firm} are the same under every prior compared" in passed.page
    assert set(flips["direction"]) == {"above", "below"}  # of a benefit, and of a harm
    rates = pd.read_csv(passed.folder / "tables" / "prior_rates.csv")
    assert set(rates["set"]) == {"default", "sceptical"}
    far = rates.loc[rates.loc[rates["quantity"] == "rate", "shift"].abs().idxmax()]
    assert f"The prior matters most for {far['outcome']} in {far['disease']}" in passed.page
    assert 'id="figure-prior_comparison"' in passed.page
    assert 'id="figure-flip_map_improvement"' in passed.page


def test_every_figure_stands_once_on_the_page_in_its_section(passed):
    drawn = {path.stem for path in (passed.folder / "figures").glob("*.svg")}
    for kind in KINDS:
        own = {name for name in drawn if name == kind.name or name.startswith(f"{kind.name}_")}
        drawn -= own
        parts = re.split(r'<h2 id="([a-z]+)">', passed.page)
        standing = {
            (section, name)
            for section, part in zip(parts[1::2], parts[2::2], strict=True)
            for name in re.findall(r'id="figure-(\w+)"', part)
            if name in own
        }
        assert standing == ({(kind.section, name) for name in own} if kind.on_page else set())
        assert all(passed.page.count(f'id="figure-{name}"') <= 1 for name in own)
    assert not drawn


def test_a_figure_that_its_section_does_not_place_stands_at_the_end_of_that(evidence, passed):
    results = Results(load_fit(passed.folder), evidence)
    further = Drawing(
        "further", "A further one", "<svg/>", "What it shows.", "Seen.", ("csv",), "rates"
    )
    made = page(results, findings.sections(results, ""), {"further": further}, {})
    [part] = re.findall(r'<h2 id="rates">.*?</section>', made, re.DOTALL)
    assert part.index("</table>") < part.index('id="figure-further"')
    assert made.count('id="figure-further"') == 1


def test_a_kind_of_figure_names_a_section_that_there_is():
    with pytest.raises(KeyError, match="rate"):
        FigureKind("further", "rate", lambda _: [], lambda *_: None, lambda *_: None)


def test_every_prior_of_the_catalogue_is_compared_with_the_fits_own():
    own = replace(DEFAULT, name="mine")
    assert [each.name for each in fits.compared_sets(own)] == ["mine", *CATALOGUE]
    assert [each.name for each in fits.compared_sets(DEFAULT)] == list(CATALOGUE)


def test_second_run_fits_nothing(evidence, kept_fits, monkeypatch):
    def refused(*args, **kwargs):
        raise AssertionError("fitted again")

    monkeypatch.setattr(import_module("mscpool.analysis.fitting.fit"), "exact_tree", refused)
    store = import_module("mscpool.analysis.sensitivity.store")
    monkeypatch.setattr(store, "compare_priors", refused)
    _, text = written(evidence, kept_fits(), None)
    assert "What the evidence supports" in text


def test_the_guard_is_not_asked_twice_of_one_fit(evidence, kept_fits):
    out = kept_fits()
    written(evidence, out, "warn")
    assert json.loads((out / "check.json").read_text("utf-8"))["verdict"] == "warn"
    done, _ = written(evidence, out, "fail")
    assert done.verdict == "warn"


def results_of(evidence, path):
    from mscpool.analysis.fitting.fit import fit

    made = fit(evidence, engine="exact", draws=250, path=path, seed=1)
    return Results(made, evidence)


@pytest.mark.parametrize(
    ("pooling", "outcomes", "rests", "nested"),
    [
        ("partial", ("improvement", "death"), "on the other diseases", False),
        ("partial", ("improvement", "remission"), "on the other diseases", True),
        ("none", ("any_ae", "moderate_severe_ae"), "on the prior", True),
    ],
)
def test_a_borrowed_rate_is_said_to_rest_on_what_it_rests_on(pooling, outcomes, rests, nested):
    said = findings.of_borrowed(pooling, outcomes)
    assert rests in said
    assert ("nested" in said) == nested


def test_what_was_asked_of_the_sampler_is_told_where_there_was_one():
    config = {"engine": "nuts", "chains": 4, "draws": 1000, "tune": 500}
    assert sections_limits._asked(config).startswith(
        "4 chains of 1,000 draws after 500 tuning steps"
    )
    assert sections_limits._asked({**config, "engine": "exact"}) == ""


def test_prose_takes_its_numbers_from_the_table(evidence, passed):
    results = results_of(evidence, passed.folder / "fit.nc")
    table = report_tables.rates_table(results, "improvement")
    own = table.frame[table.frame["quantity"] == "rate"].sort_values("q50")
    section = findings.sections(results, "")[0]
    [brief] = [block.content for block in section.blocks if block.kind == "brief"]
    said = {name: text for name, text, _ in brief}["Improvement"]
    for row in (own.iloc[0], own.iloc[-1]):
        shown = f"{100 * row['q50']:.0f} % ({100 * row['q2.5']:.0f} to {100 * row['q97.5']:.0f})"
        assert shown in said
        assert any(shown in cell for line in table.rows for cell in line)


def test_every_table_of_a_fit_carries_the_verdict(passed):
    for name in ("rates_improvement", "priors", "safety", "checks"):
        frame = pd.read_csv(passed.folder / "tables" / f"{name}.csv")
        assert set(frame["verdict"]) == {"pass"}
    assert "verdict" not in pd.read_csv(passed.folder / "tables" / "studies.csv")


def test_stamps_are_of_the_outcome():
    frame = pd.DataFrame({"outcome": ["improvement", "death"]})
    checked = CheckResult("warn", (OutcomeVerdict("improvement", "warn", "Because."),))
    assert list(stamped(frame, checked)["verdict"]) == ["warn", "unchecked"]
    assert list(stamped(frame, UNCHECKED)["verdict"]) == ["unchecked"] * 2


def wilson(events, n):
    z = norm.ppf(0.975)
    middle, share = (events + z**2 / 2) / (n + z**2), events / n
    half = z / (n + z**2) * np.sqrt(n * share * (1 - share) + z**2 / 4)
    return share, middle - half, middle + half


@pytest.mark.parametrize(
    ("study", "outcome", "treated", "control"),
    [
        ("deng2017", "improvement", (9, 12), (5, 6)),
        ("deng2017", "death", (1, 12), (0, 6)),
        ("delpapa2019", "improvement", (23, 25), (1, 13)),
    ],
)
def test_risk_differences_are_newcombes(study, outcome, treated, control):
    frame = risk_differences(load_evidence())
    [row] = frame[(frame["study"] == study) & (frame["outcome"] == outcome)].to_dict("records")
    (p, low, high), (q, below, above) = wilson(*treated), wilson(*control)
    assert row["difference"] == pytest.approx(p - q)
    assert row["low"] == pytest.approx(p - q - np.hypot(p - low, above - q))
    assert row["high"] == pytest.approx(p - q + np.hypot(high - p, q - below))


def test_bounded_counts_have_no_risk_difference():
    frame = risk_differences(load_evidence())
    bounded = frame["events_min"] != frame["events_max"]
    assert bounded.any()
    assert frame.loc[bounded, ["difference", "low", "high"]].isna().all(axis=None)
    assert frame.loc[~bounded, ["difference", "low", "high"]].notna().all(axis=None)


def test_controlled_comparisons_are_these_and_no_effect_is_claimed_of_single_arms(evidence):
    studies = set(risk_differences(load_evidence())["study"])
    assert studies == {"deng2017", "delpapa2019", "seok2025", "furestem2019"}
    assert "not treatment effects" in findings.NOT_EFFECTS


def test_cautions_of_the_page_are_those_of_the_dictionary(root):
    text = " ".join((root / "data" / "README.md").read_text("utf-8").split())
    for caution in shipped_about().cautions:
        first = caution.split(":")[0].replace("_", " ").split()[:6]
        assert " ".join(first).lower() in text.lower().replace("`", ""), caution
