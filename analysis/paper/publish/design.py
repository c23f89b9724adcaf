"""The pictures of a trial's design, written with the numbers that they show and their captions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from ....data.export import write_csv, write_whole
from ...trial import design_frames
from ...trial.requests import DesignResult
from ..words.exhibit import Exhibit, Words
from ..words.wording import without_tags
from .publish import captions_page
from .rendering import render

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ....figures.style import Style

FORMATS = ("svg", "png")
#: Every picture that a design may have.
PICTURES = ("size", "operating", "type1", "boundaries", "stages", "precision", "ess", "priors")
NO_VERDICT = "unchecked"


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture: its name and title, what it draws, and how."""

    name: str
    title: str
    frame: pd.DataFrame
    draw: Callable[[pd.DataFrame, Style], Figure]

    def exhibit(self, result: DesignResult) -> Exhibit:
        """Give its words too."""
        caption = f"{self.title}. {_SHOWN[self.name]} {_setting(result)}"
        words = Words(self.title, caption, f"{self.title}: {_seen(self.frame)}.")
        return Exhibit(f"design_{self.name}", self.frame, words, self.draw)


def publish_design(result: DesignResult, out: Path, verdict: str) -> list[Path]:
    """Draw what a design has to show; pictures of an earlier one there are removed.

    Parameters
    ----------
    result : DesignResult
        The answer.
    out : Path
        Folder of the files.
    verdict : {"pass", "warn", "fail", "unchecked"}
        The guard's, on the fit behind the priors; ``pass`` where no fit is behind them.

    Returns
    -------
    list of Path
        The files, in order: the numbers of each picture and its renderings, then the captions.
    """
    from ....figures.style import make_style

    style = make_style("single", (), None if verdict == NO_VERDICT else verdict)
    files: list[Path] = []
    shown: list[Exhibit] = []
    for exhibit in (picture.exhibit(result) for picture in pictures(result)):
        shown.append(exhibit)
        place = out / f"{exhibit.name}.csv"
        write_csv(exhibit.frame, place)
        rendered = render(exhibit.draw(exhibit.frame, style), style, FORMATS, exhibit.words)
        files += [
            place,
            *(write_whole(c, out / f"{exhibit.name}.{e}") for e, c in rendered.items()),
        ]
    if shown:
        text = captions_page(shown, [""] * len(shown), style)
        files.append(write_whole(without_tags(text).encode(), out / "design_captions.md"))
    ours = {out / f"design_{name}.{end}" for name in PICTURES for end in ("csv", *FORMATS)}
    for stale in {*ours, out / "design_captions.md"} - set(files):
        stale.unlink(missing_ok=True)
    return files


_SHOWN = {
    "size": "Exact probabilities by enumeration, in a sawtooth, as counts are whole; level lines: "
    "what is wanted; upright line: the smallest size from which on every size has it.",
    "operating": "Exact chance of each ending; upright lines: rates that the design is about.",
    "type1": "Exact probability of success where the true difference is the margin; level line: "
    "the nominal error.",
    "boundaries": "Numbers of events at which the trial ends, over the patients seen.",
    "stages": "Exact probability of success and of an early stop, and mean number of patients; "
    "upright lines: the null and the target.",
    "precision": "Largest average probability of an interval of the wanted width, and average and "
    "largest width of the highest-density interval; level lines: what is wanted; upright lines: "
    "the smallest sizes.",
    "ess": "Density, with mean and central 95 % interval; at the right, the patients that it is "
    "worth by the expected local-information ratio (ELIR), by its mean and variance (moment), and "
    "by the curvature at its mode (Morita).",
    "priors": "Densities; those of drawn rates are kernel estimates on the log-odds, after any "
    "discount. Upright lines: fixed rates.",
}


def _setting(result: DesignResult) -> str:
    """Give the rule and the priors of a design."""
    named = {
        name.replace("_", " "): value
        for name, value in result.request.items()
        if "prior" in name and value is not None
    }
    parts = [result.rule, *(f"{name}: {value}" for name, value in named.items())]
    return " ".join(f"{part[:1].upper()}{part[1:]}." for part in parts)


def _seen(frame: pd.DataFrame) -> str:
    """Say in words where each line begins and ends, and where it is highest in between."""
    if "panel" in frame:
        frame = frame[frame["x"].notna() & frame["value"].notna()]
    parts = []
    for name, own in frame.dropna(subset=["value"]).groupby("series", sort=False):
        places = [0, int(own["value"].argmax()), len(own) - 1]
        points = own.iloc[sorted({*places})][["x", "value"]].to_numpy().tolist()
        steps = " to ".join(f"{value:.3g} at {x:.3g}" for x, value in points)
        parts.append(f"{name} from {steps}")
    return "; ".join(parts)


def pictures(result: DesignResult) -> Iterator[Picture]:
    """Give each picture that an answer has something to show in."""
    found = {
        "single-arm": _single_arm,
        "two-arm": _two_arm,
        "safety": _stopping,
        "monitor": _stopping,
        "two-stage": _two_stage,
        "precision": _precision,
        "ess": _ess,
    }[result.request["design"]](result)
    yield from (picture for picture in found if not picture.frame.empty)
    yield from _priors(result)


def _size(result: DesignResult) -> Iterator[Picture]:
    from ....figures.design_size import draw_design_size

    request = result.request
    if len(result.table) > 1:
        frame = design_frames.size_frame(result)
        wanted = tuple(
            (f"wanted {name}", request[name])
            for name in ("assurance", "power")
            if request[name] is not None and frame["series"].str.startswith(name).any()
        )
        draw = partial(
            draw_design_size, recommended_n=result.answer["recommended_n"], wanted=wanted
        )
        yield Picture("size", "Probability of success against the number of patients", frame, draw)


def _marks(request: dict) -> tuple[tuple[str, float], ...]:
    """Return the null and the target, where they were named."""
    named = ((name, request[name]) for name in ("null", "target"))
    return tuple((name, rate) for name, rate in named if rate is not None)


def _single_arm(result: DesignResult) -> Iterator[Picture]:
    yield from _size(result)
    yield _operating(result)


def _operating(result: DesignResult) -> Picture:
    from ....figures.design_operating import draw_design_operating

    draw = partial(draw_design_operating, rates=_marks(result.request))
    title = "Operating characteristics over the true rate"
    return Picture("operating", title, design_frames.ending_frame(result), draw)


def _two_arm(result: DesignResult) -> Iterator[Picture]:
    from ....figures.design_operating import draw_design_type1

    yield from _size(result)
    errors, level = design_frames.type1_frame(result), result.request["level"]
    wanted = result.request["type1"]
    draw = partial(draw_design_type1, wanted=1 - level if wanted is None else wanted)
    if len(errors) > 1:
        yield Picture("type1", "Type I error over the control rate", errors, draw)


def _stopping(result: DesignResult) -> Iterator[Picture]:
    from ....figures.design_boundaries import draw_design_boundaries

    looks = result.request["look"] is not None
    draw = partial(draw_design_boundaries, looks=looks)
    stops = design_frames.boundary_frame(result)
    yield Picture("boundaries", "Counts at which the trial stops", stops, draw)
    if result.curve is not None:
        yield _operating(result)


def _two_stage(result: DesignResult) -> Iterator[Picture]:
    from ....figures.design_stages import draw_design_stages

    if result.answer["optimal"] is not None:
        draw = partial(draw_design_stages, rates=_marks(result.request))
        title = "Two-stage designs over the true rate"
        yield Picture("stages", title, design_frames.stage_frame(result), draw)


def _precision(result: DesignResult) -> Iterator[Picture]:
    from ....figures.design_precision import draw_design_precision

    request = result.request
    sizes = {words: result.answer[name] for name, words in design_frames.CRITERIA.items()}
    draw = partial(
        draw_design_precision, coverage=request["coverage"], width=request["width"], sizes=sizes
    )
    title = "Precision against the number of patients"
    yield Picture("precision", title, design_frames.precision_frame(result), draw)


def _ess(result: DesignResult) -> Iterator[Picture]:
    from ....figures.design_ess import draw_design_ess

    frame = design_frames.ess_frame(result)
    yield Picture("ess", "A prior on a rate and what it is worth", frame, draw_design_ess)


def _priors(result: DesignResult) -> Iterator[Picture]:
    """Draw design and analysis priors on one axis; a fixed rate is a line across it."""
    from ....figures.design_priors import draw_design_priors
    from ....models.rates.prior import WeightedRates

    used = result.priors
    if not any(name.startswith("design") for name in used):
        return
    fixed = {
        name: prior.rates[0]
        for name, prior in used.items()
        if isinstance(prior, WeightedRates) and len(set(prior.rates)) == 1
    }
    frame = design_frames.prior_frame({k: v for k, v in used.items() if k not in fixed})
    draw = partial(draw_design_priors, rates=tuple(fixed.items()))
    yield Picture("priors", "Design prior and analysis prior", frame, draw)
