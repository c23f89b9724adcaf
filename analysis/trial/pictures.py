"""The pictures of a trial's design: what each shows, of which numbers, and how it is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from . import design_frames
from .result import DesignResult, Picture


def pictures(result: DesignResult) -> Iterator[Picture]:
    """Give each picture that an answer has something to show in."""
    own = () if result.draw is None else result.draw(result)
    yield from (picture for picture in own if not picture.frame.empty)
    yield from _priors(result)


def size_picture(result: DesignResult) -> Iterator[Picture]:
    """Draw assurance and power against patients, where there is more than one size."""
    from ...figures.design_size import draw_design_size

    if len(result.table) < 2:
        return
    frame = design_frames.size_frame(result)
    wanted = tuple((f"wanted {name}", v) for name, v in result.request.wanted.named.items())
    draw = partial(draw_design_size, recommended_n=result.answer.recommended_n, wanted=wanted)
    shown = (
        "Exact probabilities by enumeration, in a sawtooth, as counts are whole; level lines: "
        "what is wanted; upright line: the smallest size from which on every size has it."
    )
    title = "Probability of success against the number of patients"
    yield Picture("size", title, shown, frame, draw)


def operating_picture(result: DesignResult) -> Picture:
    """Draw the chance of each ending over the true rate."""
    from ...figures.design_operating import draw_design_operating

    return Picture(
        "operating",
        "Operating characteristics over the true rate",
        "Exact chance of each ending; upright lines: rates that the design is about.",
        design_frames.ending_frame(result),
        partial(draw_design_operating, rates=null_and_target(result.request)),
    )


def stopping_pictures(result: DesignResult) -> Iterator[Picture]:
    """Draw the boundaries of a watched trial, and the chance of each ending."""
    from ...figures.design_boundaries import draw_design_boundaries

    yield Picture(
        "boundaries",
        "Counts at which the trial stops",
        "Numbers of events at which the trial ends, over the patients seen.",
        design_frames.boundary_frame(result),
        partial(draw_design_boundaries, looks=result.request.look is not None),
    )
    if result.curve is not None:
        yield operating_picture(result)


def null_and_target(request: Any) -> tuple[tuple[str, float], ...]:
    """Return the null and the target, where they were named."""
    named = (("null", request.null), ("target", request.target))
    return tuple((name, rate) for name, rate in named if rate is not None)


def _priors(result: DesignResult) -> Iterator[Picture]:
    """Draw design and analysis priors on one axis; a fixed rate is a line across it."""
    from ...figures.design_priors import draw_design_priors
    from ...models.rates.prior import WeightedRates

    used = result.priors
    if not any(name.startswith("design") for name in used):
        return
    fixed = {
        name: prior.rates[0]
        for name, prior in used.items()
        if isinstance(prior, WeightedRates) and len(set(prior.rates)) == 1
    }
    yield Picture(
        "priors",
        "Design prior and analysis prior",
        "Densities; those of drawn rates are kernel estimates on the log-odds, after any "
        "discount. Upright lines: fixed rates.",
        design_frames.prior_frame({k: v for k, v in used.items() if k not in fixed}),
        partial(draw_design_priors, rates=tuple(fixed.items())),
    )
