"""The pictures of a trial's design, written with the numbers that they show."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from ...data.export import write_csv, write_whole
from ..publish import render
from ..trial import design_frames
from ..trial.requests import DesignResult
from .captions import Words

FORMATS = ("svg", "png")


def publish_design(result: DesignResult, asked: dict[str, Any], out: Path, verdict: str) -> list:
    """Draw what a design has to show.

    Parameters
    ----------
    result : DesignResult
        The answer.
    asked : dict
        What was asked, by parameter: the priors are drawn from it.
    out : Path
        Folder of the files.
    verdict : {"pass", "warn", "fail", "unchecked"}
        The guard's, on the fit behind the priors; ``pass`` where no fit is behind them.

    Returns
    -------
    list of Path
        The files, in order: the numbers of each picture and its renderings.
    """
    from ...figures.style import make_style

    style, files = make_style("single", (), verdict), []
    for name, title, frame, draw in _pictures(result, asked, style):
        place = out / f"design_{name}.csv"
        write_csv(frame, place)
        words = Words(title, result.paragraph, title)
        rendered = render(draw(), style, FORMATS, words)
        files += [place, *(write_whole(c, out / f"design_{name}.{e}") for e, c in rendered.items())]
    return files


def _pictures(result: DesignResult, asked: dict[str, Any], style) -> Iterator[tuple]:
    """Give name, title, frame and drawing of each picture that the answer has rows for."""
    from ...figures.design_boundaries import draw_design_boundaries
    from ...figures.design_operating import draw_design_operating, draw_design_type1
    from ...figures.design_priors import draw_design_priors
    from ...figures.design_size import draw_design_size
    from ...models.rate_prior import parse_prior

    request, answer, columns = result.request, result.answer, set(result.table.columns)
    if {"assurance", "type1"} & columns and len(result.table) > 1:
        frame = design_frames.size_frame(result)
        recommended = answer["recommended_n"]
        title = "Probability of success against the number of patients"
        if not frame.empty:
            yield "size", title, frame, lambda: draw_design_size(frame, style, recommended)
    if "critical" in columns:
        operating = design_frames.operating_frame(result)
        title = "Probability of success over the true rate"
        yield "operating", title, operating, lambda: draw_design_operating(operating, style)
    if "type1_max" in columns and result.operating is not None:
        errors = design_frames.type1_frame(result)
        title = "Type I error over the control rate"
        if len(errors) > 1:
            level = 1 - request["level"]
            yield "type1", title, errors, lambda: draw_design_type1(errors, style, level)
    if {"stop_at", "futility_at_most"} & columns:
        stops: pd.DataFrame = design_frames.boundary_frame(result)
        title = "Counts at which the trial stops"
        if not stops.empty:
            yield "boundaries", title, stops, lambda: draw_design_boundaries(stops, style)
    design = asked.get("design_prior")
    if design is not None and "analysis_prior" in request:
        analysis = asked.get("analysis_prior") or parse_prior("beta(1,1)")
        priors = design_frames.prior_frame(design, analysis)
        title = "Design prior and analysis prior"
        yield "priors", title, priors, lambda: draw_design_priors(priors, style)
