"""Two users, each from a first file to a checked figure without asking anyone."""

import json
import os
from pathlib import Path

import arviz as az
import openpyxl
import pymc as pm
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from typer.testing import CliRunner

import mscpool as mp
from mscpool.analysis.paper.publish import publish
from mscpool.analysis.terminal import cli

ROWS = [
    ("Ann 2020", "psoriasis", 6, 20),
    ("Bob 2021", "psoriasis", 8, 22),
    ("Cyd 2022", "psoriasis", 7, 19),
    ("Dan 2019", "eczema", 9, 25),
    ("Eve 2023", "eczema", 8, 24),
]


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")
def test_an_arviz_user_walks_from_a_csv_to_a_checked_figure(tmp_path):
    own = tmp_path / "mine.csv"
    lines = ["author;indication;responders;N", *(";".join(map(str, row)) for row in ROWS)]
    own.write_text("\n".join(lines), "utf-8")

    with mp.build_model(own):  # the model that is believed, and what it says before any data
        before = pm.sample_prior_predictive(50, random_seed=1)
    assert set(before["observed_data"].data_vars) <= set(before["prior_predictive"].data_vars)

    fit = mp.fit(own, engine="exact", draws=200, chains=2)
    assert "mp.check(fit)" in repr(fit)
    top = ["mu", "tau", "sigma"]
    assert len(az.summary(fit, var_names=[*top, "rate"])) == 5
    assert az.loo(fit).n_data_points == 5
    assert len(az.psense_summary(fit, var_names=["mu"], prior_var_names=top)) == 1
    for drawn in (
        az.plot_ppc_pit(fit, backend="none"),
        az.plot_forest(fit, var_names=["rate"], backend="none"),
    ):
        assert drawn is not None

    checked = mp.check(fit)
    assert checked.verdict == "pass"
    figure = mp.plot.forest(fit, checked=checked)
    assert isinstance(figure, Figure)
    told = " ".join(each.get_text() for each in figure.findobj(Text))
    assert "Ann 2020" in told
    assert "nchecked" not in told
    figure.savefig(tmp_path / "forest.png")
    assert (tmp_path / "forest.png").read_bytes().startswith(b"\x89PNG")


def type_(*words):
    return CliRunner().invoke(cli.app, [str(word) for word in words])


def fill(path: Path, rows) -> None:
    """Type rows into a template below its header, as its columns want them."""
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    columns = [cell.value for cell in sheet[1]]
    for place, (study, disease, events, n) in enumerate(rows, start=2):
        cells = {"study": study, "disease": disease, "arm": "msc", "outcome": "response"}
        cells |= {"events": events, "n": n}
        for column, value in cells.items():
            sheet.cell(place, columns.index(column) + 1).value = value
    book.save(path)


def test_a_user_of_excel_walks_from_a_template_to_a_checked_figure(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 1)  # drawn in this process, and quickly
    monkeypatch.setattr(publish, "FORMATS", ("svg",))
    own, results = tmp_path / "mine.xlsx", tmp_path / "results"
    made = type_("template", own, "--outcome", "response")
    assert f"mscpool validate {own}" in made.stdout

    fill(own, [*ROWS[:-1], (*ROWS[-1][:2], "33 %", 24)])
    refused = type_("validate", own)
    assert refused.exit_code == 2
    events = [cell.value for cell in openpyxl.load_workbook(own).worksheets[0][1]].index("events")
    assert f"{'ABCDEFGH'[events]}6" in refused.stderr  # the cell, as the spreadsheet names it
    assert "write 8 if" in refused.stderr  # and what 33 % of 24 probably is
    fill(own, ROWS)
    assert type_("validate", own).exit_code == 0

    fitted = type_("fit", own, "--engine", "exact", "--out", results)
    assert fitted.exit_code == 0
    assert "pass" in fitted.stdout
    drawn = type_("figures", results, own, "--json")
    assert drawn.exit_code == 0
    answer = json.loads(drawn.stdout)
    assert answer["verdict"] == "pass"
    assert str(results / "figures" / "forest_response.svg") in answer["files"]
    assert "unchecked" not in (results / "figures" / "captions.md").read_text("utf-8")
