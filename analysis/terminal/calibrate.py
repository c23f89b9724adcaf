"""``mscpool calibrate``: measure the guard, and the engines."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...data.folders import writing_to
from . import console
from .exits import DONE
from .options import JsonOption, OutOption, SeedOption

if TYPE_CHECKING:
    import pandas as pd


def calibrate(
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
        typer.Option(metavar="N", min=1, help="Processes of this machine; all it has processors."),
    ] = None,
    out: OutOption = Path("results"),
    as_json: JsonOption = False,
) -> int:
    """Measure how often the guard errs, and whether the engines are calibrated.

    Writes calibration.csv and sbc.csv. A run that was stopped goes on where it was.
    """
    from ...data.export import write_csv
    from ...data.folders import file_set
    from ..calibration import calibrate as guard
    from ..calibration.error_rates import error_rates, places
    from ..calibration.uniformity import judged
    from ..workers.workers import processes, refuse_scheduler

    start = time.perf_counter()
    refuse_scheduler(scheduler)
    with writing_to(out):
        settings = guard.Settings(seed=seed)
        found = guard.calibrate(sets, out, settings, sims, scheduler, workers, console.say)
        rates, uniform = error_rates(found), judged(places(found))
        with file_set(out) as aside:
            write_csv(rates, aside / "calibration.csv")
            write_csv(uniform, aside / "sbc.csv")
    if as_json:
        console.print_json(
            {
                "guard": rates.astype(object).where(rates.notna(), None).to_dict("records"),
                "sbc": uniform.to_dict("records"),
                "seconds": time.perf_counter() - start,
                "workers": workers or processes(),
            }
        )
    else:
        _print(rates, uniform)
    return DONE


def _print(rates: pd.DataFrame, uniform: pd.DataFrame) -> None:
    from ..calibration.error_rates import table

    outside = uniform[~uniform["inside_band"]]
    print(table(rates))
    print()
    print(f"{len(uniform)} quantities, {len(outside)} outside their band.")
    for row in outside.to_dict("records"):
        name = f"{row['data']}, {row['parameter']} ({row['engine']})"
        print(console.printable(f"  {name}: p {row['p_uniform']:.2g}"))
