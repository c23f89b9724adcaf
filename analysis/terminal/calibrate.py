"""``mscpool calibrate``: measure the guard, and the engines."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...data.errors import InputError
from ...data.folders import writing_to
from ...data.names import numbered
from . import console
from .exits import DONE
from .options import JsonOption, OutOption, PathArgument, SeedOption, SheetOption

if TYPE_CHECKING:
    import pandas as pd

    from ..calibration.uniformity import Places


def calibrate(
    path: PathArgument = None,
    sheet: SheetOption = None,
    sets: Annotated[
        int, typer.Option(metavar="N", min=1, help="Sound data sets; a tenth for each defect.")
    ] = 200,
    sims: Annotated[
        int, typer.Option(metavar="N", min=2, help="Data sets a shape for the exact engine.")
    ] = 200,
    seed: SeedOption = 20250101,
    scheduler: Annotated[
        str,
        typer.Option(
            metavar="WHERE",
            help="none (processes of this machine), local (a Dask cluster on it) or the address "
            "of a Dask scheduler.",
        ),
    ] = "none",
    workers: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Processes; as many as this machine has processors."),
    ] = None,
    certificate: Annotated[
        bool, typer.Option("--certificate", help="Also write certificate.md.")
    ] = False,
    stored_only: Annotated[
        bool, typer.Option("--stored-only", help="Judge nothing more: write what is stored.")
    ] = False,
    out: OutOption = Path("results"),
    as_json: JsonOption = False,
) -> int:
    """Measure how often the guard errs, and whether the engines are calibrated.

    Writes calibration.csv, sbc.csv with its picture and faults.csv. With PATH: what the guard would
    notice in --sets data sets like those (own_data.csv). Either goes on where a run was stopped.
    """
    from ..workers.workers import refuse_scheduler

    start = time.perf_counter()
    refuse_scheduler(scheduler)
    from ...data.export import write_csv, write_whole
    from ...data.folders import file_set
    from ..calibration import calibrate as guard
    from ..calibration.certificate import certificate as page
    from ..calibration.error_rates import error_rates, faulty_places, places
    from ..calibration.faults import power
    from ..calibration.uniformity import judged

    if path is not None:
        _refuse_with_path(certificate=certificate, stored_only=stored_only)
        return _own(path, sheet, sets, seed, scheduler, workers, out, as_json)
    with writing_to(out):
        settings = guard.Settings(seed=seed)
        if stored_only:
            found = guard.stored_results(sets, sims, out, settings)
        else:
            found = guard.calibrate(sets, out, settings, sims, scheduler, workers, console.say)
        rates, placed = error_rates(found), places(found)
        uniform = judged(placed)
        noticed = power(faulty_places(found), len(uniform))
        with file_set(out) as aside:
            write_csv(rates, aside / "calibration.csv")
            write_csv(uniform, aside / "sbc.csv")
            write_csv(noticed, aside / "faults.csv")
            if placed:
                _write_picture(placed, aside / "sbc.png")
            if certificate:
                text = page(rates, uniform, noticed, seed, date.today())
                write_whole(text, aside / "certificate.md")
    if as_json:
        console.print_json(
            {
                "guard": rates.astype(object).where(rates.notna(), None).to_dict("records"),
                "sbc": uniform.to_dict("records"),
                "faults": noticed.to_dict("records"),
                "seconds": time.perf_counter() - start,
                "workers": _processes_here(scheduler, workers),
            }
        )
    else:
        _print(rates, uniform)
    return DONE


def _write_picture(placed: Sequence[Places], path: Path) -> None:
    """Draw how far places of the truth are from uniform, with the bands that judge them."""
    from ...data.export import write_whole
    from ...figures.style import make_style
    from ...figures.uniformity import draw_uniformity
    from ..calibration.uniformity import curves
    from ..paper.publish.rendering import render_small

    style = make_style("double")
    write_whole(render_small(draw_uniformity(curves(placed), style), style), path)


def _refuse_with_path(**asked: bool) -> None:
    """Refuse what is of the shipped evidence alone.

    Raises
    ------
    InputError
    """
    for name, given in asked.items():
        if given:
            option = "--" + name.replace("_", "-")
            raise InputError(f"{option} is of the shipped evidence: leave it out, or the path")


def _processes_here(scheduler: str, workers: int | None) -> int | None:
    """Give the processes of this machine that a run has; a cluster elsewhere has its own."""
    from ..workers.workers import LOCAL, NONE, processes

    return (workers or processes()) if scheduler in (NONE, LOCAL) else None


def _print(rates: pd.DataFrame, uniform: pd.DataFrame) -> None:
    from ..calibration.error_rates import table

    outside = uniform[~uniform["inside_band"]]
    print(table(rates))
    print()
    counted = numbered(len(uniform), "quantity", "quantities")
    print(f"{counted}, {len(outside)} outside their band.")
    for row in outside.to_dict("records"):
        name = f"{row['data']}, {row['parameter']} ({row['engine']})"
        print(console.printable(f"  {name}: p {row['p_uniform']:.2g}"))


def _own(
    path: Path,
    sheet: str | None,
    sets: int,
    seed: int,
    scheduler: str,
    workers: int | None,
    out: Path,
    as_json: bool,
) -> int:
    """Measure what the guard would notice in data sets like the user's."""
    from ...data.evidence import load_evidence
    from ...data.export import write_csv
    from ...data.folders import file_set
    from ..calibration.own_data import judge_each, own_rates, own_sentences

    evidence = load_evidence(path, sheet=sheet)
    console.say(*evidence.messages)
    with writing_to(out):
        found = judge_each(evidence, sets, out, seed, scheduler, workers, console.say)
        rates = own_rates(found)
        with file_set(out) as aside:
            write_csv(rates, aside / "own_data.csv")
    if as_json:
        here = _processes_here(scheduler, workers)
        console.print_json({"guard": rates.to_dict("records"), "workers": here})
    else:
        print("\n".join(console.printable(each) for each in own_sentences(rates)))
    return DONE
