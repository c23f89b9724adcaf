"""No name of the user's is part of a path, or of an identifier on the page, as it stands."""

import re
from pathlib import Path

import pytest

from mscpool.analysis.fitting.fit import fit
from mscpool.analysis.paper.frames.results import Results
from mscpool.analysis.paper.publish.exhibits import KINDS
from mscpool.analysis.paper.publish.publish import publish
from mscpool.analysis.paper.report.sections import sections

from ...builders import evidence_of

TABLE = "study,outcome,events,n\n" + "".join(
    f"{study},{outcome},{events},10\n"
    for outcome in ("CR/PR", "cr/pr", "../../../esc", "any ae", "any/ae", "Überall", "nul")
    for study, events in (("A", 2), ("B", 4), ("C", 1))
)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    evidence = evidence_of(tmp_path_factory.mktemp("data"), TABLE)
    return Results(fit(evidence, engine="exact"), evidence)


def test_figures_stay_in_their_folder_each_with_its_own_name(results, tmp_path, monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 1)  # drawn in this process, and quickly
    folder = tmp_path / "deep" / "figures"
    files = publish(results, folder, formats=("svg",))
    assert {path.resolve().parent for path in files} == {folder}
    names = [path.name.casefold() for path in files]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9_.-]+", name) for name in names)
    assert [path for path in tmp_path.rglob("*") if path.is_file() and path not in files] == []
    assert sum(Path(name).match("forest_*.svg") for name in names) == len(results.outcomes)


def test_tables_and_places_on_the_page_have_safe_names(results):
    blocks = sections(results, "mscpool report")
    names = [table.name for section in blocks for table in section.tables]
    assert all(re.fullmatch(r"[a-z0-9_-]+", name) for name in names)
    assert len({name.casefold() for name in names}) == len(names)


def test_no_kind_of_figure_can_be_taken_for_one_of_another_kind():
    names = [kind.name for kind in KINDS]
    assert not [(a, b) for a in names for b in names if b.startswith(f"{a}_")]
