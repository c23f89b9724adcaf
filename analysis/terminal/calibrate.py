"""``mscpool calibrate``: measure the guard, and the engine that integrates."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from ...data.folders import writing_to
from . import console
from .exits import DONE
from .options import JsonOption, OutOption


def calibrate(
    sets: Annotated[
        int, typer.Option(metavar="N", min=1, help="Sound data sets; a quarter for each defect.")
    ] = 200,
    sims: Annotated[
        int, typer.Option(metavar="N", min=2, help="Data sets an outcome for the exact engine.")
    ] = 200,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Makes a run repeatable.")] = (
        20250101
    ),
    out: OutOption = Path("results"),
    as_json: JsonOption = False,
) -> int:
    """Measure how often the guard errs, and whether the engines are calibrated.

    Writes calibration.csv and sbc.csv. A run that was stopped goes on where it was.
    """
    from ...data.export import write_csv
    from ...data.folders import file_set
    from ..calibration import calibrate as guard
    from ..calibration import sbc
    from ..calibration.uniformity import Places, judged

    start = time.perf_counter()
    with writing_to(out):
        found = guard.calibrate(sets, out, guard.Settings(seed=seed))
        rates, places = guard.error_rates(found), guard.places(found)
        for shape in sbc.shipped_shapes():
            console.say(f"simulation-based calibration of {shape.outcome}")
            placed = sbc.places_in_posterior(shape, sims, seed)
            places.append(Places("exact", shape.outcome, placed))
        uniform = judged(places)
        with file_set(out) as aside:
            write_csv(rates, aside / "calibration.csv")
            write_csv(uniform, aside / "sbc.csv")
    if as_json:
        console.print_json(
            {
                "guard": rates.astype(object).where(rates.notna(), None).to_dict("records"),
                "sbc": uniform.to_dict("records"),
                "seconds": time.perf_counter() - start,
                "workers": guard.workers(),
            }
        )
    else:
        outside = uniform[~uniform["inside_band"]]
        print(guard.table(rates))
        print()
        print(f"{len(uniform)} quantities, {len(outside)} outside their band.")
        for row in outside.to_dict("records"):
            name = f"{row['data']}, {row['parameter']} ({row['engine']})"
            print(console.printable(f"  {name}: p {row['p_uniform']:.2g}"))
    return DONE
